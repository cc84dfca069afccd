"""`smoke` in a real container: a hardened stack, applied on loopback, whole and broken.

moto's Batch starts the job through podman's Docker API. The stack's bucket exists before, since the
AWS provider waits almost a minute for one of its own. moto has hosts without end: a used-up quota,
subnets without a way out and Batch's own reasons are on recorded answers (vm/test_waiting.py).
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE
from biomodal_deploy.sandbox import Sandbox
from tests.support.checkout import Checkout, environment_of
from tests.support.containers import IMAGE, Containers, running_containers
from tests.support.light import Ended
from tests.support.operated import NAME, REGION
from tests.support.payloads import undocumented
from tests.support.project import copy_app, write_stacks

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("smoke")]

STACK: Final = "lab"
BUCKET: Final = "lab-data"
QUEUE: Final = f"{NAME}-job-queue"
HOSTS: Final = f"{NAME}-batch-host"
LOGS: Final = f"/biomodal/{NAME}/tasks"
VALUES: Final = f'use_existing_bucket_url = "s3://{BUCKET}"\nlog_retention_days = 30\n'


@dataclass(frozen=True)
class Lab(Checkout):
    """A stack that can run jobs."""

    containers: Containers  # what runs its jobs
    tool: Path  # the hosts' folder with the AWS command line

    def smoke(self, *words: str) -> Ended:
        """Run `smoke`."""
        return self.run("smoke", "--image", IMAGE, "--timeout", "60", *words)

    def found(self, *words: str) -> dict[str, dict[str, Any]]:
        """Run `smoke`, and return what it found by layer."""
        ended = self.smoke("-o", "json", *words)
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
            *(each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])),
            *self.containers.podman("ps", "--all", "--quiet").split(),
            *listed,
        ]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One account, one container runtime and one hardened stack, applied, for all tests here."""
    workdir = tmp_path_factory.mktemp("smoke")
    folder, tool = copy_app(workdir / "checkout"), workdir / "tool"
    write_stacks(folder, {STACK: {"bootstrap": "native", "profile": "hardened"}})
    # Containers mount the folder from this machine, and nothing is installed in its /opt.
    script = folder / "scripts" / "batch_host.sh"
    script.write_text(script.read_text().replace("/opt/aws-cli", str(tool)))
    aws = tool / "bin" / "aws"
    aws.parent.mkdir(parents=True)
    aws.write_text("#!/bin/sh\necho aws-cli/2.0.0\n")
    aws.chmod(0o755)
    variables = environment_of(folder, workdir / "home")
    with running_containers() as containers, pytest.MonkeyPatch.context() as patched:
        patched.setenv("DOCKER_HOST", containers.host)
        with Sandbox.start(workdir, region=REGION) as sandbox:
            found = Lab(folder, sandbox, sandbox.environment(variables), containers, tool)
            sandbox.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
            values = folder / "terraform.tfvars"
            sandbox.write_tfvars(values, vm_name=NAME)
            values.write_text(f"{values.read_text()}{VALUES}")
            for words in (("plan",), ("apply",)):
                found.run(*words, status=EXIT_DONE)
            yield found


def test_it_works(lab: Lab) -> None:
    """Every layer is looked at and works, and nothing is left of the job."""
    ended = lab.smoke()
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
    arn = f"arn:aws:s3:::{BUCKET}"
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
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(f"s3:{layer.title()}Object"))
    try:
        found = lab.found()
    finally:
        s3.delete_bucket_policy(Bucket=BUCKET)
    assert broken(found) == [layer]
    assert found[layer]["line"].startswith("AWS refused it: 403")
    # Nobody may delete: what is left is said, with the command that removes it.
    left = lab.leftovers()
    assert (left != []) is (layer == "delete")
    assert (found["removed"]["verdict"] == "warning") is (layer == "delete")
    for key in left:
        assert (
            f"aws s3 rm --recursive s3://{BUCKET}/{key.rpartition('/')[0]}"
            in (found["removed"]["fix"])
        )
        s3.delete_object(Bucket=BUCKET, Key=key)
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
    state = lab.folder / "state" / f"{STACK}.tfstate"
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
    (template,) = lab.client("ec2").describe_launch_templates()["LaunchTemplates"]

    def limit(hops: int) -> None:
        lab.client("ec2").create_launch_template_version(
            LaunchTemplateId=template["LaunchTemplateId"],
            LaunchTemplateData={"MetadataOptions": {"HttpPutResponseHopLimit": hops}},
        )

    limit(1)
    try:
        found = lab.found()
    finally:
        limit(2)
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
    named = {"InstanceProfileName": HOSTS}
    iam.remove_role_from_instance_profile(**named, RoleName=HOSTS)
    iam.delete_instance_profile(**named)
    try:
        ended = lab.smoke("--timeout", "6")
    finally:
        iam.create_instance_profile(**named)
        iam.add_role_to_instance_profile(**named, RoleName=HOSTS)
    assert ended.status == 2, ended.err
    assert "RUNNABLE after 6 s" in ended.out
    assert "INVALID: CLIENT_ERROR - The instance profile" in ended.out
    assert "The job is RUNNABLE: " in ended.err
    assert lab.leftovers() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_request_leaves_nothing(lab: Lab, number: signal.Signals) -> None:
    """Ctrl-C and kill while the job waits: job, definition and objects are gone."""
    batch = lab.client("batch")
    (queue,) = batch.describe_job_queues(jobQueues=[QUEUE])["jobQueues"]
    (order,) = queue["computeEnvironmentOrder"]
    environment = order["computeEnvironment"].rpartition("/")[2]
    batch.update_compute_environment(computeEnvironment=environment, state="DISABLED")
    words = [sys.executable, "-m", "biomodal_deploy", "smoke", "--image", IMAGE]
    try:
        with subprocess.Popen(
            words,
            cwd=lab.folder,
            env=dict(lab.environment),
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
