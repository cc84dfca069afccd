"""Stopping and starting the VM on recorded answers of AWS: waiting, and what speaks against it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from unittest.mock import Mock

import pytest

from biomodal_deploy.aws.checks import CheckData, failed, unknown
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.engine.process import Captured, NotStarted
from biomodal_deploy.errors import EngineError, Interrupted, UsageError
from biomodal_deploy.vm import power
from biomodal_deploy.vm.jobs import JobData, JobsData
from biomodal_deploy.vm.power import PowerData, PowerRequest, switch
from biomodal_deploy.workflow.location import Location, Step, WorkflowEvent
from biomodal_deploy.workflow.stack import Stack
from tests.support.operated import ADDRESS, REGION, VM, deployed, outputs
from tests.support.recorded_aws import Given, RecordedAws, Refusal

VOLUME: Final = {"VolumeId": "vol-1", "Size": 100, "VolumeType": "gp3", "Iops": 3000}


class Account:
    """A VM that goes through states, one with each question, and stays in the last.

    Attributes:
        asked: What was done to it.
        steps: What a person saw.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path, *states: str) -> None:
        self.states = list(states)
        self.asked: list[str] = []
        self.steps: list[str] = []
        self.aws = RecordedAws(
            {
                "ec2.DescribeInstances": self._describe,
                "ec2.StopInstances": lambda _: self._note("stop"),
                "ec2.StartInstances": lambda _: self._note("start"),
                "ec2.DescribeVolumes": {"Volumes": [VOLUME]},
                "ec2.DescribeAddresses": {"Addresses": [{"PublicIp": ADDRESS}]},
            }
        )
        clients = Clients(self.aws.session(REGION), REGION)
        monkeypatch.setattr(power, "open_clients", lambda _: clients)
        monkeypatch.setattr(power, "read_deployed", lambda *_: deployed())
        monkeypatch.setattr(power, "PAUSE_S", 0.0)
        (folder / "cdktf.json").write_text('{"app": "true", "context": {}}')
        self.stack = Stack(location=Location.of(folder), name="lab", directory=folder)

    def switch(self, wanted: str, timeout_s: float = 60, *, force: bool = True) -> PowerData:
        """Stop or start it, by default whatever runs."""
        request = PowerRequest(wanted=wanted, force=force, timeout_s=timeout_s)
        return switch(self.stack, request, self._listen)

    def _listen(self, event: WorkflowEvent) -> None:
        if isinstance(event, Step):
            self.steps.append(event.text)

    def _describe(self, _: Mapping[str, Any]) -> Given:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        found = {"InstanceId": VM, "State": {"Name": state}, "LaunchTime": 0}
        found["PublicIpAddress"] = ADDRESS
        return {"Reservations": [{"Instances": [found]}]}

    def _note(self, what: str) -> Given:
        self.asked.append(what)
        return {}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Account]:
    """Make an account whose VM goes through states."""
    return lambda *states: Account(monkeypatch, tmp_path, *states)


@pytest.mark.parametrize(
    ("wanted", "states", "asked"),
    [
        ("stopped", ("running", "running", "stopping", "stopped"), ["stop"]),
        ("stopped", ("pending", "running", "stopping", "stopped"), ["stop"]),
        ("stopped", ("stopping", "stopped"), []),
        ("running", ("stopping", "stopped", "stopped", "pending", "running"), ["start"]),
        ("running", ("running",), []),
    ],
)
def test_waiting(
    account: Callable[..., Account], wanted: str, states: tuple[str, ...], asked: list[str]
) -> None:
    """It is told once at most, what is under way is waited for, and each wait is seen."""
    lab = account(*states)
    found = lab.switch(wanted)
    assert (found.state, found.exit_status, lab.asked) == (wanted, 0, asked)
    assert found.changed is bool(lab.steps) is bool(asked)
    assert (found.address, bool(found.costs)) == (ADDRESS, wanted == "stopped")
    assert all(each.startswith(f"Waiting: {VM} is ") for each in lab.steps)


def test_the_time_is_over(account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is what it is then, and the status says that it is not what was asked for."""
    lab = account("running", "stopping")
    monkeypatch.setattr(power, "PAUSE_S", 60.0)  # and nobody waits longer than that time
    found = lab.switch("stopped", timeout_s=0.01)
    assert found.waited_seconds < 30
    assert (found.state, found.changed, found.exit_status) == ("stopping", True, 2)


def test_what_costs_on(account: Callable[..., Account], tmp_path: Path) -> None:
    """Volume and address at the project's prices; without a price it is unknown, and never 0."""
    lab = account("stopped")
    costs = lab.switch("stopped").costs or ()
    assert [(each.address, each.amount) for each in costs] == [("vol-1", None), (ADDRESS, None)]
    source = {"as_of": "2026-11-01", "source": "here"}
    groups = [
        {**source, "unit": "GB-month", "prices": {"volume/gp3": 0.1}},
        {**source, "unit": "hour", "prices": {"address": 0.01}},
    ]
    (tmp_path / "prices.json").write_text(json.dumps({"regions": {REGION: groups}}))
    costs = lab.switch("stopped").costs or ()
    assert [each.amount for each in costs] == [pytest.approx(10), pytest.approx(7.3)]
    lab.aws.answers["ec2.DescribeVolumes"] = Refusal("UnauthorizedOperation")
    assert lab.switch("stopped").costs is None


PROTECTED: Final = Refusal(
    "OperationNotPermitted", "Modify its 'disableApiStop' instance attribute"
)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (PROTECTED, UsageError, "--no-disable-api-stop"),
        (Refusal("UnauthorizedOperation"), EngineError, "may not ec2:StopInstances"),
        (Refusal("IncorrectInstanceState", "odd"), EngineError, "IncorrectInstanceState: odd"),
    ],
)
def test_ec2_refuses(
    account: Callable[..., Account], answer: Refusal, error: type[Exception], says: str
) -> None:
    """One line with what to do."""
    lab = account("running")
    lab.aws.answers["ec2.StopInstances"] = answer
    with pytest.raises(error, match=re.escape(says)):
        lab.switch("stopped")


def test_a_vm_that_is_gone(account: Callable[..., Account]) -> None:
    """There is nothing to start, whether EC2 still names it or not."""
    lab = account("terminated")
    with pytest.raises(UsageError, match="is gone"):
        lab.switch("running")
    lab.aws.answers["ec2.DescribeInstances"] = {"Reservations": []}
    with pytest.raises(UsageError, match="is gone"):
        lab.switch("running")


JOB: Final = JobData(
    id="1",
    name="call",
    queue="q",
    state="RUNNING",
    since=datetime.now(UTC),
    reason=None,
    cancel="",
    cost_usd=None,
    runs=True,
)
UNASKED: Final = [
    unknown("odd").named("jobs", "Jobs"),
    failed("odd", "x").named("orphans", "Orphans"),
]
NOTHING: Final = Captured(1)


@pytest.mark.parametrize(
    ("jobs", "unasked", "pgrep", "found"),
    [
        ([], [], NOTHING, []),
        ([JOB], [], NOTHING, [("jobs", "fail", "1 job in the queues: 1 RUNNING")]),
        ([], UNASKED, NOTHING, [("jobs", "unknown", "odd")]),
        ([], [], Captured(0, stdout=b"4711\n"), [("nextflow", "fail", "(process 4711)")]),
        ([], [], Captured(2), [("nextflow", "unknown", "pgrep: status 2")]),
        ([], [], Captured(2, stderr=b"odd\n"), [("nextflow", "unknown", "pgrep: odd")]),
        ([], [], UsageError("no key"), [("nextflow", "unknown", "no key")]),
        ([], [], EngineError("no way"), [("nextflow", "unknown", "no way")]),
        ([], [], NotStarted("no ssh"), [("nextflow", "unknown", "no ssh")]),
    ],
)
def test_what_speaks_against_a_stop(
    account: Callable[..., Account],
    monkeypatch: pytest.MonkeyPatch,
    jobs: list[JobData],
    unasked: list[CheckData],
    pgrep: Captured | Exception,
    found: list[tuple[str, str, str]],
) -> None:
    """Jobs, Nextflow, and what could not be looked at: the VM is left alone, and nobody waits."""
    lab = account("running", "running", *([] if found else ["stopped"]))
    given = JobsData.of(deployed(), jobs, unasked)
    monkeypatch.setattr(power, "find_jobs", lambda *_: given)
    monkeypatch.setattr(power, "ssh_target_of", Mock())
    asked = Mock(**{"side_effect" if isinstance(pgrep, Exception) else "return_value": pgrep})
    monkeypatch.setattr(power, "capture_by_ssh", asked)
    done = lab.switch("stopped", force=False)
    assert len(done.problems) == len(found)
    for problem, (check, verdict, line) in zip(done.problems, found, strict=True):
        assert (problem.check, problem.verdict.value) == (check, verdict)
        assert problem.line.endswith(line)
    assert (lab.asked, done.changed) == ([] if found else ["stop"], not found)
    assert any("Waiting" in each for each in lab.steps) is not bool(found)


def test_a_stop_that_is_interrupted_while_it_looks(
    account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is stopped."""
    lab = account("running")
    monkeypatch.setattr(power, "find_jobs", lambda *_: JobsData.of(deployed(), [], []))
    monkeypatch.setattr(power, "ssh_target_of", Mock(side_effect=Interrupted("Interrupted.")))
    with pytest.raises(Interrupted):
        lab.switch("stopped", force=False)
    assert lab.asked == []


def test_without_a_key_nobody_can_look(
    account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The VM is left alone, and the line says how to look; a start looks for nothing."""
    lab = account("running")
    keyless = deployed(given=outputs(private_key_filename=""))
    monkeypatch.setattr(power, "read_deployed", lambda *_: keyless)
    monkeypatch.setattr(power, "find_jobs", lambda *_: JobsData.of(keyless, [], []))
    (problem,) = lab.switch("stopped", force=False).problems
    assert "no SSH key" in problem.line
    assert "connect --ssm" in (problem.fix or "")
    assert power._PGREP in (problem.fix or "")
    monkeypatch.setattr(power, "find_jobs", Mock(side_effect=AssertionError))
    lab.states = ["stopped", "stopped", "running"]
    assert lab.switch("running", force=False).state == "running"


def test_an_interrupted_wait(
    account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line says that EC2 goes on."""
    lab = account("running", "stopping")
    monkeypatch.setattr(time, "sleep", Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(Interrupted, match="goes on by itself"):
        lab.switch("stopped")


def test_the_line_does_not_find_its_own_shell() -> None:
    """The shell that runs it on the VM has it among its own words."""
    pattern = power._PGREP.split("'")[1]
    assert re.search(pattern, "java -Xmx1g -cp x nextflow.cli.Launcher run")
    assert not re.search(pattern, power._PGREP)
