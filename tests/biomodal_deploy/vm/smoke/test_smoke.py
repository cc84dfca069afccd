"""The smoke job on recorded answers: what it is made of, and that nothing of it stays."""

from __future__ import annotations

from typing import Any, Final

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.vm.nextflow_facts import nextflow_facts
from biomodal_deploy.vm.smoke import SmokeJob
from tests.support.operated import NAME, REGION, arn, deployed, hardened
from tests.support.recorded_aws import RecordedAws, Refusal

DEFINITION: Final = arn("batch", "job-definition/x:1")


def removed(definition: str | None = None, **answers: Any) -> tuple[list[str], list[str]]:
    """Return what is left of a job whose submission was never answered, and what was called."""
    listed = {"jobId": "an-id", "jobName": "x"}
    state = {**listed, "jobQueue": "q", "startedAt": 1, "jobDefinition": "d", "status": "RUNNABLE"}
    made = {"jobDefinitionName": "x", "jobDefinitionArn": DEFINITION}
    aws = RecordedAws(
        {
            "batch.ListJobs": {"jobSummaryList": [listed]},
            "batch.DescribeJobs": {"jobs": [state]},
            "batch.TerminateJob": {},
            "batch.DescribeJobDefinitions": {
                "jobDefinitions": [{**made, "revision": 1, "type": "container"}]
            },
            "batch.DeregisterJobDefinition": {},
            "s3.ListObjectsV2": {"Contents": [{"Key": "nf-work/x/probe"}]},
            "s3.DeleteObject": {},
            **{name.replace("__", "."): answer for name, answer in answers.items()},
        }
    )
    clients = Clients(aws.session(REGION), REGION)
    facts = nextflow_facts(deployed(hardened()), None)
    job = SmokeJob(facts, "image", clients, definition=definition)
    return job.end(lambda: None), aws.calls


def test_an_answer_that_was_lost_leaves_nothing() -> None:
    """Stopped in the middle of submitting: job and definition are found by their name."""
    left, calls = removed()
    assert left == []
    for each in ("batch.TerminateJob", "batch.DeregisterJobDefinition", "s3.DeleteObject"):
        assert each in calls
    # The job ends before its objects go: it could write another.
    assert calls.index("batch.TerminateJob") < calls.index("s3.ListObjectsV2")


def test_what_cannot_be_removed_has_its_command() -> None:
    """One refusal keeps none of the others from being removed."""
    left, calls = removed(DEFINITION, s3__ListObjectsV2=Refusal("AccessDenied", status=403))
    (command,) = left
    assert command.startswith(f"aws s3 rm --recursive s3://{NAME}/nf-work/biomodal-aws-smoke-")
    assert "batch.DeregisterJobDefinition" in calls


def test_the_definition_is_what_nextflow_would_make() -> None:
    """The hosts' folder with the AWS command line mounted, the tasks' log group, and one vCPU."""
    facts = nextflow_facts(deployed(hardened()), None)
    clients = Clients(RecordedAws({}).session(REGION), REGION)
    made = SmokeJob(facts, "image", clients)._container()
    assert made["mountPoints"] == [
        {"sourceVolume": "aws-cli", "containerPath": "/opt/aws-cli", "readOnly": True}
    ]
    assert made["logConfiguration"]["options"] == {"awslogs-group": f"/biomodal/{NAME}/tasks"}
    documented = SmokeJob(nextflow_facts(deployed(), None), "image", clients)._container()
    assert "mountPoints" not in documented
    assert "logConfiguration" not in documented
