"""`smoke` in a real container: a hardened stack's queue on loopback, whole and broken.

moto's Batch starts the job through podman's Docker API. The stack's objects are made directly, as
in the tests of the other commands on a running stack.
"""

from __future__ import annotations

import base64
import json
import re
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
    for name in ("containers", "tool/bin"):
        (workdir / name).mkdir(parents=True)
    project = LightProject(
        workdir / "project", {STACK: {}}, {"stacks": {STACK: {"bootstrap": "native"}}}
    )
    aws = workdir / "tool" / "bin" / "aws"
    aws.write_text("#!/bin/sh\necho aws-cli/2.0.0\n")
    aws.chmod(0o755)
    with (
        running_containers(workdir / "containers") as containers,
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
