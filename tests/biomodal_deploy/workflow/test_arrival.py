"""What is in a state's new place decides whether it is written, left or refused."""

from __future__ import annotations

import json
from typing import Final

import pytest

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.workflow.arrival import check_arrival, has_to_move, is_renamed
from biomodal_deploy.workflow.journal import Journal, Previous
from biomodal_deploy.workflow.state_files import State, parse_state

BEGUN: Final = Journal(previous=Previous(type="local"))


def state(serial: int, *resources: str, lineage: str = "ours") -> State:
    """Return a state that holds some resources."""
    content = {"lineage": lineage, "serial": serial, "resources": list(resources)}
    found = parse_state(json.dumps(content).encode(), "x")
    assert found is not None
    return found


OURS: Final = state(7, "a", "b")


@pytest.mark.parametrize(
    ("there", "moves"),
    [
        (None, True),
        (state(6, "a"), True),
        (state(7, "a", "b"), False),
        (state(9, "a", "b"), False),
        (state(1, "a", "b", lineage="pushed"), False),
    ],
)
def test_what_is_written(there: State | None, moves: bool) -> None:
    """Over nothing and over an older version; itself is not written again."""
    assert has_to_move(OURS, there, BEGUN, "there") is moves


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (state(1, "z", lineage="theirs"), "holds another state: its lineage is theirs"),
        (state(1, lineage="theirs"), r"holds another state \(and is empty\)"),
        (state(7, "z"), "both went on"),
        (state(9, "z"), "both went on"),
    ],
)
def test_what_is_refused(there: State, reason: str) -> None:
    """Another state, and a version that went its own way, are not written over."""
    with pytest.raises(UsageError, match=reason):
        has_to_move(OURS, there, BEGUN, "there")


def test_what_others_made_of_it_since_is_left() -> None:
    """Where we wrote it before and a later version is there, others have gone on with it."""
    ours = BEGUN.model_copy(update={"moved": OURS.sha256})
    assert not has_to_move(OURS, state(9, "z"), ours, "there")


def test_a_new_lineage_is_told_from_another_state() -> None:
    """Serial 1 and the very same resources are ours; either alone is not."""
    assert is_renamed(OURS, state(1, "a", "b", lineage="pushed"))
    assert not is_renamed(OURS, state(2, "a", "b", lineage="pushed"))
    assert not is_renamed(OURS, state(1, "a", lineage="pushed"))
    assert not is_renamed(OURS, OURS)


def test_arrived() -> None:
    """The same contents, or a later version of the same state."""
    check_arrival(OURS, state(7, "a", "b"), "there")
    check_arrival(OURS, state(8, "z"), "there")


@pytest.mark.parametrize(
    "there", [None, state(6, "a", "b"), state(7, "z"), state(8, "a", "b", lineage="theirs")]
)
def test_not_arrived(there: State | None) -> None:
    """Anything else is an error, and the old state is not put away."""
    with pytest.raises(EngineError, match="the old state is where it was"):
        check_arrival(OURS, there, "there")
