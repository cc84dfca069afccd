"""Every check, on recorded answers: a healthy account passes, and one thing wrong is found.

What the sandbox can reproduce is tested there again, on a real server.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from biomodal_deploy.preflight import Answer, Target, Verdict, run_preflight
from biomodal_deploy.preflight.checks import all_checks
from biomodal_deploy.preflight.clients import Clients
from biomodal_deploy.preflight.facts import Facts
from biomodal_deploy.preflight.runner import ask
from biomodal_deploy.settings import Limits
from tests.support.aws_command import commands_in
from tests.support.recorded_aws import (
    ACCOUNT,
    NAME,
    REGION,
    SUBNET,
    VPC,
    Recorded,
    RecordedAws,
    Refusal,
    default_route,
    machine,
    machines,
    no_such,
    profile,
    quota,
    role,
    routes,
    subnet,
    verdicts,
)

FAIL, WARNING, CANNOT_TELL = Verdict.FAIL, Verdict.WARNING, Verdict.CANNOT_TELL
NAT = routes(default_route(NatGatewayId="nat-1"))
TRUST = {
    "AssumeRolePolicyDocument": '{"Statement":[{"Principal":{"Service":"ecs.amazonaws.com"}}]}'
}


def answer(
    aws: RecordedAws, target: Target, check: str, owned: frozenset[str] = frozenset()
) -> Answer:
    """Return one check's answer."""
    facts = Facts(target, Clients(aws.session(), target.region), owned)
    return next(ask(each, facts) for each in all_checks() if each.name == check)


def endpoint(service: str, kind: str = "Interface", *tables: str) -> dict[str, Any]:
    """Return a VPC endpoint as EC2 describes it."""
    return {
        "ServiceName": f"com.amazonaws.{REGION}.{service}",
        "VpcEndpointType": kind,
        "RouteTableIds": list(tables),
    }


def endpoints(*found: dict[str, Any]) -> dict[str, Any]:
    """Return VPC endpoints as EC2 describes them."""
    return {"VpcEndpoints": list(found)}


HOSTS = [endpoint(name) for name in ("ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr")]
HOSTS = [*HOSTS, endpoint("logs")]


def test_a_healthy_account_passes_every_check(aws: RecordedAws, target: Target) -> None:
    """Where nothing is wrong nothing is said to be; only what nobody told stays open."""
    report = run_preflight(target, aws.session())
    found = {each.check: each.answer for each in report.findings}
    assert found.pop("caller-policy").verdict is CANNOT_TELL
    assert {check: each for check, each in found.items() if each.verdict is not Verdict.PASS} == {}
    assert not report.failed
    assert report.exit_status == 0


def test_nothing_is_changed(aws: RecordedAws, target: Target) -> None:
    """Every call reads, but for the launch that EC2 only rehearses."""

    def rehearsed(asked: Any) -> Refusal:
        assert asked["DryRun"] is True
        return Refusal("DryRunOperation", status=412)

    aws.answers["ec2.RunInstances"] = rehearsed
    report = run_preflight(target, aws.session())
    verbs = ("Describe", "Get", "List", "Head", "Simulate")
    changing = {call for call in aws.calls if not call.partition(".")[2].startswith(verbs)}
    assert changing == {"ec2.RunInstances"}
    assert not report.failed


@pytest.mark.parametrize(
    ("check", "operation", "recorded", "verdict", "line", "fix"),
    [
        # Network
        (
            "vpc",
            "ec2.DescribeVpcs",
            no_such("InvalidVpcID.NotFound"),
            FAIL,
            f"there is no {VPC} in {REGION}",
            f"aws ec2 describe-vpcs --region {REGION}",
        ),
        (
            "subnet",
            "ec2.DescribeSubnets",
            no_such("InvalidSubnetID.NotFound"),
            FAIL,
            f"there is no {SUBNET}",
            f"--filters Name=vpc-id,Values={VPC}",
        ),
        (
            "subnet",
            "ec2.DescribeSubnets",
            subnet(VpcId="vpc-other"),
            FAIL,
            f"{SUBNET} belongs to vpc-other, not to {VPC}",
            'set vpc_id = "vpc-other"',
        ),
        (
            "subnet",
            "ec2.DescribeSubnets",
            subnet(AvailableIpAddressCount=0),
            FAIL,
            "has 0 free addresses",
            "subnet_id",
        ),
        (
            "subnet",
            "ec2.DescribeSubnets",
            subnet(AvailableIpAddressCount=9),
            WARNING,
            "few for Batch hosts",
            "subnet_id",
        ),
        (
            "vm-internet",
            "ec2.DescribeRouteTables",
            NAT,
            WARNING,
            "leads to nat-1: the elastic IP attaches, but nothing reaches it",
            "subnet_id",
        ),
        (
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes(),
            FAIL,
            f"{SUBNET} has no route to the internet",
            (
                f"aws ec2 create-route --region {REGION} --route-table-id rtb-own "
                "--destination-cidr-block 0.0.0.0/0 --gateway-id igw-1"
            ),
        ),
        (
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes({**default_route(GatewayId="igw-9"), "State": "blackhole"}),
            FAIL,
            "leads to igw-9, which is gone",
            "aws ec2 replace-route",
        ),
        (
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes(default_route(TransitGatewayId="tgw-1")),
            CANNOT_TELL,
            "leads to tgw-1",
            "ask whoever runs that network",
        ),
        # A subnet without a table of its own uses the VPC's main one, here one without a route.
        (
            "vm-internet",
            "ec2.DescribeRouteTables",
            routes(default_route(GatewayId="igw-1"), subnet="subnet-other"),
            FAIL,
            "has no route to the internet",
            "--route-table-id rtb-main",
        ),
        (
            "hosts-aws",
            "ec2.DescribeSubnets",
            subnet(MapPublicIpOnLaunch=False),
            FAIL,
            "Batch hosts get no public address",
            (
                f"aws ec2 modify-subnet-attribute --region {REGION} --subnet-id {SUBNET} "
                "--map-public-ip-on-launch"
            ),
        ),
        (
            "hosts-aws",
            "ec2.DescribeRouteTables",
            routes(),
            FAIL,
            "no way to ECS",
            "endpoints for ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, logs",
        ),
        (
            "hosts-aws",
            "ec2.DescribeRouteTables",
            routes(default_route(TransitGatewayId="tgw-1")),
            CANNOT_TELL,
            "tgw-1",
            "ask",
        ),
        (
            "s3-endpoint",
            "ec2.DescribeRouteTables",
            NAT,
            WARNING,
            "nat-1 charges for every gigabyte",
            (
                f"aws ec2 create-vpc-endpoint --region {REGION} --vpc-endpoint-type Gateway "
                f"--vpc-id {VPC} --service-name "
                f"com.amazonaws.{REGION}.s3 --route-table-ids rtb-own"
            ),
        ),
        (
            "s3-endpoint",
            "ec2.DescribeRouteTables",
            routes(),
            FAIL,
            "the bucket is out of reach",
            "aws ec2 create-vpc-endpoint",
        ),
        # Roles
        (
            "batch-service-role",
            "iam.GetRole",
            no_such("NoSuchEntity"),
            WARNING,
            "AWSServiceRoleForBatch does not exist: AWS makes it on apply, if the caller may",
            "aws iam create-service-linked-role --aws-service-name batch.amazonaws.com",
        ),
        (
            "spot-service-role",
            "iam.GetRole",
            no_such("NoSuchEntity"),
            WARNING,
            "AWSServiceRoleForEC2Spot does not exist",
            "aws iam create-service-linked-role --aws-service-name spot.amazonaws.com",
        ),
        (
            "ecs-instance-role",
            "iam.GetInstanceProfile",
            no_such("NoSuchEntity"),
            FAIL,
            "the instance profile ecsInstanceRole does not exist",
            "biomodal-aws prerequisites",
        ),
        (
            "ecs-instance-role",
            "iam.GetInstanceProfile",
            profile("ecsInstanceRole"),
            FAIL,
            "holds no role",
            "aws iam add-role-to-instance-profile --instance-profile-name ecsInstanceRole",
        ),
        (
            "ecs-instance-role",
            "iam.GetInstanceProfile",
            profile("ecsInstanceRole", {**role("ecsInstanceRole"), **TRUST}),
            FAIL,
            "EC2 may not assume ecsInstanceRole",
            "aws iam update-assume-role-policy --role-name ecsInstanceRole --policy-document '{",
        ),
        (
            "ecs-instance-role",
            "iam.ListAttachedRolePolicies",
            {"AttachedPolicies": []},
            FAIL,
            "ecsInstanceRole lacks AmazonEC2ContainerServiceforEC2Role",
            (
                "aws iam attach-role-policy --role-name ecsInstanceRole --policy-arn "
                "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
            ),
        ),
        (
            "tasks-bucket",
            "iam.SimulatePrincipalPolicy",
            verdicts(s3_GetObject="implicitDeny", s3_ListBucket="implicitDeny"),
            WARNING,
            "ecsInstanceRole lacks s3:GetObject, s3:ListBucket: Batch tasks get 403",
            (
                f"aws iam put-role-policy --role-name ecsInstanceRole --policy-name {NAME}-bucket "
                '--policy-document \'{"Version"'
            ),
        ),
        (
            "tasks-bucket",
            "iam.GetInstanceProfile",
            no_such("NoSuchEntity"),
            CANNOT_TELL,
            "there is no role in ecsInstanceRole",
            "",
        ),
        # Names
        (
            "bucket",
            "s3.HeadBucket",
            {"BucketRegion": REGION},
            FAIL,
            f"a bucket {NAME} exists that you may use",
            f'set use_existing_bucket_url = "s3://{NAME}"',
        ),
        (
            "bucket",
            "s3.HeadBucket",
            Refusal("403", "Forbidden", 403),
            FAIL,
            f"a bucket {NAME} exists in some account",
            "another vm_name",
        ),
        (
            "key-pair",
            "ec2.DescribeKeyPairs",
            {"KeyPairs": [{"KeyName": NAME}]},
            FAIL,
            f"key pair {NAME} exists and is not this stack's",
            f"aws ec2 delete-key-pair --region {REGION} --key-name {NAME}",
        ),
        (
            "repository",
            "ecr.DescribeRepositories",
            {"repositories": [{"repositoryName": NAME}]},
            FAIL,
            f"ECR repository {NAME} exists",
            f"aws ecr delete-repository --region {REGION} --repository-name {NAME}",
        ),
        (
            "role",
            "iam.GetRole",
            {"Role": role(NAME)},
            FAIL,
            f"IAM role {NAME} exists",
            f"aws iam delete-role --role-name {NAME}",
        ),
        (
            "instance-profile",
            "iam.GetInstanceProfile",
            profile(NAME),
            FAIL,
            f"instance profile {NAME} exists",
            f"aws iam delete-instance-profile --instance-profile-name {NAME}",
        ),
        (
            "security-group",
            "ec2.DescribeSecurityGroups",
            {"SecurityGroups": [{"GroupName": f"{NAME}-sg", "GroupId": "sg-1"}]},
            FAIL,
            f"security group {NAME}-sg exists",
            "another vm_name",
        ),
        (
            "launch-template",
            "ec2.DescribeLaunchTemplates",
            {"LaunchTemplates": [{"LaunchTemplateName": f"{NAME}-batch-launch-template"}]},
            FAIL,
            f"launch template {NAME}-batch-launch-template exists",
            "aws ec2 delete-launch-template",
        ),
        (
            "compute-environment",
            "batch.DescribeComputeEnvironments",
            {
                "computeEnvironments": [
                    {
                        "computeEnvironmentName": NAME,
                        "computeEnvironmentArn": "arn",
                        "status": "DELETING",
                    }
                ]
            },
            FAIL,
            f"Batch compute environment {NAME} exists and is not this stack's, status DELETING",
            "aws batch delete-compute-environment",
        ),
        (
            "job-queue",
            "batch.DescribeJobQueues",
            {
                "jobQueues": [
                    {
                        "jobQueueName": f"{NAME}-job-queue",
                        "jobQueueArn": "arn",
                        "state": "ENABLED",
                        "priority": 1,
                        "computeEnvironmentOrder": [],
                    }
                ]
            },
            FAIL,
            f"Batch job queue {NAME}-job-queue exists",
            "aws batch delete-job-queue",
        ),
        # Machine
        (
            "image",
            "ec2.DescribeImages",
            {"Images": []},
            FAIL,
            "ubuntu-jammy-22.04-amd64-server-* of owner 099720109477",
            "another region",
        ),
        (
            "rehearsal",
            "ec2.DescribeImages",
            {"Images": []},
            CANNOT_TELL,
            "there is no image to launch",
            "",
        ),
        (
            "instance-type",
            "ec2.DescribeInstanceTypes",
            Refusal("InvalidInstanceType"),
            FAIL,
            "EC2 has no instance type t3.large",
            "correct instance_type",
        ),
        (
            "instance-type",
            "ec2.DescribeInstanceTypeOfferings",
            {"InstanceTypeOfferings": [{"Location": f"{REGION}b"}, {"Location": f"{REGION}c"}]},
            FAIL,
            f"{REGION}a does not offer t3.large; {REGION}b, {REGION}c offer it",
            "subnet_id",
        ),
        (
            "instance-type",
            "ec2.DescribeInstanceTypes",
            {
                "InstanceTypes": [
                    {
                        "VCpuInfo": {"DefaultVCpus": 2},
                        "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
                    }
                ]
            },
            FAIL,
            "t3.large is no x86-64 machine",
            "t3.large",
        ),
        (
            "rehearsal",
            "ec2.RunInstances",
            Refusal("UnauthorizedOperation", "You are not authorized", 403),
            FAIL,
            "EC2 would not launch the VM: the caller may not ec2:RunInstances",
            "biomodal-aws policy deployer",
        ),
        (
            "rehearsal",
            "ec2.RunInstances",
            Refusal("Unsupported", "The requested\nconfiguration is not supported."),
            FAIL,
            "EC2 would not launch the VM (Unsupported): The requested configuration is not",
            "correct instance_type or subnet_id",
        ),
        ("rehearsal", "ec2.RunInstances", {"Instances": []}, WARNING, "no verdict", "again"),
        # Quotas
        (
            "elastic-ips",
            "ec2.DescribeAddresses",
            {"Addresses": [{"PublicIp": f"192.0.2.{n}"} for n in range(5)]},
            FAIL,
            "5 of 5 elastic IPs are in use: none is left",
            (
                f"aws service-quotas request-service-quota-increase --region {REGION} "
                "--service-code ec2 --quota-code L-0263D0A3 --desired-value 6"
            ),
        ),
        (
            "on-demand-vcpus",
            "ec2.DescribeInstances",
            machines(machine("m5.4xlarge", 8), machine("c5.4xlarge", 8)),
            FAIL,
            "32 of 32 On-Demand vCPUs are in use, the VM takes 2",
            "--quota-code L-1216C47A --desired-value 34",
        ),
        (
            "spot-vcpus",
            "service-quotas.GetServiceQuota",
            quota({"L-34B43A08": 0, "L-1216C47A": 32, "L-0263D0A3": 5}),
            FAIL,
            "0 of 0 Spot vCPUs are in use, Batch takes up to 256: no task would ever start",
            "--quota-code L-34B43A08 --desired-value 256",
        ),
        (
            "spot-vcpus",
            "ec2.DescribeInstances",
            machines(machine("m5.48xlarge", 150, spot=True)),
            WARNING,
            "300 of 512 Spot vCPUs are in use",
            "--desired-value 556",
        ),
        (
            "batch-environments",
            "batch.DescribeComputeEnvironments",
            {
                "computeEnvironments": [
                    {
                        "computeEnvironmentName": f"ce-{n}",
                        "computeEnvironmentArn": "arn",
                        "status": "VALID",
                    }
                    for n in range(50)
                ]
            },
            FAIL,
            "50 of 50 Batch compute environments are in use: none is left",
            "aws batch describe-compute-environments",
        ),
        (
            "batch-queues",
            "batch.DescribeJobQueues",
            {
                "jobQueues": [
                    {
                        "jobQueueName": f"q-{n}",
                        "jobQueueArn": "arn",
                        "state": "ENABLED",
                        "priority": 1,
                        "computeEnvironmentOrder": [],
                    }
                    for n in range(50)
                ]
            },
            FAIL,
            "50 of 50 Batch job queues are in use",
            "aws batch describe-job-queues",
        ),
    ],
)
def test_one_thing_wrong(
    aws: RecordedAws,
    target: Target,
    check: str,
    operation: str,
    recorded: Recorded,
    verdict: Verdict,
    line: str,
    fix: str,
) -> None:
    """What is wrong is found, named, and comes with what mends it."""
    aws.answers[operation] = recorded
    found = answer(aws, target, check)
    assert found.verdict is verdict
    assert line in found.line
    assert fix in (found.fix or "")
    assert "\n" not in found.line + (found.fix or "")
    # Every command in it is one that the AWS CLI has.
    mentioned = (found.fix or "").replace("biomodal-aws ", "").count("aws ")
    assert len(commands_in(found.fix)) == mentioned


@pytest.mark.parametrize(
    ("check", "changes", "line"),
    [
        ("vm-internet", {}, "rtb-own leads to igw-1"),
        ("hosts-aws", {"ec2.DescribeRouteTables": NAT}, "through nat-1"),
        (
            "hosts-aws",
            {
                "ec2.DescribeRouteTables": routes(),
                "ec2.DescribeVpcEndpoints": endpoints(*HOSTS),
            },
            "through VPC endpoints",
        ),
        (
            "s3-endpoint",
            {
                "ec2.DescribeRouteTables": NAT,
                "ec2.DescribeVpcEndpoints": endpoints(endpoint("s3", "Gateway", "rtb-own")),
            },
            "through its gateway endpoint",
        ),
        (
            "s3-endpoint",
            {
                "ec2.DescribeRouteTables": NAT,
                "ec2.DescribeVpcEndpoints": endpoints(endpoint("s3")),
            },
            "through its interface endpoint",
        ),
        (
            "compute-environment",
            {
                "batch.DescribeComputeEnvironments": {
                    "computeEnvironments": [
                        {
                            "computeEnvironmentName": NAME,
                            "computeEnvironmentArn": "arn",
                            "status": "DELETED",
                        }
                    ]
                }
            },
            "is free",
        ),
        # Addresses that a customer brought along and stopped Spot hosts count against nothing.
        (
            "elastic-ips",
            {
                "ec2.DescribeAddresses": {
                    "Addresses": [{"PublicIpv4Pool": "ipv4pool-ec2-1"} for _ in range(9)]
                }
            },
            "0 of 5",
        ),
        # Another family, and Spot, have quotas of their own.
        (
            "on-demand-vcpus",
            {
                "ec2.DescribeInstances": machines(
                    machine("g5.16xlarge", 32), machine("m5.16xlarge", 32, spot=True)
                )
            },
            "0 of 32",
        ),
    ],
)
def test_what_is_well(
    aws: RecordedAws, target: Target, check: str, changes: dict[str, Recorded], line: str
) -> None:
    """What looks odd and works passes."""
    aws.answers |= changes
    found = answer(aws, target, check)
    assert found.verdict is Verdict.PASS
    assert line in found.line


def test_an_endpoint_of_another_table_or_a_deleted_one_does_not_help(
    aws: RecordedAws, target: Target
) -> None:
    """A gateway endpoint serves the route tables that know it, and only while it is there."""
    aws.answers["ec2.DescribeRouteTables"] = NAT
    elsewhere = endpoint("s3", "Gateway", "rtb-main")
    deleted = {**endpoint("s3", "Gateway", "rtb-own"), "State": "deleted"}
    for useless in (elsewhere, deleted):
        aws.answers["ec2.DescribeVpcEndpoints"] = endpoints(useless)
        assert answer(aws, target, "s3-endpoint").verdict is WARNING


class TestExistingBucket:
    """A bucket that is there before the deployment."""

    @pytest.fixture
    def target(self, target: Target) -> Target:
        """A deployment that uses it."""
        return replace(target, use_existing_bucket_url="s3://lab-data/")

    @pytest.mark.parametrize(
        ("recorded", "verdict", "line"),
        [
            ({"BucketRegion": REGION}, Verdict.PASS, "lab-data is there"),
            ({"BucketRegion": "us-east-1"}, WARNING, "lab-data is in us-east-1, the VM in eu-"),
            (Refusal("404", "", 404), FAIL, "there is no bucket lab-data"),
            (Refusal("403", "", 403), CANNOT_TELL, "may not s3:ListBucket"),
        ],
    )
    def test_reach_and_region(
        self, aws: RecordedAws, target: Target, recorded: Recorded, verdict: Verdict, line: str
    ) -> None:
        """It has to be there, in the region, and what cannot be seen is not passed."""
        aws.answers["s3.HeadBucket"] = recorded
        found = answer(aws, target, "bucket")
        assert (found.verdict, line in found.line) == (verdict, True), found

    def test_its_own_policy_may_let_tasks_in(self, aws: RecordedAws, target: Target) -> None:
        """IAM's simulator does not see a bucket's policy, and the line says so."""
        aws.answers["iam.SimulatePrincipalPolicy"] = verdicts(s3_PutObject="implicitDeny")
        found = answer(aws, target, "tasks-bucket")
        assert "unless the bucket's own policy allows it" in found.line
        assert "arn:aws:s3:::lab-data/*" in (found.fix or "")


def test_a_bucket_that_the_caller_may_not_look_for(aws: RecordedAws, target: Target) -> None:
    """Without s3:ListBucket every name looks taken; asked as nobody, a free one is free."""
    codes = iter(["403", "404"])
    aws.answers["s3.HeadBucket"] = lambda _: Refusal(next(codes), "", 403)
    assert answer(aws, target, "bucket").verdict is Verdict.PASS
    assert next(codes, None) is None


class TestModule:
    """The upstream module differs in what it names."""

    @pytest.fixture
    def target(self, target: Target) -> Target:
        """A deployment of it."""
        return replace(target, bootstrap="module")

    def test_batch_does_not_make_a_role_that_is_named(
        self, aws: RecordedAws, target: Target
    ) -> None:
        """The module names Batch's role by ARN, so without it no environment is made."""
        aws.answers["iam.GetRole"] = no_such("NoSuchEntity")
        assert answer(aws, target, "batch-service-role").verdict is FAIL

    def test_its_bucket_has_a_name_of_its_own(self, aws: RecordedAws, target: Target) -> None:
        """AWS completes the name: a bucket of the bare name is no obstacle."""
        aws.answers["s3.HeadBucket"] = {"BucketRegion": REGION}
        assert answer(aws, target, "bucket").verdict is Verdict.PASS
        assert "s3.HeadBucket" not in aws.calls

    def test_tasks_are_let_into_any_completion_of_the_name(
        self, aws: RecordedAws, target: Target
    ) -> None:
        """The suggested policy covers the name that AWS will choose."""
        aws.answers["iam.SimulatePrincipalPolicy"] = verdicts(s3_PutObject="implicitDeny")
        assert f"arn:aws:s3:::{NAME}*/*" in (answer(aws, target, "tasks-bucket").fix or "")

    def test_other_partitions(self, aws: RecordedAws, target: Target) -> None:
        """It writes arn:aws, which is another world's name elsewhere."""
        there = replace(target, region="us-gov-west-1")
        report = run_preflight(there, aws.session(there.region))
        found = {each.check: each.answer for each in report.findings}
        assert found["partition"].verdict is WARNING
        assert '"bootstrap": "native"' in (found["partition"].fix or "")


@pytest.mark.parametrize(
    ("limits", "verdict", "line"),
    [
        (Limits(), Verdict.PASS, "no limits"),
        (Limits(account_ids=(ACCOUNT,), regions=(REGION,)), Verdict.PASS, "within"),
        (Limits(regions=(REGION,)), Verdict.PASS, "no account is named"),
        (Limits(regions=("us-east-1",)), FAIL, f"limited to us-east-1, not {REGION}"),
        (Limits(account_ids=("210987654321",)), FAIL, f"account 210987654321, not {ACCOUNT}"),
    ],
)
def test_limits(
    aws: RecordedAws, target: Target, limits: Limits, verdict: Verdict, line: str
) -> None:
    """Account and region have to be those that the deployment may touch."""
    found = answer(aws, replace(target, limits=limits), "limits")
    assert (found.verdict, line in found.line) == (verdict, True), found


@pytest.mark.parametrize(
    ("check", "owned", "operation", "recorded"),
    [
        ("key-pair", f"aws_key_pair:{NAME}", "ec2.DescribeKeyPairs", {"KeyPairs": [{}]}),
        ("role", f"aws_iam_role:{NAME}", "iam.GetRole", {"Role": role(NAME)}),
        ("bucket", f"aws_s3_bucket:{NAME}", "s3.HeadBucket", {"BucketRegion": REGION}),
        (
            "elastic-ips",
            "aws_eip:eipalloc-1",
            "ec2.DescribeAddresses",
            {"Addresses": [{} for _ in range(5)]},
        ),
        (
            "on-demand-vcpus",
            "aws_instance:i-1",
            "ec2.DescribeInstances",
            machines(machine("m5.16xlarge", 32)),
        ),
    ],
)
def test_what_the_stack_has_is_not_taken(
    aws: RecordedAws, target: Target, check: str, owned: str, operation: str, recorded: Recorded
) -> None:
    """After an apply, its own names and quotas are no failures; without the state they are."""
    aws.answers[operation] = recorded
    assert answer(aws, target, check, owned=frozenset({owned})).verdict is Verdict.PASS
    assert answer(aws, target, check).verdict is FAIL


def test_a_quota_that_nobody_changed(aws: RecordedAws, target: Target) -> None:
    """Service Quotas then has no value of the account's, and AWS's default counts."""
    aws.answers["service-quotas.GetServiceQuota"] = quota({})
    aws.answers["service-quotas.GetAWSDefaultServiceQuota"] = quota(
        {"L-1216C47A": 1, "L-34B43A08": 5, "L-0263D0A3": 5}
    )
    assert "0 of 1 On-Demand vCPUs" in answer(aws, target, "on-demand-vcpus").line


def test_elastic_ips_without_service_quotas(aws: RecordedAws, target: Target) -> None:
    """EC2 knows its own limit where Service Quotas may not be asked."""
    aws.answers["service-quotas.GetServiceQuota"] = Refusal("AccessDeniedException", "", 400)
    aws.answers["ec2.DescribeAccountAttributes"] = {
        "AccountAttributes": [
            {
                "AttributeName": "vpc-max-elastic-ips",
                "AttributeValues": [{"AttributeValue": "0"}],
            }
        ]
    }
    assert answer(aws, target, "elastic-ips").verdict is FAIL
    assert answer(aws, target, "spot-vcpus").verdict is CANNOT_TELL
