"""AWS's answers, recorded: a session whose calls never leave the process.

It stands in where the sandbox cannot reproduce an answer (Service Quotas, IAM's simulator, bad
credentials, throttling), and where a whole account has to be healthy but for one thing. Each
answer is checked against botocore's model of the service, as botocore's own Stubber does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

import boto3.session
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.model import OperationModel
from botocore.validate import validate_parameters

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-2"
VPC: Final = "vpc-0a1b2c3d"
SUBNET: Final = "subnet-0a1b2c3d"
NAME: Final = "analysis-vm"

# Of one session for all: reading EC2's model, and its errors, takes longer than any test here.
_FIRST: Final = botocore.session.Session()

Parameters = Mapping[str, Any]
Given = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    """An error that AWS answers with."""

    code: str
    message: str = "recorded"
    status: int = 400


Recorded = Given | Refusal | Exception | Callable[[Parameters], "Given | Refusal"]


def no_such(kind: str) -> Refusal:
    """Return the answer to a question about a thing that is not there."""
    return Refusal(kind, "it does not exist", 404 if kind == "NoSuchEntity" else 400)


def role(name: str, path: str = "/") -> Given:
    """Return a role as IAM describes it."""
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": "AROARECORDEDRECORDED",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        "CreateDate": 0,
        "AssumeRolePolicyDocument": '{"Statement":[{"Principal":{"Service":"ec2.amazonaws.com"}}]}',
    }


def profile(name: str, *roles: Given) -> Given:
    """Return an instance profile as IAM describes it."""
    return {
        "InstanceProfile": {
            "Path": "/",
            "InstanceProfileName": name,
            "InstanceProfileId": "AIPARECORDEDRECORDED",
            "Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}",
            "CreateDate": 0,
            "Roles": list(roles),
        }
    }


def routes(*found: Given, subnet: str | None = SUBNET) -> Given:
    """Return the VPC's route tables: an empty main one, and one of the subnet's own."""
    own = {"SubnetId": subnet, "Main": False} if subnet else {"Main": True}
    return {
        "RouteTables": [
            {"RouteTableId": "rtb-main", "Associations": [{"Main": True}], "Routes": []},
            {"RouteTableId": "rtb-own", "Associations": [own], "Routes": list(found)},
        ]
    }


def default_route(**through: str) -> Given:
    """Return a route for everything that has no other."""
    return {"DestinationCidrBlock": "0.0.0.0/0", "State": "active", **through}


def subnet(**changes: object) -> Given:
    """Return the subnet as EC2 describes it."""
    healthy = {
        "SubnetId": SUBNET,
        "VpcId": VPC,
        "AvailabilityZone": f"{REGION}a",
        "AvailableIpAddressCount": 4000,
        "MapPublicIpOnLaunch": True,
    }
    return {"Subnets": [{**healthy, **changes}]}


def machine(type_: str, cores: int, *, spot: bool = False) -> Given:
    """Return a running machine with two threads a core."""
    found: Given = {"InstanceType": type_, "CpuOptions": {"CoreCount": cores, "ThreadsPerCore": 2}}
    return {**found, "InstanceLifecycle": "spot"} if spot else found


def machines(*found: Given) -> Given:
    """Return machines as EC2 describes them."""
    return {"Reservations": [{"Instances": list(found)}]}


def default_encryption(algorithm: str = "aws:kms", key: str | None = None) -> Given:
    """Return a bucket's default encryption as S3 does."""
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key} if key else {})
    rule = {"ApplyServerSideEncryptionByDefault": default}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


def quota(values: Mapping[str, float]) -> Callable[[Parameters], Given | Refusal]:
    """Return an answer with a value for each quota code."""

    def answer(asked: Parameters) -> Given | Refusal:
        code = asked["QuotaCode"]
        if code not in values:
            return Refusal("NoSuchResourceException", "no such quota", 404)
        return {"Quota": {"QuotaCode": code, "Value": values[code]}}

    return answer


def verdicts(**denied: str) -> Callable[[Parameters], Given]:
    """Return the simulator's answer: everything is allowed but these, by service and action."""
    decisions = {action.replace("_", ":"): decision for action, decision in denied.items()}

    def answer(asked: Parameters) -> Given:
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decisions.get(action, "allowed"),
                }
                for action in asked["ActionNames"]
                for resource in asked["ResourceArns"]
            ],
            "IsTruncated": False,
        }

    return answer


def _get_role(asked: Parameters) -> Given | Refusal:
    name = asked["RoleName"]
    return {"Role": role(name)} if name.startswith(("AWS", "dep")) else no_such("NoSuchEntity")


def _get_profile(asked: Parameters) -> Given | Refusal:
    name = asked["InstanceProfileName"]
    found = name == "ecsInstanceRole"
    return profile(name, role(name)) if found else no_such("NoSuchEntity")


def healthy() -> dict[str, Recorded]:
    """Return the answers of an account that lacks nothing and has none of the stack's names."""
    igw = default_route(GatewayId="igw-1")
    policy = "AmazonEC2ContainerServiceforEC2Role"
    image = {
        "ImageId": "ami-1",
        "Name": "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260101",
        "CreationDate": "2026-01-01T00:00:00.000Z",
        "RootDeviceName": "/dev/sda1",
    }
    kind = {
        "InstanceType": "t3.large",
        "VCpuInfo": {"DefaultVCpus": 2},
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
    }
    offers = [{"InstanceType": "t3.large", "Location": f"{REGION}{zone}"} for zone in "ab"]
    return {
        "sts.GetCallerIdentity": {
            "Account": ACCOUNT,
            "Arn": f"arn:aws:iam::{ACCOUNT}:user/ada",
            "UserId": "AIDARECORDED",
        },
        "ec2.GetEbsDefaultKmsKeyId": {"KmsKeyId": "alias/aws/ebs"},
        "ec2.DescribeVpcs": {"Vpcs": [{"VpcId": VPC, "CidrBlock": "10.0.0.0/16"}]},
        "ec2.DescribeSubnets": subnet(),
        "ec2.DescribeRouteTables": routes(igw),
        "ec2.DescribeVpcEndpoints": {"VpcEndpoints": []},
        "ec2.DescribeInternetGateways": {"InternetGateways": [{"InternetGatewayId": "igw-1"}]},
        "ec2.DescribeImages": {"Images": [image]},
        "ec2.DescribeInstanceTypes": {"InstanceTypes": [kind]},
        "ec2.DescribeInstanceTypeOfferings": {"InstanceTypeOfferings": offers},
        "ec2.DescribeInstances": machines(),
        "ec2.DescribeAddresses": {"Addresses": []},
        "ec2.RunInstances": Refusal("DryRunOperation", "it would have succeeded", 412),
        "ec2.DescribeKeyPairs": no_such("InvalidKeyPair.NotFound"),
        "ec2.DescribeSecurityGroups": {"SecurityGroups": []},
        "ec2.DescribeLaunchTemplates": no_such("InvalidLaunchTemplateName.NotFoundException"),
        "ecr.DescribeRepositories": no_such("RepositoryNotFoundException"),
        "iam.GetRole": _get_role,
        "iam.GetInstanceProfile": _get_profile,
        "iam.ListAttachedRolePolicies": {
            "AttachedPolicies": [
                {
                    "PolicyName": policy,
                    "PolicyArn": f"arn:aws:iam::aws:policy/service-role/{policy}",
                }
            ]
        },
        "iam.SimulatePrincipalPolicy": verdicts(),
        "batch.DescribeComputeEnvironments": {"computeEnvironments": []},
        "batch.DescribeJobQueues": {"jobQueues": []},
        "s3.GetBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": []}},
        "s3.HeadBucket": Refusal("404", "Not Found", 404),
        "service-quotas.GetServiceQuota": quota(
            {"L-0263D0A3": 5, "L-1216C47A": 32, "L-34B43A08": 512}
        ),
    }


@dataclass
class RecordedAws:
    """An account of recorded answers."""

    # an answer for each operation that may be called, by `service.Operation`
    answers: dict[str, Recorded] = field(default_factory=healthy)
    seconds: float = 0.0  # how long each answer takes
    calls: list[str] = field(default_factory=list)  # what was called, in order
    _lock: Lock = field(default_factory=Lock)

    def session(self, region: str = REGION) -> boto3.session.Session:
        """Return a session that is answered from here, and reads nothing of this machine's."""
        # With the handlers that every session has, which are not registered one by one again.
        core = botocore.session.Session(
            event_hooks=copy(_FIRST._original_handler),  # type: ignore[attr-defined]
            include_builtin_handlers=False,
        )
        core.register_component("data_loader", _FIRST.get_component("data_loader"))
        core._internal_components = _FIRST._internal_components  # type: ignore[attr-defined]
        for name in ("config_file", "credentials_file"):
            core.set_config_variable(name, "/nonexistent")
        session = boto3.session.Session(
            aws_access_key_id="recorded",
            aws_secret_access_key="recorded",
            region_name=region,
            botocore_session=core,
        )
        session.events.register("before-parameter-build", self._note)
        # The stubs know handlers that watch, but not those that answer in AWS's place.
        session.events.register("before-call", self._answer)  # type: ignore[arg-type]
        return session

    def _note(self, params: Parameters, context: Given, **_: object) -> None:
        context["asked"] = params

    def _answer(
        self, model: OperationModel, context: Given, **_: object
    ) -> tuple[AWSResponse, Given]:
        name = f"{model.service_model.service_name}.{model.name}"
        with self._lock:
            self.calls.append(name)
        time.sleep(self.seconds)
        recorded = self.answers[name]
        if isinstance(recorded, Exception):
            raise recorded
        # A copy: botocore decodes some answers in place.
        given = recorded(context["asked"]) if callable(recorded) else deepcopy(recorded)
        status = 200
        if isinstance(given, Refusal):
            status = given.status
            given = {"Error": {"Code": given.code, "Message": given.message}}
        elif model.output_shape:
            validate_parameters(given, model.output_shape)
        metadata = {"HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
        return AWSResponse("", status, HTTPHeaders(), None), {**given, "ResponseMetadata": metadata}
