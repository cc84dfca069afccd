"""Tests for biomodal_deploy.plan.sealed.use."""

from __future__ import annotations

import os
import resource as limits
import signal
from pathlib import Path

import pytest

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan.sealed import SealedPlan, UseState, consume, record_outcome
from biomodal_deploy.plan.sealed.facts import whoami
from biomodal_deploy.plan.sealed.use import ENDED, use_of
from tests.support.sealed_plans import NOW, forked, refused, sealed


def test_a_plan_is_used_once(tmp_path: Path) -> None:
    """The second time is told when and by whom the first was."""
    sealed_plan = sealed(tmp_path)
    consume(sealed_plan.path, now=NOW)
    record_outcome(sealed_plan.path, UseState.APPLIED)
    with pytest.raises(SealedPlanRefused) as caught:
        consume(sealed_plan.path)
    assert caught.value.reason == "used"
    assert "applied at" in str(caught.value)
    assert f"by {whoami()} (process {os.getpid()})" in str(caught.value)


@pytest.mark.slow
def test_of_many_at_once_one_passes(tmp_path: Path) -> None:
    """Two applies at the same moment cannot both."""
    sealed_plan = sealed(tmp_path)
    ended = forked(*[lambda: consume(sealed_plan.path)] * 12)
    assert sorted(ended, key=str) == [0] + [1] * 11


def test_while_it_runs_it_is_in_use(tmp_path: Path) -> None:
    """The process that claimed it lives."""
    sealed_plan = sealed(tmp_path)
    consume(sealed_plan.path)
    with refused("in_use", "being applied since"):
        consume(sealed_plan.path)
    assert SealedPlan.load(sealed_plan.path).use.state is UseState.RUNNING


def test_after_a_crash_the_outcome_is_unknown(tmp_path: Path) -> None:
    """It says which process it was, and is not used again."""
    sealed_plan = sealed(tmp_path)

    def crash() -> None:
        consume(sealed_plan.path)
        os.kill(os.getpid(), signal.SIGKILL)

    forked(crash, kill=True)
    use = SealedPlan.load(sealed_plan.path).use
    assert use.state is UseState.UNKNOWN
    assert use.claim is not None
    assert f"process {use.claim.by.pid}" in use.sentence()
    with refused("outcome_unknown", "how it ended is unknown"):
        consume(sealed_plan.path)


@pytest.mark.parametrize("content", ["", "{", '{"at": 1}', "\x00" * 100, None])
def test_a_claim_that_cannot_be_read_is_a_claim(tmp_path: Path, content: str | None) -> None:
    """A crash may have cut it short, or somebody emptied it, or it is a link to nowhere."""
    sealed_plan = sealed(tmp_path)
    claim = sealed_plan.path / "consumed.json"
    if content is None:
        claim.symlink_to("nowhere")
    else:
        claim.write_text(content)
    assert use_of(sealed_plan.path).state is UseState.UNKNOWN
    with pytest.raises(SealedPlanRefused):
        consume(sealed_plan.path)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_the_outcome_is_kept(tmp_path: Path, state: UseState) -> None:
    """With its words."""
    sealed_plan = sealed(tmp_path)
    consume(sealed_plan.path)
    record_outcome(sealed_plan.path, state, "3 of 5 done")
    use = SealedPlan.load(sealed_plan.path).use
    assert use.state is state
    assert use.outcome is not None
    assert use.outcome.message == "3 of 5 done"
    assert use.sentence().startswith(f"{state} at ")


def test_any_words_of_an_error_are_kept_on_a_line(tmp_path: Path) -> None:
    """Terraform's errors have many lines, and a failure must not fail to be recorded."""
    sealed_plan = sealed(tmp_path)
    consume(sealed_plan.path)
    record_outcome(sealed_plan.path, UseState.FAILED, "Error:\n\x1b[31m" + "x" * 9000)
    outcome = SealedPlan.load(sealed_plan.path).use.outcome
    assert outcome is not None
    assert outcome.message.startswith("Error:  [31mxxx")


@pytest.mark.parametrize("state", sorted(set(UseState) - ENDED))
def test_only_an_end_is_an_outcome(tmp_path: Path, state: UseState) -> None:
    """A bug of ours must not make a plan unused again."""
    with pytest.raises(ValueError, match=state):
        record_outcome(sealed(tmp_path).path, state)


def test_a_full_disk_leaves_the_plan_unused(tmp_path: Path) -> None:
    """Nothing was started."""
    sealed_plan = sealed(tmp_path)

    def fill() -> None:
        limits.setrlimit(limits.RLIMIT_FSIZE, (10, 10))
        with pytest.raises(UsageError, match="cannot be written"):
            consume(sealed_plan.path)

    assert forked(fill) == [0]
    assert use_of(sealed_plan.path).state is UseState.UNUSED
    consume(sealed_plan.path)
