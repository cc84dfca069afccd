"""`smoke`: one tiny Batch job that names the broken layer.

Here stands the job: its definition, submitting it, what it printed, and its removal.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, ValidationError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.config.contract.aws import BATCH_LOGS, WORK_FOLDER
from biomodal_deploy.vm.nextflow_facts import NextflowFacts
from biomodal_deploy.vm.ssh_checks import as_program

if TYPE_CHECKING:
    from types_boto3_batch.type_defs import ContainerPropertiesTypeDef


PREFIX: Final = "biomodal-aws-smoke-"
ENDED: Final = ("SUCCEEDED", "FAILED")
MEMORY_MIB: Final = 512
# Every call in the job gives up long before; a job that nobody ends is ended by Batch.
_JOB_S: Final = 300
# How often to look whether a job that was told to end has ended.
_ENDING: Final = 15


class Said(BaseModel, frozen=True, extra="forbid"):
    """What the job said of a layer: text from outside."""

    mark: str
    layer: str
    result: Literal["ok", "refused", "unasked"]
    text: str


@dataclass
class SmokeJob:
    """One job, and all that is made for it.

    Attributes:
        image: The container image.
        name: The name of the job, its definition and its folder in the bucket.
        definition: The definition's ARN, once it is there.
        id: The job's id, once it is submitted.
    """

    facts: NextflowFacts
    image: str
    clients: Clients
    name: str = field(default_factory=lambda: f"{PREFIX}{secrets.token_hex(6)}")
    definition: str | None = None
    id: str | None = None

    @property
    def folder(self) -> str:
        """Its folder in the bucket, below the work directory."""
        return f"{WORK_FOLDER}/{self.name}"

    @property
    def log_group(self) -> str:
        """Where its log goes: as Nextflow's tasks' does."""
        return self.facts.logs_group or BATCH_LOGS

    def submit(self) -> None:
        """Make the definition and submit the job."""
        tags = {"biomodal-aws": "smoke", "stack": self.facts.stack}
        made = self.clients.batch().register_job_definition(
            jobDefinitionName=self.name,
            type="container",
            containerProperties=self._container(),
            timeout={"attemptDurationSeconds": _JOB_S},
            tags=tags,
        )
        self.definition = made["jobDefinitionArn"]
        submitted = self.clients.batch().submit_job(
            jobName=self.name, jobQueue=self.facts.queue, jobDefinition=self.definition, tags=tags
        )
        self.id = submitted["jobId"]

    def _container(self) -> ContainerPropertiesTypeDef:
        settings = {
            "mark": self.name,
            "region": self.facts.region,
            "bucket": self.facts.bucket,
            "folder": self.folder,
            "cli": self.facts.cli_path or "aws",
        }
        text = as_program("signed_calls.py", "smoke/probe.py")
        container: ContainerPropertiesTypeDef = {
            "image": self.image,
            "command": ["python3", "-I", "-c", text, json.dumps(settings)],
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": str(MEMORY_MIB)},
            ],
        }
        if self.facts.job_role:
            container["jobRoleArn"] = self.facts.job_role
        if self.facts.logs_group:
            options = {"awslogs-group": self.facts.logs_group}
            container["logConfiguration"] = {"logDriver": "awslogs", "options": options}
        if self.facts.cli_path:
            # As Nextflow does: the folder two above the program, under its own name.
            tool = self.facts.cli_path.rsplit("/", 2)[0]
            container["volumes"] = [{"name": "aws-cli", "host": {"sourcePath": tool}}]
            container["mountPoints"] = [
                {"sourceVolume": "aws-cli", "containerPath": tool, "readOnly": True}
            ]
        return container

    def describe(self) -> dict[str, Any]:
        """Return the job as Batch describes it; empty where Batch knows none yet."""
        found = self.clients.batch().describe_jobs(jobs=[self.id or ""])["jobs"]
        return dict(found[0]) if found else {}

    def said(self, stream: str) -> list[Said]:
        """Return what the job has said so far in its log; other lines are passed over."""
        page = self.clients.logs().get_log_events(
            logGroupName=self.log_group, logStreamName=stream, startFromHead=True
        )
        return list(self._lines(event.get("message", "") for event in page["events"]))

    def _lines(self, messages: Iterator[str]) -> Iterator[Said]:
        for message in messages:
            try:
                line = Said.model_validate_json(message)
            except ValidationError:
                continue
            if line.mark == self.name:
                yield line

    def end(self, wait: Callable[[], object]) -> list[str]:
        """End the job and remove all that was made for it, by its name: an answer may be lost.

        Args:
            wait: Called while the job is ending; it may still write until it has.

        Returns:
            For each thing that could not be removed, the command that removes it.
        """
        region, jobs = self.facts.region, self._jobs_of_that_name()
        url = f"s3://{self.facts.bucket}/{self.folder}"
        words = ("--job-id", jobs[0] if jobs else self.name, "--reason", "smoke")
        steps: tuple[tuple[Callable[[], object], str], ...] = (
            (lambda: self._terminate(jobs, wait), aws("batch", "terminate-job", region, *words)),
            (self._delete_objects, f"aws s3 rm --recursive {url} --region {region}"),
            (
                self._deregister,
                aws(
                    "batch",
                    "deregister-job-definition",
                    region,
                    "--job-definition",
                    self.definition or f"{self.name}:1",
                ),
            ),
        )
        left = []
        for step, command in steps:
            try:
                step()
            except (BotoCoreError, ClientError):
                left.append(command)
        return left

    def _jobs_of_that_name(self) -> list[str]:
        if self.id:
            return [self.id]
        try:
            found = self.clients.batch().list_jobs(
                jobQueue=self.facts.queue, filters=[{"name": "JOB_NAME", "values": [self.name]}]
            )
        except (BotoCoreError, ClientError):
            return []
        return [each["jobId"] for each in found["jobSummaryList"]]

    def _terminate(self, jobs: list[str], wait: Callable[[], object]) -> None:
        for self.id in jobs:
            if self.describe().get("status") in ENDED:
                continue
            self.clients.batch().terminate_job(jobId=self.id, reason="biomodal-aws smoke")
            for _ in range(_ENDING):
                if self.describe().get("status") in ENDED:
                    break
                wait()

    def _deregister(self) -> None:
        found = self.clients.batch().describe_job_definitions(
            jobDefinitionName=self.name, status="ACTIVE"
        )
        for each in found["jobDefinitions"]:
            self.clients.batch().deregister_job_definition(jobDefinition=each["jobDefinitionArn"])

    def _delete_objects(self) -> None:
        s3 = self.clients.s3()
        found = s3.list_objects_v2(Bucket=self.facts.bucket, Prefix=f"{self.folder}/")
        for each in found.get("Contents", []):
            s3.delete_object(Bucket=self.facts.bucket, Key=each["Key"])
