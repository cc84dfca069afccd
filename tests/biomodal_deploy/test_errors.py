"""Error families: exit statuses that scripts rely on, and one line that people can read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.errors import (
    BiomodalError,
    EngineError,
    GuardRefused,
    Interrupted,
    SealedPlanRefused,
    UsageError,
)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UsageError("Rule"), 64, "usage"),
        (EngineError("Failed"), 1, "engine"),
        (GuardRefused("No"), 3, "guard_refused"),
        (SealedPlanRefused("expired", "It is too old."), 4, "sealed_plan_refused"),
        (Interrupted("Stopped"), 130, "interrupted"),
        (BiomodalError("Oops"), 70, "error"),
    ],
)
def test_exit_statuses_and_codes(error: BiomodalError, status: int, code: str) -> None:
    """Each family keeps its exit status and its word in `--output json`."""
    assert (error.exit_status, error.code) == (status, code)
    assert isinstance(error, BiomodalError)


def test_a_usage_error_says_field_value_rule_and_fix() -> None:
    """All four, in this order, as sentences."""
    error = UsageError("It has 3 characters", field="vm_name", value="vm", fix="add one")
    assert str(error) == 'vm_name = "vm": It has 3 characters. Fix: add one.'


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UsageError("It is wrong"), "It is wrong."),
        (UsageError("It is wrong", field="x"), "x: It is wrong."),
        (UsageError("It is wrong", field="x", value=3), "x = 3: It is wrong."),
        (UsageError("It is wrong", fix='did you mean "y"?'), 'It is wrong. Fix: did you mean "y"?'),
    ],
)
def test_parts_that_are_missing_leave_no_gap(error: UsageError, line: str) -> None:
    """Nothing is said about a field, a value or a fix that is not there."""
    assert str(error) == line


@given(field=st.text(), value=st.text() | st.integers() | st.lists(st.text()), fix=st.text())
def test_a_usage_error_is_one_plain_line(field: str, value: object, fix: str) -> None:
    """No value can break the line or send escape codes to the terminal."""
    line = str(UsageError("Rule", field=field, value=value, fix=fix))
    assert line.isprintable()


def test_long_values_are_cut() -> None:
    """A value of a megabyte does not fill the screen."""
    assert len(str(UsageError("Rule", field="x", value="y" * 1_000_000))) < 150


def test_an_engine_error_says_what_to_do_next_and_where_to_look() -> None:
    """The message, the next step and the log, in this order."""
    error = EngineError("Plan failed", log=Path("run.log"), returncode=1, advice="run init")
    assert str(error) == "Plan failed. Next: run init. Log: run.log"
    assert str(EngineError("Plan failed.")) == "Plan failed."


def test_a_refused_sealed_plan_keeps_its_reason() -> None:
    """The stable word for the difference stays beside the sentence."""
    assert SealedPlanRefused("used", "It was applied.").reason == "used"


@pytest.mark.parametrize("heavy", ["pydantic", "rich", "typer", "boto3", "cdktf", "jsii"])
def test_errors_cost_nothing_to_import(heavy: str) -> None:
    """The package and its errors load without any of the big libraries."""
    program = f"import sys, biomodal_deploy.errors; print({heavy!r} in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
