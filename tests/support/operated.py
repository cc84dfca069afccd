"""A stack that was applied, as its state has it: documented or hardened, native or module."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any, Final

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.engine.terraform import State
from biomodal_deploy.vm.deployed import Deployed, built_from
from tests.support.loopback import Handler
from tests.support.project import ROOT
from tests.support.recorded_aws import Given, RecordedAws

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-2"
NAME: Final = "analysis-vm"
VM: Final = "i-0a1b2c3d4e5f60718"
ADDRESS: Final = "203.0.113.7"

Attributes = dict[str, Any]
_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
_KEYS: Final = {"AccessKeyId": "AKIAVM", "SecretAccessKey": "secret", "Token": "token"}


class Metadata(Handler):
    """The instance metadata, version 2: a token first, then the role's keys."""

    def answer(self) -> None:
        """Give a token; name the role, or give its keys, to whoever has it."""
        if self.command == "PUT":
            self.say(b"a-token")
        elif self.headers["X-aws-ec2-metadata-token"] != "a-token":
            self.send_error(401)
        elif self.path.endswith("/security-credentials/"):
            self.say(NAME.encode())
        else:
            self.say(json.dumps(_KEYS).encode())


def arn(service: str, resource: str) -> str:
    """Return an ARN of the account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@cache
def recorded_account() -> tuple[RecordedAws, Clients]:
    """Return one account for all tests: making clients takes longer than asking them."""
    aws = RecordedAws({})
    return aws, Clients(aws.session(REGION), REGION)


def described_environment(state: str = "ENABLED", status: str = "VALID", reason: str = "") -> Given:
    """Return the compute environment as Batch describes it."""
    found = {
        "computeEnvironmentName": NAME,
        "computeEnvironmentArn": arn("batch", f"compute-environment/{NAME}"),
        "state": state,
        "status": status,
        "statusReason": reason,
    }
    return {"computeEnvironments": [found]}


def described_queue(state: str = "ENABLED") -> Given:
    """Return the job queue as Batch describes it."""
    found = {
        "jobQueueName": f"{NAME}-job-queue",
        "jobQueueArn": arn("batch", f"job-queue/{NAME}-job-queue"),
        "state": state,
        "status": "VALID",
        "priority": 1,
        "computeEnvironmentOrder": [],
    }
    return {"jobQueues": [found]}


def vm(**changes: object) -> Attributes:
    """Return the VM's attributes."""
    instance = {"id": VM, "arn": arn("ec2", f"instance/{VM}"), "instance_type": "t3.large"}
    return {**instance, "public_ip": ADDRESS, **changes}


def environment(word: str = "", kind: str = "SPOT", role: str = "ecsInstanceRole") -> Attributes:
    """Return a compute environment's attributes, as AWS provider 5 writes them."""
    name = f"{NAME}{word}"
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/{role}"
    return {
        "compute_environment_name": name,
        "arn": arn("batch", f"compute-environment/{name}"),
        "compute_resources": [{"type": kind, "instance_role": profile, "max_vcpus": 256}],
    }


def queue(name: str, *words: str) -> Attributes:
    """Return a job queue's attributes, fed from the environments of these words."""
    orders = [
        {"order": number, "compute_environment": arn("batch", f"compute-environment/{NAME}{word}")}
        for number, word in enumerate(words)
    ]
    return {
        "name": name,
        "arn": arn("batch", f"job-queue/{name}"),
        "compute_environments": None,
        "compute_environment_order": orders,
    }


def outputs(**changes: str) -> dict[str, Any]:
    """Return the documented outputs."""
    values = {
        "bucket_url": f"s3://{NAME}",
        "docker_repo_url": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com",
        "private_ip": "10.0.0.7",
        "private_key_filename": f"/home/ada/.ssh/{NAME}.pem",
        "public_ip": ADDRESS,
        "ssh_user": "ubuntu",
        "vm_name": NAME,
        **changes,
    }
    return {name: {"value": value, "type": "string"} for name, value in values.items()}


def documented() -> dict[str, list[Attributes]]:
    """Return the resources of the documented profile, by type."""
    return {
        "aws_instance": [vm()],
        "aws_batch_compute_environment": [environment()],
        "aws_batch_job_queue": [queue(f"{NAME}-job-queue", "")],
        "aws_ecr_repository": [{"name": NAME}],
        "aws_iam_role": [{"name": NAME, "arn": _ROLE, "assume_role_policy": "{}"}],
        "aws_iam_instance_profile": [{"name": NAME, "role": NAME}],
        "aws_launch_template": [{"name": f"{NAME}-batch-launch-template", "user_data": ""}],
    }


def hardened() -> dict[str, list[Attributes]]:
    """Return the resources of the hardened profile, by type."""
    script = base64.b64encode((ROOT / "scripts" / "batch_host.sh").read_bytes()).decode()
    hosts = f"{NAME}-batch-host"
    limits = {
        "job_state_time_limit_action": [
            {
                "action": "CANCEL",
                "state": "RUNNABLE",
                "reason": "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
                "max_time_seconds": 1200,
            }
        ]
    }
    return {
        **documented(),
        "aws_batch_compute_environment": [
            environment("-on-demand", "EC2", hosts),
            environment("-spot", "SPOT", hosts),
        ],
        "aws_batch_job_queue": [
            queue(f"{NAME}-job-queue", "-spot") | limits,
            queue(f"{NAME}-job-queue-on-demand", "-on-demand") | limits,
        ],
        "aws_iam_instance_profile": [{"name": NAME}, {"name": hosts}],
        "aws_launch_template": [{"name": "hosts", "user_data": script}],
        "aws_cloudwatch_log_group": [{"name": f"/biomodal/{NAME}/tasks"}],
    }


def state_text(
    resources: dict[str, list[Attributes]] | None = None,
    given: dict[str, Any] | None = None,
    *,
    module: str = "",
) -> str:
    """Return a state as `terraform state pull` prints it."""
    listed = [
        {
            "mode": "managed",
            "type": kind,
            "name": f"n{number}",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"schema_version": 0, "attributes": attributes}],
            **({"module": module} if module else {}),
        }
        for kind, each in (documented() if resources is None else resources).items()
        for number, attributes in enumerate(each)
    ]
    return json.dumps(
        {
            "version": 4,
            "terraform_version": "1.11.4",
            "serial": 3,
            "lineage": "0b1c",
            "outputs": outputs() if given is None else given,
            "resources": listed,
        }
    )


def deployed(
    resources: dict[str, list[Attributes]] | None = None, given: dict[str, Any] | None = None
) -> Deployed:
    """Return what a state holds."""
    return built_from("lab", State.model_validate_json(state_text(resources, given)))
