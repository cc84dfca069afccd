"""`smoke` in a real container: a hardened stack's queue on loopback, whole and broken.

moto's Batch starts the job through podman's Docker API. The stack's objects are made directly, as
in the tests of the other commands on a running stack. moto has hosts without end: a used-up quota,
subnets without a way out and Batch's own reasons are on recorded answers (vm/test_waiting.py).
"""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.sandbox import Sandbox
from tests.support.containers import IMAGE, Containers, running_containers
from tests.support.light import Ended, LightProject
from tests.support.operated import NAME, REGION, hardened, outputs, state_text
from tests.support.payloads import undocumented

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("smoke")]

STACK: Final = "lab"
QUEUE: Final = f"{NAME}-job-queue"
HOSTS: Final = f"{NAME}-batch-host"
LOGS: Final = f"/biomodal/{NAME}/tasks"
TRUST: Final = json.dumps({"Version": "2012-10-17", "Statement": []})


@dataclass(frozen=True)
class Lab:
    """A stack that can run jobs.

    Attributes:
        project: The project, and its command line.
        sandbox: The account.
        containers: What runs its jobs.
        tool: The hosts' folder with the AWS command line.
    """

    project: LightProject
    sandbox: Sandbox
    containers: Containers
    tool: Path

    def run(self, *words: str) -> Ended:
        """Run `smoke` for its data."""
        return self.project.run(
            "smoke", "--image", IMAGE, "--timeout", "60", *words, environment=self.environment
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """An environment that reaches the account and no other."""
        return self.sandbox.environment({})

    def found(self, *words: str) -> dict[str, dict[str, Any]]:
        """Run `smoke`, and return what it found by layer."""
        ended = self.run("-o", "json", *words)
        assert ended.status in (0, 2), ended.err + ended.out
        assert undocumented("smoke", ended.data) == []
        return {each["check"]: each for each in ended.data["checks"]}

    def client(self, service: str) -> Any:
        """Return a client of the account's owner."""
        return self.sandbox.client(service)

    def leftovers(self) -> list[str]:
        """Return what the job has left: definitions, objects, containers, and jobs that run."""
        batch, s3 = self.client("batch"), self.client("s3")
        definitions = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
        listed = [
            each["jobId"]
            for state in ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
            for each in batch.list_jobs(jobQueue=QUEUE, jobStatus=state)["jobSummaryList"]
        ]
        return [
            *(each["jobDefinitionArn"] for each in definitions),
            *(each["Key"] for each in s3.list_objects_v2(Bucket=NAME).get("Contents", [])),
            *self.containers.podman("ps", "--all", "--quiet").split(),
            *listed,
        ]


def resources(tool: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the hardened stack's, whose hosts have the AWS command line in this folder."""
    found = hardened()
    (template,) = found["aws_launch_template"]
    script = base64.b64decode(template["user_data"]).decode()
    moved = re.sub(r"cliPath = '[^']+'", f"cliPath = '{tool}/bin/aws'", script)
    data = base64.b64encode(moved.encode()).decode()
    for each in found["aws_batch_compute_environment"]:
        each["compute_resources"][0]["instance_type"] = ["optimal"]
    return found | {"aws_launch_template": [{"name": "hosts", "user_data": data}]}


def build(sandbox: Sandbox) -> None:
    """Make what the stack's state names, as far as a job needs it."""
    client: Any = sandbox.client
    location = {"LocationConstraint": sandbox.region}
    client("s3").create_bucket(Bucket=NAME, CreateBucketConfiguration=location)
    client("logs").create_log_group(logGroupName=LOGS)
    make_profile(client("iam"))
    client("ec2").create_launch_template(
        LaunchTemplateName="hosts",
        LaunchTemplateData={"MetadataOptions": {"HttpPutResponseHopLimit": 2}},
    )
    vpc = [{"Name": "vpc-id", "Values": [sandbox.account.vpc_id]}]
    group = client("ec2").describe_security_groups(Filters=vpc)["SecurityGroups"][0]
    environment = client("batch").create_compute_environment(
        computeEnvironmentName=f"{NAME}-spot",
        type="MANAGED",
        state="ENABLED",
        computeResources={
            "type": "SPOT",
            "minvCpus": 0,
            "maxvCpus": 256,
            "instanceTypes": ["optimal"],
            "instanceRole": f"arn:aws:iam::{sandbox.account_id}:instance-profile/{HOSTS}",
            "subnets": list(sandbox.account.subnet_ids),
            "securityGroupIds": [group["GroupId"]],
            "launchTemplate": {"launchTemplateName": "hosts", "version": "$Latest"},
        },
    )["computeEnvironmentArn"]
    client("batch").create_job_queue(
        jobQueueName=QUEUE,
        state="ENABLED",
        priority=1,
        computeEnvironmentOrder=[{"order": 1, "computeEnvironment": environment}],
    )


def make_profile(iam: Any) -> None:
    """Make the hosts' instance profile and its role."""
    iam.create_role(RoleName=HOSTS, AssumeRolePolicyDocument=TRUST)
    iam.create_instance_profile(InstanceProfileName=HOSTS)
    iam.add_role_to_instance_profile(InstanceProfileName=HOSTS, RoleName=HOSTS)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One account, one container runtime and one stack for all tests here."""
    workdir = tmp_path_factory.mktemp("smoke")
    (workdir / "tool" / "bin").mkdir(parents=True)
    project = LightProject(
        workdir / "project", {STACK: {}}, {"stacks": {STACK: {"bootstrap": "native"}}}
    )
    aws = workdir / "tool" / "bin" / "aws"
    aws.write_text("#!/bin/sh\necho aws-cli/2.0.0\n")
    aws.chmod(0o755)
    with (
        running_containers() as containers,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("DOCKER_HOST", containers.host)
        with Sandbox.start(workdir, region=REGION) as sandbox:
            build(sandbox)
            found = Lab(project, sandbox, containers, workdir / "tool")
            assert project.run("synth", environment=found.environment).status == 0
            state = project.folder / "state" / f"{STACK}.tfstate"
            state.parent.mkdir(exist_ok=True)
            state.write_text(state_text(resources(found.tool), outputs()))
            yield found


def test_it_works(lab: Lab) -> None:
    """Every layer is looked at and works, and nothing is left of the job."""
    ended = lab.run()
    assert ended.status == 0, ended.out + ended.err
    assert "It works: all 12 layers passed." in ended.out
    assert "not looked at" not in ended.out
    # Before the job; the package knows no prices of this region.
    first, _, rest = ended.err.partition("what that costs is unknown")
    assert "Submitting" in rest
    assert "Submitting" not in first
    assert lab.leftovers() == []


def broken(found: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the layers that fail; all behind them have to be unknown, or well for themselves."""
    return [name for name, each in found.items() if each["verdict"] == "fail"]


def policy(*actions: str) -> str:
    """Return a bucket policy that denies these to everyone."""
    arn = f"arn:aws:s3:::{NAME}"
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": list(actions),
        "Resource": [arn, f"{arn}/*"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [denied]})


@pytest.mark.parametrize("layer", ["put", "delete"])
def test_no_permission_on_the_bucket(lab: Lab, layer: str) -> None:
    """Each is named by itself (moto lets no bucket policy deny a list)."""
    s3 = lab.client("s3")
    s3.put_bucket_policy(Bucket=NAME, Policy=policy(f"s3:{layer.title()}Object"))
    try:
        found = lab.found()
    finally:
        s3.delete_bucket_policy(Bucket=NAME)
    assert broken(found) == [layer]
    assert found[layer]["line"].startswith("AWS refused it: 403")
    # Nobody may delete: what is left is said, with the command that removes it.
    left = lab.leftovers()
    assert (left != []) is (layer == "delete")
    assert (found["removed"]["verdict"] == "warning") is (layer == "delete")
    for key in left:
        assert (
            f"aws s3 rm --recursive s3://{NAME}/{key.rpartition('/')[0]}"
            in (found["removed"]["fix"])
        )
        s3.delete_object(Bucket=NAME, Key=key)
    for name in {"put": ("get", "delete")}.get(layer, ()):
        assert found[name]["line"] == "not looked at: Put object comes first"


def test_a_disabled_queue(lab: Lab) -> None:
    """Batch refuses the job; the fix enables the queue, and nothing else was looked at."""
    lab.client("batch").update_job_queue(jobQueue=QUEUE, state="DISABLED")
    try:
        found = lab.found()
    finally:
        lab.client("batch").update_job_queue(jobQueue=QUEUE, state="ENABLED")
    assert broken(found) == ["accepted"]
    assert "--state ENABLED" in found["accepted"]["fix"]
    assert [name for name, each in found.items() if each["verdict"] == "pass"] == ["removed"]
    assert lab.leftovers() == []


def test_a_queue_that_is_gone(lab: Lab) -> None:
    """The state names a queue that Batch does not know."""
    state = lab.project.folder / "state" / f"{STACK}.tfstate"
    before = state.read_text()
    state.write_text(before.replace(QUEUE, "gone-queue"))
    try:
        found = lab.found()
    finally:
        state.write_text(before)
    assert broken(found) == ["accepted"]
    assert "gone-queue" in found["accepted"]["line"]
    assert lab.leftovers() == []


def test_an_image_that_does_not_exist(lab: Lab) -> None:
    """The host came up, and could not pull it."""
    found = lab.found("--image", "localhost:1/none:1")
    assert broken(found) == ["image"]
    assert "CannotPull" in found["image"]["line"]
    assert found["host"]["verdict"] == "pass"
    assert found["credentials"]["line"].startswith("not looked at")
    assert lab.leftovers() == []


def test_an_image_without_python(lab: Lab) -> None:
    """It was pulled, and cannot be used for this."""
    folder = lab.containers.folder / "empty.tar"
    with tarfile.open(folder, "w") as tar:
        tar.addfile(tarfile.TarInfo("nothing"))
    lab.containers.podman("import", folder, "localhost/empty:1")
    found = lab.found("--image", "localhost/empty:1")
    assert broken(found) == ["image"]
    assert "python3" in found["image"]["fix"]
    # moto leaves a container that did not start; ECS's agent removes it.
    lab.containers.podman("rm", "--all", "--force")
    assert lab.leftovers() == []


def test_a_full_disk(lab: Lab) -> None:
    """Where tasks work there is no room for a megabyte."""
    lab.containers.start('shm_size = "64k"\nenv = ["TMPDIR=/dev/shm"]')
    try:
        found = lab.found()
    finally:
        lab.containers.start()
    assert broken(found) == ["disk"]
    assert "No space left" in found["disk"]["line"]


def test_a_dead_endpoint(lab: Lab) -> None:
    """S3 does not answer the host: a way out is missing, and no permission."""
    lab.containers.start('env = ["AWS_ENDPOINT_URL_S3=http://127.0.0.1:1"]')
    try:
        found = lab.found()
    finally:
        lab.containers.start()
    assert broken(found) == ["list", "put"]
    assert "refused" in found["list"]["line"]
    assert "gateway endpoint" in found["list"]["fix"]


def test_no_credentials_in_the_task(lab: Lab) -> None:
    """A metadata hop limit of 1 ends at the host: the task has no role's keys."""
    options = {"MetadataOptions": {"HttpPutResponseHopLimit": 1}}
    new = {"LaunchTemplateName": "hosts", "LaunchTemplateData": options}
    lab.client("ec2").create_launch_template_version(**new)
    try:
        found = lab.found()
    finally:
        options["MetadataOptions"]["HttpPutResponseHopLimit"] = 2
        lab.client("ec2").create_launch_template_version(**new)
    assert broken(found) == ["credentials"]
    assert "hop limit" in found["credentials"]["fix"]
    assert found["put"]["line"] == "not looked at: Credentials comes first"


def test_no_aws_on_the_hosts(lab: Lab) -> None:
    """The configuration names a program that no host has: tasks would not stage a file."""
    program = lab.tool / "bin" / "aws"
    program.rename(lab.tool / "bin" / "away")
    try:
        found = lab.found()
    finally:
        (lab.tool / "bin" / "away").rename(program)
    assert broken(found) == ["aws"]
    assert str(program) in found["aws"]["line"]


def test_no_log_group(lab: Lab) -> None:
    """The container does not start where its log has nowhere to go."""
    lab.client("logs").delete_log_group(logGroupName=LOGS)
    try:
        found = lab.found()
    finally:
        lab.client("logs").create_log_group(logGroupName=LOGS)
    assert broken(found) == ["log"]
    assert f"create-log-group --region {REGION} --log-group-name {LOGS}" in found["log"]["fix"]


def test_an_invalid_environment(lab: Lab) -> None:
    """The hosts' instance profile is gone: the job waits for ever, and says for what."""
    iam = lab.client("iam")
    iam.remove_role_from_instance_profile(InstanceProfileName=HOSTS, RoleName=HOSTS)
    iam.delete_instance_profile(InstanceProfileName=HOSTS)
    try:
        ended = lab.run("--timeout", "6")
    finally:
        iam.delete_role(RoleName=HOSTS)
        make_profile(iam)
    assert ended.status == 2, ended.err
    assert "RUNNABLE after 6 s" in ended.out
    assert "INVALID: CLIENT_ERROR - The instance profile" in ended.out
    assert "The job is RUNNABLE: " in ended.err
    assert lab.leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_request_leaves_nothing(lab: Lab, number: signal.Signals) -> None:
    """Ctrl-C and kill while the job waits: job, definition and objects are gone."""
    batch, environment = lab.client("batch"), f"{NAME}-spot"
    batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    words = [sys.executable, "-m", "biomodal_deploy", "smoke", "--image", IMAGE]
    try:
        with subprocess.Popen(
            words,
            cwd=lab.project.folder,
            env=lab.project.environment(lab.environment),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stderr is not None
            said = next(line for line in running.stderr if "RUNNABLE: " in line)
            running.send_signal(number)
            rest = running.stderr.read()
            running.wait(60)
    finally:
        batch.update_compute_environment(computeEnvironment=environment, state="ENABLED")
    assert f"{environment} (Spot) is DISABLED" in said
    assert running.returncode == 130
    assert "its job is removed" in rest
    assert lab.leftovers() == []
