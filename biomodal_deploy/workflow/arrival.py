"""What a state meets where it is moved to: nothing, itself, or another that must not be lost."""

from __future__ import annotations

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.workflow.journal import Journal
from biomodal_deploy.workflow.state_files import State


def is_renamed(state: State, there: State) -> bool:
    """Say whether a state is ours under another lineage.

    Where a remote backend holds none yet, Terraform gives whatever is pushed there a lineage of
    its own, and serial 1. Nobody else's state holds the very same resources.
    """
    return there.lineage != state.lineage and (there.sha256, there.serial) == (state.sha256, 1)


def has_to_move(state: State, there: State | None, journal: Journal, target: str) -> bool:
    """Say whether a state has to be written; refuse where it would take another one's place.

    Args:
        state: The state to move.
        there: What is in its new place.
        journal: The move that was begun, with what it wrote there before.
        target: The new place, for people.

    Raises:
        UsageError: What is there would be lost.
    """
    if there is None:
        return True
    if is_renamed(state, there):
        return False
    if there.lineage != state.lineage:
        emptied = " (and is empty)" if there.is_empty else ""
        raise UsageError(
            f"holds another state{emptied}: its lineage is {there.lineage}, and that of the "
            f"one to move is {state.lineage}. Nothing was written there",
            field=target,
            fix="give the stack a place of its own, or take the other state away first",
        )
    arrived = state.sha256 in (there.sha256, journal.moved)
    if there.serial >= state.serial and arrived:
        return False  # where it is a later one, others have gone on with it since
    if there.serial >= state.serial:
        raise UsageError(
            f"holds serial {there.serial} of the same state, and the one to move has serial "
            f"{state.serial} with other contents: both went on. Nothing was written there",
            field=target,
            fix="find out which of the two is right, and move the other one away",
        )
    return True


def check_arrival(state: State, there: State | None, target: str) -> None:
    """Make sure that a state is where it was written to.

    Raises:
        EngineError: Something else is there, or nothing.
    """
    # Beyond our serial somebody else has gone on already.
    fits = (
        there is not None
        and there.lineage == state.lineage
        and (there.serial > state.serial or there.sha256 == state.sha256)
        and there.serial >= state.serial
    )
    if not fits:
        raise EngineError(
            f"{target} does not hold what was moved there ({state}), but {there or 'nothing'}; "
            "the old state is where it was",
            advice="run biomodal-aws backend migrate again",
        )
