"""What a command found or did for one deployment, in a few words: a cell of a set's table."""

from __future__ import annotations

from pydantic import JsonValue

from biomodal_deploy.plan import Counts
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.sets.outcome import Outcome


def describe_plan(outcome: Outcome) -> str:
    """Return what a plan would do, and its name."""
    data = outcome.data
    if data is None:
        return ""
    counts = Counts.model_validate(data["counts"])
    return f"{counts.sentence().rstrip('.')}  {data['bundle']}"


def describe_drift(outcome: Outcome) -> str:
    """Return how much changed outside Terraform."""
    data = outcome.data
    if data is None:
        return ""
    count = _length(data["drift"])
    return f"{counted(count, 'resource')} changed" if count else "as Terraform left it"


def describe_apply(outcome: Outcome) -> str:
    """Return how much was changed."""
    data = outcome.data
    if data is None:
        return ""
    if data["bundle"] is None:
        return str(data["reason"]).replace("_", " ")
    return f"{counted(_length(data['completed']), 'change')} made  {data['bundle']}"


def _length(value: JsonValue) -> int:
    return len(value) if isinstance(value, list) else 0
