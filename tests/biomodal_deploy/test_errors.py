"""Error families: exit statuses that scripts rely on, and one line that people can read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

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


_NEXT = EngineError("Plan failed", log=Path("run.log"), returncode=1, advice="run init")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            UsageError("It has 3 characters", field="vm_name", value="vm", fix="add one"),
            'vm_name = "vm": It has 3 characters. Fix: add one.',
        ),
        (UsageError("It is wrong"), "It is wrong."),
        (UsageError("It is wrong", field="x"), "x: It is wrong."),
        (UsageError("It is wrong", field="x", value=3), "x = 3: It is wrong."),
        (UsageError("It is wrong", fix='did you mean "y"?'), 'It is wrong. Fix: did you mean "y"?'),
        (_NEXT, "Plan failed. Next: run init. Log: run.log"),
        (EngineError("Plan failed."), "Plan failed."),
    ],
)
def test_what_is_there_is_said_in_order(error: BiomodalError, line: str) -> None:
    """Field, value, rule and fix; the failure, next step and log: no gap where one lacks."""
    assert str(error) == line


TEXT: Final = st.text(st.characters()) | st.sampled_from(["\ud800", "\u2028", "\u200b\ufeff"])
VALUES: Final = st.recursive(
    TEXT | st.integers() | st.floats() | st.none() | st.just(10**4000) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=4,
)


@given(field=TEXT, value=VALUES, fix=TEXT)
def test_a_usage_error_is_one_plain_line(field: str, value: object, fix: str) -> None:
    """No value can break the line or send escape codes to the terminal."""
    line = str(UsageError("Rule", field=field, value=value, fix=fix))
    assert line.isprintable()


def test_long_values_are_cut() -> None:
    """A value of a megabyte does not fill the screen."""
    assert len(str(UsageError("Rule", field="x", value="y" * 1_000_000))) < 150


def test_a_refused_sealed_plan_keeps_its_reason() -> None:
    """The stable word for the difference stays beside the sentence."""
    assert SealedPlanRefused("used", "It was applied.").reason == "used"
