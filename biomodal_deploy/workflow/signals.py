"""What a workflow reports while it works: its own steps and the engine's events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from biomodal_deploy.engine.terraform.events import Event


@dataclass(frozen=True)
class Step:
    """Something that takes a while begins."""

    text: str


@dataclass(frozen=True)
class Notice:
    """Something that the user should know and need not act on."""

    text: str


# In quotes: commands that read sealed plans should not wait for the engine's events.
WorkflowEvent: TypeAlias = "Event | Step | Notice"
Listener: TypeAlias = Callable[[WorkflowEvent], None]


def silent(_: WorkflowEvent) -> None:
    """Report nothing."""
