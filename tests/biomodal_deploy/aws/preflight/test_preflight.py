"""How checks are run: all at once, in a stable order, and one that breaks breaks nothing."""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import to_jsonable_python

from biomodal_deploy.aws.checks import Progress, Verdict
from biomodal_deploy.aws.clients import WORKERS, Clients, Once, as_finished
from biomodal_deploy.aws.preflight import OPTIONS, all_checks, run_preflight, run_role_checks
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.plan.impossible import MET_BY
from tests.support.recorded_aws import REGION, RecordedAws, Refusal


def names_of(aws: RecordedAws, target: Target) -> list[str]:
    """Return the name of every check, in order."""
    facts = Facts(target, Clients(aws.session(), target.region), frozenset())
    return [each.name for each in all_checks(facts)]


def test_findings_keep_the_order_of_the_checks(aws: RecordedAws, target: Target) -> None:
    """Whichever answers first, a report reads the same."""
    report = run_preflight(target, aws.session())
    names = [each for each in names_of(aws, target) if each != OPTIONS]
    assert [each.check for each in report.checks] == names
    layers = [each.layer for each in report.checks]
    assert layers == sorted(layers, key=list(dict.fromkeys(layers)).index)


def test_each_check_has_a_word_of_its_own(aws: RecordedAws, target: Target) -> None:
    """Programs tell them apart by it."""
    names = names_of(aws, target)
    assert len(set(names)) == len(names)


def test_quick_asks_what_a_plan_needs(aws: RecordedAws, target: Target) -> None:
    """Credentials, limits, network, roles, names, what AWS would refuse; nothing simulated."""
    report = run_preflight(target, aws.session(), quick=True)
    asked = {each.check for each in report.checks}
    assert {"credentials", "limits", "subnet", "batch-service-role", "bucket", "role"} <= asked
    assert set(MET_BY) <= asked
    assert not asked & {"spot-vcpus", "rehearsal", "tasks-bucket", "caller-policy"}
    assert not [call for call in aws.calls if "Simulate" in call]


@pytest.mark.slow
def test_everybody_slow(target: Target) -> None:
    """With two seconds to every answer, doctor still has all of them in time."""
    aws = RecordedAws(seconds=2.0)
    report = run_preflight(target, aws.session())
    assert report.seconds < 12
    assert len(aws.calls) > 25
    assert report.counts[Verdict.PASS] == len(report.checks) - 1


def test_shared_questions_are_asked_once(aws: RecordedAws, target: Target) -> None:
    """Several checks rest on the caller, the subnet and its routes."""
    run_preflight(target, aws.session())
    for call in ("sts.GetCallerIdentity", "ec2.DescribeSubnets", "ec2.DescribeRouteTables"):
        assert aws.calls.count(call) == 1


def test_progress_is_told_in_the_callers_thread(aws: RecordedAws, target: Target) -> None:
    """A screen can draw it without locks; each check is told once."""
    told: list[Progress] = []

    def note(progress: Progress) -> None:
        assert threading.current_thread() is threading.main_thread()
        told.append(progress)

    report = run_preflight(target, aws.session(), on_progress=note)
    assert [each.done for each in told] == list(range(1, len(report.checks) + 1))
    assert {each.total for each in told} == {len(report.checks)}
    assert {each.finding for each in told} == set(report.checks)


def test_a_check_that_breaks_is_unknown(aws: RecordedAws, target: Target) -> None:
    """An answer that nobody has seen before costs one check, not the report."""
    aws.answers["ec2.DescribeImages"] = lambda _: {"Images": [{"Name": "no id"}]}
    report = run_preflight(target, aws.session())
    found = {each.check: each for each in report.checks}
    assert found["image"].verdict is Verdict.UNKNOWN
    assert "the check itself failed (KeyError" in found["image"].line
    aws.answers["ec2.DescribeImages"] = OSError(errno.EMFILE, "Too many open files")
    found = {each.check: each for each in run_preflight(target, aws.session()).checks}
    assert "Too many open files" in found["image"].line
    assert "ulimit -n" in (found["image"].fix or "")
    assert found["vpc"].verdict is Verdict.PASS


def test_the_report_as_data(aws: RecordedAws, target: Target) -> None:
    """The keys are a contract."""
    aws.answers["ec2.DescribeVpcs"] = Refusal("InvalidVpcID.NotFound")
    report = run_preflight(target, aws.session(), quick=True)
    data = to_jsonable_python(report)
    assert set(data) == {"quick", "seconds", "counts", "checks"}
    assert data["counts"] == {"pass": 22, "fail": 1, "warning": 0, "unknown": 0}
    found = next(each for each in data["checks"] if each["check"] == "vpc")
    assert set(found) == {"check", "layer", "title", "verdict", "under_way", "line", "fix"}
    assert (found["verdict"], report.exit_status) == ("fail", 2)


def test_roles_alone(aws: RecordedAws) -> None:
    """What a stack's roles need is known without a stack."""
    report = run_role_checks(aws.session(), REGION)
    assert [each.check for each in report.checks] == [
        "batch-service-role",
        "spot-service-role",
        "ecs-instance-role",
    ]
    assert not report.failed


class TestPool:
    """Threads: bounded, and never waited for past the deadline."""

    def test_no_more_threads_than_allowed(self) -> None:
        """AWS throttles who asks everything at once."""
        running, most, lock = 0, 0, threading.Lock()
        together = threading.Barrier(4)

        def job() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            together.wait(60)
            with lock:
                running -= 1

        assert len(list(as_finished([job] * 20, workers=4, seconds=60))) == 20
        assert most == 4
        assert WORKERS < 50

    def test_what_is_late_is_left_out(self) -> None:
        """The others are there, and what has not begun never begins."""
        begun: list[int] = []
        release = threading.Event()

        def job(number: int) -> Callable[[], int]:
            def run() -> int:
                begun.append(number)
                if number:
                    release.wait(60)
                return number

            return run

        ended = list(as_finished([job(n) for n in range(9)], workers=2, seconds=1))
        release.set()
        assert [number for number, _ in ended] == [0]
        time.sleep(0.05)
        assert sorted(begun) == [0, 1, 2]

    def test_a_call_that_hangs_does_not_keep_the_process(self) -> None:
        """The interpreter does not wait for it at exit either."""
        program = (
            "import time\n"
            "from biomodal_deploy.aws.clients import as_finished\n"
            "list(as_finished([lambda: time.sleep(60)], workers=1, seconds=0.1))\n"
        )
        subprocess.run([sys.executable, "-c", program], check=True, timeout=20)

    def test_errors_are_handed_over(self) -> None:
        """A job's error is its outcome."""
        ((_, outcome),) = as_finished([lambda: 1 // 0], workers=1, seconds=5)
        with pytest.raises(ZeroDivisionError):
            outcome.result()

    def test_once(self) -> None:
        """Many threads ask, one call is made, and all get its result or its error."""
        calls: list[int] = []

        def make() -> int:
            time.sleep(0.05)
            calls.append(1)
            return 1 // 0

        once = Once(make)
        outcomes = [each for _, each in as_finished([once] * 8, workers=8, seconds=5)]
        assert len(calls) == 1
        assert all(isinstance(each.exception(), ZeroDivisionError) for each in outcomes)


UNKNOWN = Verdict.UNKNOWN


def test_a_healthy_account_passes_every_check(aws: RecordedAws, target: Target) -> None:
    """Where nothing is wrong nothing is said to be; only what nobody told stays open."""
    report = run_preflight(target, aws.session())
    found = {each.check: each for each in report.checks}
    assert found.pop("caller-policy").verdict is UNKNOWN
    assert {check: each for check, each in found.items() if each.verdict is not Verdict.PASS} == {}
    assert not report.failed
    assert report.exit_status == 0


def test_nothing_is_changed(aws: RecordedAws, target: Target) -> None:
    """Every call reads, but for the launch that EC2 only rehearses."""

    def rehearsed(asked: Any) -> Refusal:
        assert asked["DryRun"] is True
        return Refusal("DryRunOperation", status=412)

    aws.answers["ec2.RunInstances"] = rehearsed
    report = run_preflight(target, aws.session())
    verbs = ("Describe", "Get", "List", "Head", "Simulate")
    changing = {call for call in aws.calls if not call.partition(".")[2].startswith(verbs)}
    assert changing == {"ec2.RunInstances"}
    assert not report.failed
