"""Every command that is printed exists, with the options that it is given."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from biomodal_deploy.aws import commands
from biomodal_deploy.aws.ledger.counting import ACTIVE
from tests.support.aws_command import parse
from tests.support.operated import NAME, REGION, VM
from tests.support.programs import shell_program

INNER = re.compile(r"\$\((aws [^)]*)\)")


@pytest.mark.parametrize(
    ("command", "parameters"),
    [
        (commands.abort_uploads(NAME, REGION), {"Bucket": NAME}),
        (commands.remove_repository(NAME, REGION), {"repositoryName": NAME, "force": True}),
        (commands.list_jobs("q", "RUNNING", REGION), {"jobQueue": "q", "jobStatus": "RUNNING"}),
        (
            commands.unprotect(VM, REGION),
            {"InstanceId": VM, "DisableApiTermination": {"Value": False}},
        ),
        (commands.allow_stop(VM, REGION), {"InstanceId": VM, "DisableApiStop": {"Value": False}}),
        (commands.keep_snapshot("vol-1", REGION), {"VolumeId": "vol-1"}),
    ],
)
def test_single_calls(command: str, parameters: dict[str, object]) -> None:
    """As the AWS CLI reads them."""
    parsed = parse(command)
    assert (parsed.region, parsed.parameters) == (REGION, parameters)


def test_emptying_a_bucket() -> None:
    """Former versions need the API, the rest one command of the CLI's own."""
    empty, remove = commands.remove_bucket(NAME, REGION, versions=True)
    (inner,) = INNER.findall(empty)
    assert parse(inner).parameters == {"Bucket": NAME}
    outer = parse(INNER.sub("", empty).replace('"$()"', "").replace('""', "Objects=x"))
    assert (outer.operation, outer.parameters["Bucket"]) == ("DeleteObjects", NAME)
    assert remove == f"aws s3 rb s3://{NAME} --force --region {REGION}"
    assert commands.remove_bucket(NAME, REGION, versions=False) == (remove,)


def test_ending_jobs(tmp_path: Path) -> None:
    """The loop runs in a plain shell, and ends each job of each status."""
    shell_program(
        tmp_path / "aws", 'case "$2" in list-jobs) echo "a b";; *) echo "$@" >> calls;; esac'
    )
    command = ["/bin/sh", "-c", commands.end_jobs("my queue", ACTIVE, REGION)]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2 * len(ACTIVE)
    parsed = parse(f"aws {calls[0]}")
    ended = {"jobId": "a", "reason": "destroy"}
    assert (parsed.operation, parsed.parameters) == ("TerminateJob", ended)
