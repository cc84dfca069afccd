"""The preflight against a real server: each failure that the sandbox can have, made and found.

The account is seeded healthy. Every test breaks one thing, and fixes it again with the very
command that the finding advises where there is one. What the sandbox does not offer (IAM's
simulator, Service Quotas) is tested on recorded answers, in tests/biomodal_deploy/aws/preflight.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import boto3.session
import pytest
from pydantic import JsonValue

from biomodal_deploy.aws.checks import Verdict, run_checks
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight import all_checks, run_preflight
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import Phase
from biomodal_deploy.iam.needs import needs_of
from biomodal_deploy.iam.policies import policies
from biomodal_deploy.iam.stack import Document
from biomodal_deploy.sandbox import Sandbox
from tests.support.aws_command import commands_in
from tests.support.changes import snapshot
from tests.support.preflight_account import (
    NAMES,
    UNANSWERED,
    VM,
    Account,
    failures,
    found,
    make_environment,
    remove_environment,
    remove_queue,
    take,
    verdicts,
)

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("preflight-checks")]


def main_table(sandbox: Sandbox, vpc: str) -> str:
    """Return the id of a VPC's main route table."""
    tables = sandbox.client("ec2").describe_route_tables(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
    )
    return tables["RouteTables"][0]["RouteTableId"]


def limited_user(sandbox: Sandbox, name: str, actions: list[str]) -> boto3.session.Session:
    """Make an IAM user who may do this and nothing else, and return their session."""
    iam = sandbox.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.session.Session(
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name=sandbox.region,
    )


def remove_user(sandbox: Sandbox, name: str) -> None:
    """Remove a user with their keys and their policy."""
    iam = sandbox.client("iam")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName=name)
    iam.delete_user(UserName=name)


def test_a_seeded_account_is_ready(account: Account) -> None:
    """Nothing fails, and what cannot be asked here is not passed."""
    report = account.look()
    open_ = {check for check, each in verdicts(report).items() if each is Verdict.UNKNOWN}
    warned = {check for check, each in verdicts(report).items() if each is Verdict.WARNING}
    assert (failures(report), open_, warned) == (set(), UNANSWERED, {"spot-service-role"})
    assert report.exit_status == 0
    assert found(report, "spot-vcpus")[1].startswith("the endpoint in use does not offer")


def test_a_launch_is_rehearsed_as_terraform_launches(
    sandbox: Sandbox, target: Target, session: boto3.session.Session
) -> None:
    """Who holds the compiled policy and nothing else is not told that EC2 would refuse.

    It covers the VM's own security group, which is not there yet: EC2 has no verdict on that.
    """
    values: dict[str, JsonValue] = {**sandbox.variables(VM)}
    needs = needs_of(
        Document.model_validate(snapshot()), values, Place.of(sandbox.region, sandbox.account_id)
    )
    iam = sandbox.client("iam")
    iam.create_user(UserName="deployer")
    for made in policies(needs.of([Phase.PLAN, Phase.APPLY]), "deployer"):
        document = json.dumps(made.as_json())
        iam.put_user_policy(UserName="deployer", PolicyName=made.name, PolicyDocument=document)
    key = iam.create_access_key(UserName="deployer")["AccessKey"]
    user = boto3.session.Session(key["AccessKeyId"], key["SecretAccessKey"])
    assert rehearsal(target, user) is Verdict.WARNING
    # And the refusal of one who may not launch is no pass.
    for name in iam.list_user_policies(UserName="deployer")["PolicyNames"]:
        iam.delete_user_policy(UserName="deployer", PolicyName=name)
    described = policies(needs.of([Phase.PLAN]), "plan")[0].as_json()
    iam.put_user_policy(
        UserName="deployer", PolicyName="plan", PolicyDocument=json.dumps(described)
    )
    assert rehearsal(target, user) is Verdict.FAIL


def rehearsal(target: Target, user: boto3.session.Session) -> Verdict:
    """Return what the rehearsed launch of a user comes to."""
    facts = Facts(target, Clients(user, target.region), frozenset())
    checks = [each for each in all_checks(facts) if each.name == "rehearsal"]
    return run_checks(checks, facts.clients, 12.0)[0].verdict


class TestNetwork:
    """VPC, subnet and the ways out of it."""

    def test_what_is_not_there(self, account: Account) -> None:
        """Each is named by its own check, and the checks that rest on it are unknown."""
        assert {"vpc", "subnet"} <= account.failures(vpc_id="vpc-0123456789abcdef0")
        assert account.found("instance-type", instance_type="t3.huge")[0] is Verdict.FAIL
        verdict, line, _ = account.found("region", region="us-esat-1")
        assert (verdict, line) == (Verdict.FAIL, "AWS has no region us-esat-1 in partition aws")
        report = account.look(subnet_id="subnet-0123456789abcdef0")
        assert failures(report) == {"subnet"}
        rest = {"vm-internet", "hosts-aws", "s3-endpoint", "instance-type", "rehearsal"}
        assert {verdicts(report)[check] for check in rest} == {Verdict.UNKNOWN}

    def test_a_subnet_of_another_vpc(self, account: Account) -> None:
        """Where it belongs is said."""
        vpc = account.target.vpc_id
        subnets = account.sandbox.client("ec2").describe_subnets()["Subnets"]
        other = next(each for each in subnets if each["VpcId"] != vpc)
        verdict, line, fix = account.found("subnet", subnet_id=other["SubnetId"])
        assert verdict is Verdict.FAIL
        assert line == f"{other['SubnetId']} belongs to {other['VpcId']}, not to {vpc}"
        assert f'vpc_id = "{other["VpcId"]}"' in fix

    def test_a_private_subnet_without_a_route(self, account: Account) -> None:
        """Nothing gets in or out, and the three commands that are advised fix it."""
        ec2 = account.sandbox.client("ec2")
        private = account.sandbox.account.private_subnet_id
        report = account.look(subnet_id=private)
        assert failures(report) == {"vm-internet", "hosts-aws", "s3-endpoint"}
        try:
            for check in ("s3-endpoint", "vm-internet"):
                account.follow(found(report, check)[2])
            report = account.look(subnet_id=private)
            assert failures(report) == {"hosts-aws"}, "a way out is no address of one's own"
            account.follow(found(report, "hosts-aws")[2])
            assert account.failures(subnet_id=private) == set()
        finally:
            table = main_table(account.sandbox, account.target.vpc_id)
            ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
            ec2.modify_subnet_attribute(SubnetId=private, MapPublicIpOnLaunch={"Value": False})
            made = ec2.describe_vpc_endpoints()["VpcEndpoints"]
            ec2.delete_vpc_endpoints(VpcEndpointIds=[each["VpcEndpointId"] for each in made])

    def test_a_nat_gateway(self, account: Account) -> None:
        """Out but not in, and every byte to S3 is paid for."""
        ec2 = account.sandbox.client("ec2")
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = ec2.create_nat_gateway(SubnetId=account.target.subnet_id, AllocationId=address)
        gateway = made["NatGateway"]["NatGatewayId"]
        table = main_table(account.sandbox, account.target.vpc_id)
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
        try:
            report = account.look(subnet_id=account.sandbox.account.private_subnet_id)
            assert found(report, "vm-internet")[0] is Verdict.WARNING
            assert found(report, "hosts-aws")[0] is Verdict.PASS
            assert found(report, "s3-endpoint")[:2] == (
                Verdict.WARNING,
                f"no S3 gateway endpoint: {gateway} charges for every gigabyte to and from S3",
            )
        finally:
            ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
            ec2.delete_nat_gateway(NatGatewayId=gateway)
            ec2.release_address(AllocationId=address)


class TestNames:
    """Names that are taken."""

    @pytest.mark.parametrize("check", sorted({*NAMES, "bucket"}))
    def test_a_taken_name(self, account: Account, check: str) -> None:
        """The one check fails, and no other; once the name is free it passes."""
        with ExitStack() as cleaning:
            take(check, account.sandbox, account.target, cleaning)
            report = account.look(quick=True)
            assert failures(report) == {check}
            line = found(report, check)[1]
            assert "exists" in line
            assert VM in line
        assert account.failures(quick=True) == set()

    def test_a_bucket_elsewhere(self, account: Account) -> None:
        """It has to exist; in another region it works, and is paid for by the gigabyte."""
        nowhere = account.failures(quick=True, use_existing_bucket_url="s3://not-there")
        assert nowhere == {"bucket"}
        s3 = account.sandbox.client("s3")
        s3.create_bucket(
            Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        try:
            url = "s3://far-away"
            verdict, line, fix = account.found("bucket", use_existing_bucket_url=url)
            assert verdict is Verdict.WARNING
            assert "is in eu-west-1, the VM in us-east-1" in line
            assert 'region = "eu-west-1"' in fix
        finally:
            s3.delete_bucket(Bucket="far-away")


class TestQuotas:
    """Quotas that are full."""

    def test_elastic_ips(self, account: Account) -> None:
        """Five of five: the apply would end at the address."""
        ec2 = account.sandbox.client("ec2")
        made = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(5)]
        try:
            verdict, line, fix = account.found("elastic-ips")
            assert (verdict, line) == (Verdict.FAIL, "5 of 5 elastic IPs are in use: none is left")
            assert commands_in(fix)[0].parameters["DesiredValue"] == 6
        finally:
            for each in made:
                ec2.release_address(AllocationId=each)

    def test_job_queues(self, account: Account) -> None:
        """Fifty of fifty."""
        sandbox = account.sandbox
        with ExitStack() as cleaning:
            order: Any = [{"order": 1, "computeEnvironment": make_environment(sandbox, "full")}]
            cleaning.callback(remove_environment, sandbox, "full")
            for name in [f"full-{number}" for number in range(50)]:
                sandbox.client("batch").create_job_queue(
                    jobQueueName=name, state="ENABLED", priority=1, computeEnvironmentOrder=order
                )
                cleaning.callback(remove_queue, sandbox, name)
            report = account.look()
            assert failures(report) == {"batch-queues"}
            assert found(report, "batch-queues")[1].startswith("50 of 50 Batch job queues")


def test_a_caller_who_may_little(
    sandbox: Sandbox, target: Target, session: boto3.session.Session
) -> None:
    """IAM refuses real calls: each check names its action, and a refused launch is a failure."""
    allowed = ["ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeImages", "ecr:Describe*"]
    caller = limited_user(sandbox, "little", allowed)
    try:
        report = run_preflight(target, caller)
        assert found(report, "vpc")[0] is Verdict.PASS
        assert found(report, "repository")[0] is Verdict.PASS
        for check, action in (
            ("vm-internet", "ec2:DescribeRouteTables"),
            ("ecs-instance-role", "iam:GetInstanceProfile"),
            ("compute-environment", "batch:DescribeComputeEnvironments"),
            ("elastic-ips", "ec2:DescribeAddresses"),
        ):
            assert found(report, check) == (
                Verdict.UNKNOWN,
                f"the caller may not {action}",
                f"allow {action} to the caller",
            )
        assert failures(report) == {"rehearsal"}
        assert "the caller may not ec2:RunInstances" in found(report, "rehearsal")[1]
    finally:
        remove_user(sandbox, "little")
