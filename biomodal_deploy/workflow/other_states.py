"""What the other local states of a project hold: nobody's to delete, nor to take over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from biomodal_deploy.aws.resources import owned_by
from biomodal_deploy.config.backends import LocalBackend
from biomodal_deploy.engine.terraform.local_state import DEFAULT_WORKSPACE, state_path
from biomodal_deploy.files import read_regular
from biomodal_deploy.workflow.engine import workspace_of
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import local_state_of


def held_elsewhere(location: Location, name: str) -> dict[str, str]:
    """Return what other local states hold, as `owned_by`, each with the words for whose it is.

    One that cannot be read is left out: it is another stack's matter.

    Args:
        name: The stack whose own state is left out, in the workspace that is chosen now.
    """
    here = workspace_of(Stack.at(location, name))
    held: dict[str, str] = {}
    for other, workspace, path in _local_states(location):
        if (other, workspace) == (name, here):
            continue
        try:
            state = json.loads(read_regular(path))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(state, dict):
            whose = "this stack" if other == name else f"the stack {other}"
            held |= dict.fromkeys(owned_by(state), f"{whose} in the workspace {workspace}")
    return held


def _local_states(location: Location) -> Iterator[tuple[str, str, Path]]:
    """Yield each stack, workspace and the file of its state, in their order."""
    for name, settings in sorted(location.stacks.items()):
        if isinstance(settings.backend, LocalBackend):
            stack = Stack.at(location, name)
            yield name, DEFAULT_WORKSPACE, local_state_of(stack)
            for path in sorted(stack.directory.glob(str(state_path({}, "*")))):
                yield name, path.parent.name, path
