"""The preflight against a real server: each failure that the sandbox can have, made and found.

The account is seeded healthy. Every test breaks one thing, and mends it again with the very
command that the finding advises where there is one. What the sandbox does not offer (IAM's
simulator, Service Quotas) is tested on recorded answers, in tests/biomodal_deploy/preflight.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import boto3.session
import pytest
from pydantic import JsonValue

from biomodal_deploy.permissions.catalog import Phase
from biomodal_deploy.permissions.document import Document
from biomodal_deploy.permissions.needs import needs_of
from biomodal_deploy.permissions.place import Place
from biomodal_deploy.permissions.policies import policies
from biomodal_deploy.preflight import Report, Target, Verdict, run_preflight, target_from
from biomodal_deploy.preflight.checks import all_checks
from biomodal_deploy.preflight.clients import Clients
from biomodal_deploy.preflight.facts import Facts
from biomodal_deploy.preflight.prerequisites import all_steps, steps
from biomodal_deploy.preflight.runner import ask, run_role_checks
from biomodal_deploy.preflight.subject import read_owned
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.workflow.location import Location
from tests.support.aws_command import commands_in, script_commands
from tests.support.changes import snapshot
from tests.support.native import NAME, NativeProject, native_project
from tests.support.project import ROOT, write_deployments
from tests.support.slow_proxy import slow_proxy

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("preflight")]

VM: Final = "preflight-vm"
ECS: Final = "ecsInstanceRole"
ECS_POLICY: Final = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
# What no sandbox answers: the check says so, and that is all it says.
UNANSWERED: Final = {"tasks-bucket", "on-demand-vcpus", "spot-vcpus", "caller-policy"}
NAMES: Final = {
    "key-pair",
    "repository",
    "role",
    "instance-profile",
    "security-group",
    "launch-template",
    "compute-environment",
    "job-queue",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account for all tests here."""
    with Sandbox.start(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def session(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> boto3.session.Session:
    """The account's owner's session, found as a user's is: through the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in sandbox.environment({}).items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session(region_name=sandbox.region)


@pytest.fixture
def target(sandbox: Sandbox) -> Target:
    """A native deployment into the seeded network."""
    return target_from(sandbox.variables(VM), "native")


def verdicts(report: Report) -> dict[str, Verdict]:
    """Return the verdict of each check."""
    return {each.check: each.answer.verdict for each in report.findings}


def found(report: Report, check: str) -> tuple[Verdict, str, str]:
    """Return one check's verdict, line and fix."""
    answer = next(each.answer for each in report.findings if each.check == check)
    return answer.verdict, answer.line, answer.fix or ""


def failures(report: Report) -> set[str]:
    """Return the checks that failed."""
    return {check for check, verdict in verdicts(report).items() if verdict is Verdict.FAIL}


def test_a_seeded_account_is_ready(target: Target, session: boto3.session.Session) -> None:
    """Nothing fails, and what cannot be asked here is not passed."""
    report = run_preflight(target, session)
    open_ = {check for check, each in verdicts(report).items() if each is Verdict.CANNOT_TELL}
    warned = {check for check, each in verdicts(report).items() if each is Verdict.WARNING}
    assert (failures(report), open_, warned) == (set(), UNANSWERED, {"spot-service-role"})
    assert report.exit_status == 0
    assert found(report, "spot-vcpus")[1].startswith("the endpoint in use does not offer")


def test_a_launch_is_rehearsed_as_terraform_launches(
    sandbox: Sandbox, target: Target, session: boto3.session.Session
) -> None:
    """Who holds the compiled policy and nothing else is not told that EC2 would refuse."""
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
    facts = Facts(target, Clients(user, target.region), frozenset())
    check = next(each for each in all_checks() if each.name == "rehearsal")
    assert ask(check, facts).verdict is Verdict.PASS
    # And the refusal of one who may not launch is no pass.
    for name in iam.list_user_policies(UserName="deployer")["PolicyNames"]:
        iam.delete_user_policy(UserName="deployer", PolicyName=name)
    described = policies(needs.of([Phase.PLAN]), "plan")[0].as_json()
    iam.put_user_policy(
        UserName="deployer", PolicyName="plan", PolicyDocument=json.dumps(described)
    )
    facts = Facts(target, Clients(user, target.region), frozenset())
    assert ask(check, facts).verdict is Verdict.FAIL


class TestRoles:
    """Roles that are missing, wholly or in part."""

    @pytest.fixture(autouse=True)
    def _restored(self, sandbox: Sandbox, session: boto3.session.Session) -> Iterator[None]:
        yield
        for step in steps(run_role_checks(session, sandbox.region), "aws"):
            for command in script_commands(step.command):
                command.run(session)
        _remove_spot_role(sandbox)

    def test_hosts_without_their_role(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """No instance profile: no host would ever join."""
        _remove_ecs_role(sandbox)
        verdict, line, fix = found(run_preflight(target, session), "ecs-instance-role")
        assert (verdict, line) == (
            Verdict.FAIL,
            "the instance profile ecsInstanceRole does not exist",
        )
        assert "biomodal-aws prerequisites" in fix

    def test_a_profile_without_a_role(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """It is mended by the command that is advised."""
        sandbox.client("iam").remove_role_from_instance_profile(
            InstanceProfileName=ECS, RoleName=ECS
        )
        verdict, line, fix = found(run_preflight(target, session), "ecs-instance-role")
        assert verdict is Verdict.FAIL
        assert line.endswith("holds no role")
        _follow(fix, session)
        assert verdicts(run_preflight(target, session))["ecs-instance-role"] is Verdict.PASS

    def test_a_role_without_its_policy(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """It is mended by the command that is advised."""
        sandbox.client("iam").detach_role_policy(RoleName=ECS, PolicyArn=ECS_POLICY)
        verdict, _, fix = found(run_preflight(target, session), "ecs-instance-role")
        assert verdict is Verdict.FAIL
        _follow(fix, session)
        assert verdicts(run_preflight(target, session))["ecs-instance-role"] is Verdict.PASS

    def test_a_role_that_trusts_another_service(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """It is mended by the command that is advised."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "ecs.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sandbox.client("iam").update_assume_role_policy(RoleName=ECS, PolicyDocument=document)
        verdict, line, fix = found(run_preflight(target, session), "ecs-instance-role")
        assert (verdict, line) == (Verdict.FAIL, f"EC2 may not assume {ECS}")
        _follow(fix, session)
        assert verdicts(run_preflight(target, session))["ecs-instance-role"] is Verdict.PASS

    def test_no_service_linked_roles(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """The native stack lets AWS make Batch's, the module names it and cannot."""
        sandbox.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForBatch")
        native = found(run_preflight(target, session), "batch-service-role")
        module = found(
            run_preflight(replace(target, bootstrap="module"), session), "batch-service-role"
        )
        assert (native[0], module[0]) == (Verdict.WARNING, Verdict.FAIL)
        _follow(native[2], session)
        assert verdicts(run_preflight(target, session))["batch-service-role"] is Verdict.PASS

    def test_the_commands_make_all_of_them(
        self, sandbox: Sandbox, session: boto3.session.Session
    ) -> None:
        """In an account that has none, what `prerequisites` prints is enough."""
        _remove_roles(sandbox)
        report = run_role_checks(session, sandbox.region)
        assert steps(report, "aws") == all_steps("aws")
        for step in all_steps("aws"):
            for command in script_commands(step.command):
                command.run(session)
        assert set(verdicts(run_role_checks(session, sandbox.region)).values()) == {Verdict.PASS}


class TestNetwork:
    """VPC, subnet and the ways out of it."""

    def test_a_vpc_that_is_not_there(self, target: Target, session: boto3.session.Session) -> None:
        """Its id is named, and how to find the right one."""
        report = run_preflight(replace(target, vpc_id="vpc-0123456789abcdef0"), session)
        assert {"vpc", "subnet"} <= failures(report)

    def test_a_subnet_of_another_vpc(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """Where it belongs is said."""
        subnets = sandbox.client("ec2").describe_subnets()["Subnets"]
        other = next(each for each in subnets if each["VpcId"] != target.vpc_id)
        report = run_preflight(replace(target, subnet_id=other["SubnetId"]), session)
        verdict, line, fix = found(report, "subnet")
        assert verdict is Verdict.FAIL
        assert line == f"{other['SubnetId']} belongs to {other['VpcId']}, not to {target.vpc_id}"
        assert f'vpc_id = "{other["VpcId"]}"' in fix

    def test_a_subnet_that_is_not_there(
        self, target: Target, session: boto3.session.Session
    ) -> None:
        """It fails, and the checks that rest on it cannot tell."""
        target = replace(target, subnet_id="subnet-0123456789abcdef0")
        report = run_preflight(target, session)
        assert failures(report) == {"subnet"}
        rest = {"vm-internet", "hosts-aws", "s3-endpoint", "instance-type", "rehearsal"}
        assert {verdicts(report)[check] for check in rest} == {Verdict.CANNOT_TELL}

    def test_a_private_subnet_without_a_route(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """Nothing gets in or out, and the three commands that are advised mend it."""
        ec2 = sandbox.client("ec2")
        target = replace(target, subnet_id=sandbox.account.private_subnet_id)
        report = run_preflight(target, session)
        assert failures(report) == {"vm-internet", "hosts-aws", "s3-endpoint"}
        try:
            for check in ("s3-endpoint", "vm-internet"):
                _follow(found(report, check)[2], session)
            report = run_preflight(target, session)
            assert failures(report) == {"hosts-aws"}, "a way out is no address of one's own"
            _follow(found(report, "hosts-aws")[2], session)
            assert failures(run_preflight(target, session)) == set()
        finally:
            table = _main_table(sandbox, target.vpc_id)
            ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
            ec2.modify_subnet_attribute(
                SubnetId=target.subnet_id, MapPublicIpOnLaunch={"Value": False}
            )
            made = ec2.describe_vpc_endpoints()["VpcEndpoints"]
            ec2.delete_vpc_endpoints(VpcEndpointIds=[each["VpcEndpointId"] for each in made])

    def test_a_nat_gateway(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """Out but not in, and every byte to S3 is paid for."""
        ec2 = sandbox.client("ec2")
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = ec2.create_nat_gateway(SubnetId=target.subnet_id, AllocationId=address)
        gateway = made["NatGateway"]["NatGatewayId"]
        table = _main_table(sandbox, target.vpc_id)
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
        try:
            target = replace(target, subnet_id=sandbox.account.private_subnet_id)
            report = run_preflight(target, session)
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

    def test_a_region_that_is_none(self, target: Target, session: boto3.session.Session) -> None:
        """AWS is asked which regions there are."""
        verdict, line, _ = found(
            run_preflight(replace(target, region="us-esat-1"), session), "region"
        )
        assert (verdict, line) == (
            Verdict.FAIL,
            "AWS has no region us-esat-1 in partition aws",
        )

    def test_an_instance_type_that_is_not_offered(
        self, target: Target, session: boto3.session.Session
    ) -> None:
        """EC2 knows it, and the zone does not have it."""
        report = run_preflight(replace(target, instance_type="t3.huge"), session)
        assert found(report, "instance-type")[0] is Verdict.FAIL


class TestNames:
    """Names that are taken."""

    @pytest.mark.parametrize("check", sorted({*NAMES, "bucket"}))
    def test_a_taken_name(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session, check: str
    ) -> None:
        """The one check fails, and no other; once the name is free it passes."""
        with ExitStack() as cleaning:
            _take(check, sandbox, target, cleaning)
            report = run_preflight(target, session, quick=True)
            assert failures(report) == {check}
            line = found(report, check)[1]
            assert "exists" in line
            assert VM in line
        assert failures(run_preflight(target, session, quick=True)) == set()

    def test_a_bucket_in_another_region(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """It works, and is paid for by the gigabyte."""
        s3 = sandbox.client("s3")
        s3.create_bucket(
            Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        try:
            target = replace(target, use_existing_bucket_url="s3://far-away")
            verdict, line, fix = found(run_preflight(target, session), "bucket")
            assert verdict is Verdict.WARNING
            assert "is in eu-west-1, the VM in us-east-1" in line
            assert 'region = "eu-west-1"' in fix
        finally:
            s3.delete_bucket(Bucket="far-away")

    def test_a_bucket_that_is_not_there(
        self, target: Target, session: boto3.session.Session
    ) -> None:
        """The one that was to be used has to exist."""
        target = replace(target, use_existing_bucket_url="s3://not-there")
        assert failures(run_preflight(target, session, quick=True)) == {"bucket"}


class TestQuotas:
    """Quotas that are full."""

    def test_elastic_ips(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """Five of five: the apply would end at the address."""
        ec2 = sandbox.client("ec2")
        made = [ec2.allocate_address(Domain="vpc")["AllocationId"] for _ in range(5)]
        try:
            verdict, line, fix = found(run_preflight(target, session), "elastic-ips")
            assert (verdict, line) == (
                Verdict.FAIL,
                "5 of 5 elastic IPs are in use: none is left",
            )
            assert commands_in(fix)[0].parameters["DesiredValue"] == 6
        finally:
            for each in made:
                ec2.release_address(AllocationId=each)

    def test_job_queues(
        self, sandbox: Sandbox, target: Target, session: boto3.session.Session
    ) -> None:
        """Fifty of fifty."""
        batch = sandbox.client("batch")
        with ExitStack() as cleaning:
            order = [{"order": 1, "computeEnvironment": _environment(sandbox, "full")}]
            cleaning.callback(_remove_environment, sandbox, "full")
            for name in [f"full-{number}" for number in range(50)]:
                batch.create_job_queue(
                    jobQueueName=name,
                    state="ENABLED",
                    priority=1,
                    computeEnvironmentOrder=order,  # type: ignore[arg-type]
                )
                cleaning.callback(_remove_queue, sandbox, name)
            report = run_preflight(target, session)
            assert failures(report) == {"batch-queues"}
            assert found(report, "batch-queues")[1].startswith("50 of 50 Batch job queues")


def test_a_caller_who_may_little(
    sandbox: Sandbox, target: Target, session: boto3.session.Session
) -> None:
    """IAM refuses real calls: each check names its action, and a refused launch is a failure."""
    allowed = ["ec2:DescribeVpcs", "ec2:DescribeSubnets", "ec2:DescribeImages", "ecr:Describe*"]
    caller = _user(sandbox, "little", allowed)
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
                Verdict.CANNOT_TELL,
                f"the caller may not {action}",
                f"allow {action} to the caller",
            )
        assert failures(report) == {"rehearsal"}
        assert "the caller may not ec2:RunInstances" in found(report, "rehearsal")[1]
    finally:
        _remove_user(sandbox, "little")


def test_the_command_with_everything_slow(
    sandbox: Sandbox, tmp_path: Path, session: boto3.session.Session
) -> None:
    """Two seconds to every call: the whole command ends in 15, and every check is answered."""
    _project(tmp_path, sandbox)
    with slow_proxy(sandbox.endpoint, 2.0) as endpoint:
        environment = {**sandbox.environment(os.environ), "AWS_ENDPOINT_URL": endpoint}
        started = time.monotonic()
        done = _doctor(tmp_path, environment, "--output", "json")
        seconds = time.monotonic() - started
    data = json.loads(done.stdout)["data"]
    assert seconds < 15, data["seconds"]
    assert not [each for each in data["checks"] if "no answer" in each["line"]]
    assert data["counts"]["cannot-tell"] == len(UNANSWERED)


def test_the_command_on_screen(
    sandbox: Sandbox, tmp_path: Path, session: boto3.session.Session
) -> None:
    """Findings by layer, what mends them below, the sum last; status 2 where one fails."""
    _project(tmp_path, sandbox)
    done = _doctor(
        tmp_path,
        sandbox.environment(os.environ),
        "--quick",
        "--var",
        f"subnet_id={sandbox.account.private_subnet_id}",
        "--var",
        "vpc_id=vpc-0123456789abcdef0",
    )
    assert (done.returncode, done.stderr) == (2, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "Account"
    assert "Network" in lines
    vpc = next(number for number, line in enumerate(lines) if " VPC " in line)
    assert lines[vpc].startswith("  FAIL")
    assert lines[vpc + 1].strip().startswith("fix: correct vpc_id or region; `aws ec2 describe-vp")
    assert lines[-1].startswith("18 quick checks in ")
    assert "2 failed" in lines[-1]


@pytest.fixture(scope="module")
def project(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NativeProject]:
    """A native deployment, and one of the account's roles beside it."""
    workdir = tmp_path_factory.mktemp("deployed")
    with native_project(workdir, sandbox, vm_name=VM) as project:
        roles = {"bootstrap": "prerequisites"}
        write_deployments(project.folder, {NAME: {"bootstrap": "native"}, "roles": roles})
        project.synthesize()
        project.init()
        yield project


def test_the_roles_as_a_stack(
    sandbox: Sandbox, session: boto3.session.Session, project: NativeProject
) -> None:
    """A stack of its own makes what is missing, and an applied stack has nothing to do."""
    directory = project.stack.with_name("roles")
    report = run_role_checks(session, sandbox.region)
    assert [step.variable for step in steps(report, "aws")] == ["spot_service_role"]
    _remove_ecs_role(sandbox)
    report = run_role_checks(session, sandbox.region)
    wanted = [step.variable for step in steps(report, "aws")]
    assert wanted == ["spot_service_role", "ecs_instance_role"]
    variables = [f"-var=region={sandbox.region}", *(f"-var={name}=true" for name in wanted)]
    terraform = project.terraform
    terraform.must(directory, "init", "-input=false")
    terraform.must(directory, "plan", "-input=false", "-out=tfplan", *variables)
    terraform.must(directory, "apply", "-input=false", "tfplan")
    assert set(verdicts(run_role_checks(session, sandbox.region)).values()) == {Verdict.PASS}
    again = terraform(directory, "plan", "-input=false", "-detailed-exitcode", *variables)
    assert again.returncode == 0, again.stdout + again.stderr
    # ecsInstanceRole stays for the tests that follow.
    terraform.must(directory, "destroy", "-auto-approve", *variables)
    for command in script_commands(all_steps("aws")[2].command):
        command.run(session)


def test_its_own_names_are_not_taken(
    sandbox: Sandbox,
    target: Target,
    session: boto3.session.Session,
    project: NativeProject,
) -> None:
    """After a real apply, nothing is taken with the state, and everything without it.

    The last test: what it makes goes with the account, since to destroy it would take a minute.
    """
    sandbox.client("s3").create_bucket(Bucket="preflight-data")
    # An existing bucket: the provider waits a minute for the rules of a new one.
    existing = "s3://preflight-data"
    project.terraform.must(
        project.stack,
        "apply",
        "-input=false",
        "-auto-approve",
        "-var-file=terraform.tfvars",
        f"-var=use_existing_bucket_url={existing}",
    )
    target = replace(target, use_existing_bucket_url=existing)
    owned = read_owned(Location.of(project.folder, {}), NAME)
    assert failures(run_preflight(target, session)) == NAMES
    assert failures(run_preflight(target, session, owned=owned)) == set()


def _follow(advice: str, session: boto3.session.Session) -> None:
    """Run the one command that a line of advice holds."""
    (command,) = commands_in(advice)
    command.run(session)


def _remove_ecs_role(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName=ECS, RoleName=ECS)
    iam.delete_instance_profile(InstanceProfileName=ECS)
    iam.detach_role_policy(RoleName=ECS, PolicyArn=ECS_POLICY)
    iam.delete_role(RoleName=ECS)


def _remove_roles(sandbox: Sandbox) -> None:
    _remove_ecs_role(sandbox)
    sandbox.client("iam").delete_service_linked_role(RoleName="AWSServiceRoleForBatch")
    _remove_spot_role(sandbox)


def _remove_spot_role(sandbox: Sandbox) -> None:
    iam = sandbox.client("iam")
    if any(each["RoleName"] == "AWSServiceRoleForEC2Spot" for each in iam.list_roles()["Roles"]):
        iam.delete_service_linked_role(RoleName="AWSServiceRoleForEC2Spot")


def _main_table(sandbox: Sandbox, vpc: str) -> str:
    tables = sandbox.client("ec2").describe_route_tables(
        Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
    )
    return tables["RouteTables"][0]["RouteTableId"]


def _take(check: str, sandbox: Sandbox, target: Target, cleaning: ExitStack) -> None:
    """Make what has the name that a check asks for, and have it removed afterwards."""
    ec2, iam, batch = sandbox.client("ec2"), sandbox.client("iam"), sandbox.client("batch")
    ecr, s3 = sandbox.client("ecr"), sandbox.client("s3")
    makers: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "bucket": (lambda: s3.create_bucket(Bucket=VM), lambda: s3.delete_bucket(Bucket=VM)),
        "key-pair": (
            lambda: ec2.create_key_pair(KeyName=VM),
            lambda: ec2.delete_key_pair(KeyName=VM),
        ),
        "repository": (
            lambda: ecr.create_repository(repositoryName=VM),
            lambda: ecr.delete_repository(repositoryName=VM),
        ),
        "role": (
            lambda: iam.create_role(RoleName=VM, AssumeRolePolicyDocument="{}"),
            lambda: iam.delete_role(RoleName=VM),
        ),
        "instance-profile": (
            lambda: iam.create_instance_profile(InstanceProfileName=VM),
            lambda: iam.delete_instance_profile(InstanceProfileName=VM),
        ),
        "security-group": (
            lambda: ec2.create_security_group(
                GroupName=f"{VM}-sg", Description="taken", VpcId=target.vpc_id
            ),
            lambda: ec2.delete_security_group(GroupId=_group(sandbox)),
        ),
        "launch-template": (
            lambda: ec2.create_launch_template(
                LaunchTemplateName=target.launch_template,
                LaunchTemplateData={"InstanceType": "t3.large"},
            ),
            lambda: ec2.delete_launch_template(LaunchTemplateName=target.launch_template),
        ),
        "compute-environment": (
            lambda: _environment(sandbox, VM),
            lambda: _remove_environment(sandbox, VM),
        ),
        "job-queue": (
            lambda: batch.create_job_queue(
                jobQueueName=target.job_queues[0],
                state="ENABLED",
                priority=1,
                computeEnvironmentOrder=[
                    {"order": 1, "computeEnvironment": _environment(sandbox, "other")}
                ],
            ),
            lambda: _remove_queue(sandbox, target.job_queues[0]),
        ),
    }
    make, remove = makers[check]
    if check == "job-queue":
        cleaning.callback(_remove_environment, sandbox, "other")
    make()
    cleaning.callback(remove)


def _environment(sandbox: Sandbox, name: str) -> str:
    sandbox.client("batch").create_compute_environment(
        computeEnvironmentName=name,
        type="UNMANAGED",
        serviceRole=f"arn:aws:iam::{sandbox.account_id}:role/{ECS}",
    )
    return name


def _remove_environment(sandbox: Sandbox, name: str) -> None:
    batch = sandbox.client("batch")
    batch.update_compute_environment(computeEnvironment=name, state="DISABLED")
    batch.delete_compute_environment(computeEnvironment=name)


def _remove_queue(sandbox: Sandbox, name: str) -> None:
    batch = sandbox.client("batch")
    batch.update_job_queue(jobQueue=name, state="DISABLED")
    batch.delete_job_queue(jobQueue=name)


def _group(sandbox: Sandbox) -> str:
    found = sandbox.client("ec2").describe_security_groups(
        Filters=[{"Name": "group-name", "Values": [f"{VM}-sg"]}]
    )
    return found["SecurityGroups"][0]["GroupId"]


def _user(sandbox: Sandbox, name: str, actions: list[str]) -> boto3.session.Session:
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


def _remove_user(sandbox: Sandbox, name: str) -> None:
    iam = sandbox.client("iam")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName=name)
    iam.delete_user(UserName=name)


def _project(folder: Path, sandbox: Sandbox) -> None:
    """Write a project that has settings and variables, and was never synthesized."""
    document = json.loads((ROOT / "cdktf.json").read_text())
    document["context"]["deployments"] = {NAME: {"bootstrap": "native"}}
    (folder / "cdktf.json").write_text(json.dumps(document))
    sandbox.write_tfvars(folder / "terraform.tfvars", vm_name=VM)


def _doctor(
    folder: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "biomodal_deploy", "doctor", "--project-dir", str(folder)]
    return subprocess.run(
        [*command, *arguments],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
