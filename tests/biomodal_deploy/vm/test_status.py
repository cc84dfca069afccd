"""Every part's verdicts on recorded answers of AWS, and waiting for them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import Mock

import pytest

from biomodal_deploy.aws.checks import CheckData, failed, passed, unknown
from biomodal_deploy.vm import status
from biomodal_deploy.vm.deployed import Deployed
from biomodal_deploy.vm.status import StatusData, StatusRequest, check_status, wait_until_ready
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack
from tests.support.operated import (
    ACCOUNT,
    ADDRESS,
    NAME,
    REGION,
    VM,
    arn,
    deployed,
    described_environment,
    described_queue,
    hardened,
    recorded_account,
)
from tests.support.recorded_aws import Recorded, Refusal, no_such, profile, role

LONG_AGO: Final = datetime.now(UTC) - timedelta(days=9)
DONE: Final = "biomodal install: all installations completed successfully"

STEP: Final = "step 3/5: installing Docker"
DENIED: Final = "CLIENT_ERROR - Access denied"


def instance(state: str = "running", **changes: Any) -> dict[str, Any]:
    """Return the VM as EC2 describes it."""
    found = {
        "InstanceId": VM,
        "State": {"Name": state},
        "LaunchTime": LONG_AGO,
        "PublicIpAddress": ADDRESS,
        "IamInstanceProfile": {"Arn": f"arn:aws:iam::{ACCOUNT}:instance-profile/{NAME}"},
        **changes,
    }
    return {"Reservations": [{"Instances": [found]}]}


def checked(system: str, machine: str) -> dict[str, Any]:
    """Return EC2's two status checks."""
    status = {"SystemStatus": {"Status": system}, "InstanceStatus": {"Status": machine}}
    return {"InstanceStatuses": [{"InstanceId": VM, **status}]}


def console(text: str) -> dict[str, Any]:
    """Return console output as EC2 sends it."""
    return {"InstanceId": VM, "Output": base64.b64encode(text.encode()).decode()}


def healthy() -> dict[str, Recorded]:
    """Return the answers where all is well."""
    uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}"
    return {
        "ec2.DescribeInstances": instance(),
        "ec2.DescribeInstanceStatus": checked("ok", "ok"),
        "ec2.GetConsoleOutput": console(DONE),
        "batch.DescribeComputeEnvironments": described_environment("ENABLED", "VALID", "Healthy"),
        "batch.DescribeJobQueues": described_queue(),
        "s3.HeadBucket": {"BucketRegion": REGION},
        "ecr.DescribeRepositories": {"repositories": [{"repositoryUri": uri}]},
        "iam.GetInstanceProfile": profile(NAME, role(NAME)),
    }


def asked(stack: Deployed, answers: dict[str, Recorded]) -> StatusData:
    """Look at a stack in an account with these answers."""
    aws, clients = recorded_account()
    aws.answers = answers
    return check_status(stack, clients)


def status_of(answers: Mapping[str, Recorded] | None = None) -> StatusData:
    """Look at the documented stack, with these answers in place of the healthy ones."""
    return asked(deployed(), {**healthy(), **(answers or {})})


def verdicts(status: StatusData) -> dict[str, str]:
    """Return each part's verdict; `not yet` is told apart from a warning."""
    return {
        each.check: "not-yet" if each.under_way else each.verdict.value for each in status.checks
    }


def test_all_is_well() -> None:
    """Nine parts pass, and the status says so."""
    status = status_of()
    assert set(verdicts(status).values()) == {"pass"}, status
    assert (len(status.checks), status.ready, status.exit_status) == (9, True, 0)


WRONG: Final[dict[tuple[str, str], list[tuple[Recorded, str, str]]]] = {
    ("vm", "ec2.DescribeInstances"): [
        (instance("stopped"), "fail", "vm start"),
        (instance("pending"), "not-yet", "pending"),
        (instance("terminated"), "fail", "is gone"),
        (no_such("InvalidInstanceID.NotFound"), "fail", "is gone"),
        ({"Reservations": []}, "fail", "is gone"),
        (instance(PublicIpAddress="9.9.9.9"), "fail", "9.9.9.9"),
        (Refusal("UnauthorizedOperation", status=403), "unknown", "ec2:DescribeInstances"),
    ],
    ("vm-status", "ec2.DescribeInstanceStatus"): [
        (checked("ok", "impaired"), "fail", "console"),
        (checked("initializing", "ok"), "not-yet", ""),
        ({"InstanceStatuses": []}, "not-yet", ""),
        (checked("insufficient-data", "ok"), "unknown", ""),
    ],
    ("install-script", "ec2.GetConsoleOutput"): [
        (
            console("biomodal install: FAILED with status 100 at line 93, in step 2/5: installing"),
            "fail",
            "line 93, in step 2/5",
        ),
        (console(f"biomodal install: {STEP}"), "not-yet", STEP),
        (console("login:"), "unknown", "--deep"),
        ({"InstanceId": VM}, "unknown", "--deep"),
    ],
    ("compute-environment", "batch.DescribeComputeEnvironments"): [
        (described_environment("ENABLED", "INVALID", DENIED), "fail", DENIED),
        (described_environment("DISABLED", "VALID"), "fail", "--state ENABLED"),
        (described_environment("ENABLED", "CREATING"), "not-yet", "CREATING"),
        ({"computeEnvironments": []}, "fail", "is gone"),
    ],
    ("job-queue", "batch.DescribeJobQueues"): [
        (described_queue("DISABLED"), "fail", "--job-q"),
        ({"jobQueues": []}, "fail", "is gone"),
    ],
    ("bucket", "s3.HeadBucket"): [
        (Refusal("404", status=404), "fail", "is gone"),
        ({"BucketRegion": "us-east-1"}, "fail", "is in us-east-1"),
        (Refusal("403", status=403), "unknown", "s3:ListBucket"),
    ],
    ("repository", "ecr.DescribeRepositories"): [
        (no_such("RepositoryNotFoundException"), "fail", "is gone")
    ],
    ("vm-role", "iam.GetInstanceProfile"): [(no_such("NoSuchEntity"), "fail", "does not exist")],
    ("hosts-role", "iam.GetInstanceProfile"): [(profile(NAME), "fail", "holds no role")],
}


@pytest.mark.parametrize(
    ("part", "call", "answer", "verdict", "says"),
    [(*where, *each) for where, answers in WRONG.items() for each in answers],
)
def test_one_thing_is_wrong(
    part: str, call: str, answer: Recorded, verdict: str, says: str
) -> None:
    """It is named, with what fixes it; nothing is ready then, and programs see it."""
    status = status_of({call: answer})
    looked = {each.check: each for each in status.checks}[part]
    assert verdicts(status)[part] == verdict, looked
    assert says in f"{looked.line} {looked.fix}"
    assert (status.ready, status.exit_status) == (False, 2)


def test_a_vm_that_has_just_started() -> None:
    """Nothing on the console is no verdict in the first minutes, and one later."""
    started = {"ec2.DescribeInstances": instance(LaunchTime=datetime.now(UTC))}
    status = status_of({**started, "ec2.GetConsoleOutput": {"InstanceId": VM}})
    assert verdicts(status)["install-script"] == "not-yet"
    assert status.under_way


def test_without_an_answer_nothing_passes() -> None:
    """No network: every check is unknown, and one broken check leaves the others."""
    status = status_of(dict.fromkeys(healthy(), OSError("odd")))
    assert set(verdicts(status).values()) == {"unknown"}
    assert not status.under_way


def test_half_an_apply() -> None:
    """What the state does not hold is a failure of its own, by name."""
    half = deployed(
        {"aws_instance": [{"id": VM, "arn": arn("ec2", VM), "instance_type": "t3.x"}]}, {}
    )
    found = verdicts(asked(half, healthy()))
    missing = {"compute-environment", "job-queue", "bucket", "repository", "hosts-role"}
    assert {part for part, verdict in found.items() if verdict == "fail"} >= missing


def test_two_environments_are_two_parts() -> None:
    """The hardened profile has two of each, apart for programs."""
    found = asked(deployed(hardened()), healthy())
    parts = [each.check for each in found.checks]
    assert {"compute-environment-1", "compute-environment-2", "job-queue-2"} <= set(parts)
    assert len(parts) == len(set(parts))


def sequence(*statuses: StatusData) -> tuple[list[StatusData], Any]:
    """Return what is left to look at, and what looks."""
    left = list(statuses)
    return left, lambda: left.pop(0) if len(left) > 1 else left[0]


STARTING: Final[dict[str, Recorded]] = {"ec2.DescribeInstances": instance("pending")}
BROKEN: Final[dict[str, Recorded]] = {"batch.DescribeJobQueues": {"jobQueues": []}}


def wait(looks: Callable[[], StatusData], timeout_s: float = 60) -> tuple[StatusData, list[str]]:
    """Wait until all is well; return the last look, and what was said meanwhile."""
    told: list[str] = []
    return wait_until_ready(looks, timeout_s=timeout_s, on_wait=told.append, pause_s=0.001), told


def test_waiting_until_ready() -> None:
    """It looks again, says what it waits for, and ends as soon as all is well."""
    left, looks = sequence(status_of(STARTING), status_of(STARTING), status_of())
    found, told = wait(looks)
    assert found.ready
    assert left == left[-1:]
    assert told[0].startswith(f"Waiting: VM: {VM} is pending, and ")
    assert found.waited_seconds is not None


def test_waiting_ends_where_something_has_failed() -> None:
    """Time fixes no failure, so nobody waits for it."""
    found, told = wait(lambda: status_of({**STARTING, **BROKEN}))
    assert (found.ready, told) == (False, [])


def test_waiting_has_an_end() -> None:
    """After the time given it says how things are then."""
    starting = status_of(STARTING)
    found, _ = wait(lambda: starting, 0.05)
    assert (found.exit_status, found.under_way) == (2, True)


def test_a_lost_answer_does_not_end_the_waiting() -> None:
    """An answer that is lost is asked for again, but not for ever."""
    silent = status_of({"s3.HeadBucket": Refusal("SlowDown", status=503)})
    _, looks = sequence(silent, status_of())
    assert wait(looks)[0].ready
    found, told = wait(lambda: silent)
    assert (found.ready, len(told)) == (False, 2)


Deep = Callable[..., list[str]]


@pytest.fixture
def deep(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deep:
    """Look at the documented stack and into its VM; return the parts that were found."""

    def ask(inside: CheckData, **answers: Recorded) -> list[str]:
        aws, clients = recorded_account()
        named = {f"ec2.{name}": each for name, each in answers.items()}
        aws.answers = {**healthy(), **named}
        monkeypatch.setattr(status, "open_clients", lambda _: clients)
        monkeypatch.setattr(status, "read_deployed", lambda *_: deployed())
        monkeypatch.setattr(status, "ssh_target_of", Mock())
        monkeypatch.setattr(status, "check_key", Mock())
        monkeypatch.setattr(status, "check_inside", lambda *_: (inside,))
        (tmp_path / "cdktf.json").write_text('{"app": "true", "context": {}}')
        stack = Stack(location=Location.of(tmp_path), name="lab", directory=tmp_path)
        found = status.status_of(stack, StatusRequest(deep=True), lambda _: None)
        return [each.check for each in found.checks]

    return ask


SSH: Final = passed("in").named("ssh", "SSH")


@pytest.mark.parametrize(
    ("inside", "stays"),
    [
        (passed("done").named("install-log", "Log"), False),
        (failed("not done", "x").named("install-log", "Log"), False),
        (unknown("unread").named("install-log", "Log"), True),
        (SSH, True),
    ],
)
def test_the_log_on_the_vm_replaces_its_echo(deep: Deep, inside: CheckData, stays: bool) -> None:
    """The console says the same and less; it counts where the log could not be read."""
    found = deep(inside)
    assert ("install-script" in found, found[-1]) == (stays, inside.check)


@pytest.mark.parametrize(
    ("vm", "checks", "is_entered"),
    [
        ("running", ("ok", "ok"), True),
        ("running", ("ok", "impaired"), True),
        ("running", ("initializing", "ok"), False),
        ("pending", ("ok", "ok"), False),
        ("stopped", ("insufficient-data", "ok"), False),
    ],
)
def test_only_a_vm_that_runs_is_entered(
    deep: Deep, vm: str, checks: tuple[str, str], is_entered: bool
) -> None:
    """One that starts or is stopped would only say that it cannot be reached."""
    found = deep(SSH, DescribeInstances=instance(vm), DescribeInstanceStatus=checked(*checks))
    assert ("ssh" in found) is is_entered


def test_a_vm_at_another_address_is_entered(deep: Deep) -> None:
    """Its part has failed, and it runs."""
    assert "ssh" in deep(SSH, DescribeInstances=instance(PublicIpAddress="9.9.9.9"))
