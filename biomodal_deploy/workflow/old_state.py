"""The state where it was before a move: read there, and put away afterwards."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from biomodal_deploy.config.backends import CloudBackend
from biomodal_deploy.files import scratch, sync, writing
from biomodal_deploy.workflow.engine import DEFAULT_WORKSPACE, open_engine, workspace_of
from biomodal_deploy.workflow.journal import Previous, local_path_of
from biomodal_deploy.workflow.signals import Listener, Step, silent
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import State, backups_of, held, parse_state


@contextlib.contextmanager
def old_state(
    stack: Stack, previous: Previous, logs: Path, listen: Listener
) -> Iterator[State | None]:
    """Give the state that is to be moved; a local one is held until the block ends.

    Args:
        stack: The stack.
        previous: The backend that it leaves.
        logs: Where Terraform's words go.
        listen: Told of what takes a while.

    Raises:
        UsageError: It cannot be read.
        EngineError: Terraform failed, or holds the state's lock.
    """
    if previous.type == "local":
        path = local_path_of(stack, previous)
        with held(path) as content:
            yield parse_state(content, str(path))
        return
    listen(Step(f"Reading the state from {previous.where(stack)}"))
    # In a directory of its own: the stack's is initialized for the new backend, or will be.
    with scratch(logs, "migrate") as folder:
        (folder / "main.tf.json").write_text(
            json.dumps({"terraform": previous.block}), encoding="utf-8"
        )
        engine = open_engine(stack.location, folder, workspace=_workspace(stack, previous))
        engine.init(silent, logs / "migrate.log")
        yield parse_state(engine.state_content(), previous.where(stack))


def put_away(stack: Stack, previous: Previous, backup: Path | None) -> None:
    """Make of an old local file the backup; a state elsewhere stays there, as it was."""
    if previous.type != "local":
        return
    path = local_path_of(stack, previous)
    folder = backups_of(stack)
    # Terraform's own copy of the version before.
    older = path.with_name(f"{path.name}.backup")
    with writing(path):
        for file, kept in ((path, backup), (older, None)):
            if file.exists():
                kept = kept or folder / f"{stack.name}-{file.name}"
                file.chmod(0o600)
                file.replace(kept)
    sync(folder)


def _workspace(stack: Stack, previous: Previous) -> str:
    if previous.type == "cloud":
        named = previous.config.get("workspaces")
        return str(named.get("name")) if isinstance(named, dict) else DEFAULT_WORKSPACE
    leaves_cloud = isinstance(stack.settings.backend, CloudBackend)
    return DEFAULT_WORKSPACE if leaves_cloud else workspace_of(stack)
