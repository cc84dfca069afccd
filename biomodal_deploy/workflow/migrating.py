"""Move a stack's state to the backend that its settings name.

Terraform's own `init -migrate-state` copies, forgets the old backend and empties the old file in
one go, so whoever stops it cannot tell how far it came. Here each step can be told from the
outside, and the old state stays where it is until the new one was read back:

    back up, write down where from, initialize, compare, push, read back, put the old file away.

Run again after any of them, it does what is left.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from biomodal_deploy.config.backends import CloudBackend
from biomodal_deploy.engine.terraform import StateHeader, TerraformCli, TerraformFailed
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.files import scratch, sync, writing
from biomodal_deploy.plan.history import Event
from biomodal_deploy.plan.sealed import backend_of
from biomodal_deploy.workflow.backend_checks import check_config_files, check_version, config_files
from biomodal_deploy.workflow.journal import (
    Journal,
    Previous,
    check_arrival,
    close_journal,
    default_previous,
    has_to_move,
    is_renamed,
    local_path_of,
    read_journal,
    remembered_backend,
    write_journal,
)
from biomodal_deploy.workflow.location import Step, silent
from biomodal_deploy.workflow.lost_state import require_state
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import (
    State,
    back_up,
    backups_of,
    held,
    local_state_of,
    parse_state,
)
from biomodal_deploy.workflow.terraform_setup import (
    open_engine,
    point_at_backend,
    workspace_of,
)


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """Where a state is now.

    Attributes:
        stack: The stack.
        moved: Whether it was elsewhere.
        source, target: From where, to where.
        lineage, serial, resources: What names the state, and how much it holds.
        backup: The copy that was made first.
    """

    stack: str
    moved: bool
    source: str | None
    target: str
    lineage: str | None
    serial: int | None
    resources: int | None
    backup: Path | None

    @classmethod
    def of(
        cls, stack: Stack, source: str | None, state: State | None, backup: Path | None
    ) -> Migrated:
        """Return where a stack's state is, and where it was; None where it was there already."""
        return cls(
            stack=stack.name,
            moved=source is not None,
            source=source,
            target=_where(stack),
            lineage=state.lineage if state else None,
            serial=state.serial if state else None,
            resources=state.resources if state else None,
            backup=backup,
        )


def migrate_state(stack: Stack) -> Migrated:
    """Move a stack's state to the backend that its settings name, or finish doing so.

    Args:
        stack: The stack, freshly synthesized.

    Raises:
        UsageError: The target holds another state, or the settings do not do.
        EngineError: Terraform failed, or somebody holds a lock.
        Interrupted: It was asked to stop; nothing is lost, and running it again goes on.
    """
    logs = stack.logs
    log = logs / "migrate.log"
    engine = open_engine(stack)
    with _alone(stack):
        stack.on_event(Step("Looking where the state is"))
        journal = _begun(stack, engine, log)
        if journal is None:
            point_at_backend(stack, engine, log)
            return Migrated.of(stack, None, None, None)
        with old_state(stack, journal.previous, logs) as state:
            return _move(stack, engine, journal, state, log)


def _begun(stack: Stack, engine: TerraformCli, log: Path) -> Journal | None:
    """Return where the state is moved from; None where it is where it belongs."""
    if (journal := read_journal(stack)) is not None:
        return journal
    remembered = remembered_backend(stack)
    if remembered is not None and _has_changed(stack, engine, log):
        return Journal(previous=remembered)
    # In a fresh checkout nothing is remembered, and the file is all that speaks.
    target_is_local = stack.settings.backend.kind == "local"
    if not target_is_local and local_state_of(stack).exists():
        return Journal(previous=default_previous(stack))
    return None


def _has_changed(stack: Stack, engine: TerraformCli, log: Path) -> bool:
    """Ask Terraform whether the backend is another one now; it alone knows every default."""
    check_version(stack, engine)
    check_config_files(stack)
    try:
        engine.init(silent, log, backend_config=config_files(stack))
    except TerraformFailed as failure:
        if failure.code != "backend_changed":
            raise
        return True
    return False


def _move(
    stack: Stack, engine: TerraformCli, journal: Journal, state: State | None, log: Path
) -> Migrated:
    source = journal.previous.where(stack)
    backup = None
    if state is not None:
        stack.on_event(Step("Backing up the state"))
        backup = back_up(stack, state, "from")
    write_journal(stack, journal)
    point_at_backend(stack, engine, log)
    target = _where(stack)
    if target == source:
        # The settings were set back after a move had begun: that place was never left.
        close_journal(stack)
        return Migrated.of(stack, None, state, backup)
    # One that holds nothing is not worth a refusal by what is there.
    if state is not None and backup is not None and not state.is_empty:
        try:
            _bring(stack, engine, state, backup, journal, log)
        except UsageError:
            # Nothing was begun there, and the old file itself stands in the way of a plan.
            if journal.previous.type == "local":
                close_journal(stack)
            raise
        journal = journal.model_copy(update={"moved": state.sha256})
        write_journal(stack, journal)
    else:
        _require_no_loss(stack, engine, journal.previous, state)
    stack.on_event(Step("Putting the old state away"))
    put_away(stack, journal.previous, backup)
    stack.history.append(
        Event.MIGRATION,
        message=f"the state is in {target} now, and was in {source}",
        details={"lineage": state.lineage, "serial": state.serial} if state else {},
    )
    close_journal(stack)
    return Migrated.of(stack, source, state, backup)


def _require_no_loss(
    stack: Stack, engine: TerraformCli, previous: Previous, state: State | None
) -> None:
    """Refuse to call a move done where something was applied and neither place holds it."""
    there = parse_state(engine.state_content(), _where(stack))
    if there is None or there.is_empty:
        header = StateHeader(lineage=state.lineage, serial=state.serial) if state else None
        require_state(stack, engine.workspace, header, previous)


def _bring(
    stack: Stack, engine: TerraformCli, state: State, backup: Path, journal: Journal, log: Path
) -> None:
    """Put a state where it belongs, and read it back."""
    target = _where(stack)
    stack.on_event(Step("Comparing with what is there"))
    there = parse_state(engine.state_content(), target)
    if has_to_move(state, there, journal, target):
        if there is not None:
            back_up(stack, there, "replaced")
        stack.on_event(Step("Moving the state"))
        engine.state_push(backup, stack.on_event, log)
        stack.on_event(Step("Reading it back"))
        there = parse_state(engine.state_content(), target)
    if there is not None and is_renamed(state, there):
        stack.on_event(Step("Restoring its lineage"))
        engine.state_push(backup, stack.on_event, log, force=True)
        there = parse_state(engine.state_content(), target)
    check_arrival(state, there, target)


def _where(stack: Stack) -> str:
    data_dir = stack.location.environment.get("TF_DATA_DIR")
    return backend_of(
        stack.directory, stack.synthesized.backend, Path(data_dir) if data_dir else None
    ).where


@contextlib.contextmanager
def _alone(stack: Stack) -> Iterator[None]:
    """Let one command at a time move a stack's state on this machine."""
    descriptor = os.open(backups_of(stack), os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise EngineError(
            "another command is moving a state here", advice="wait until it has ended"
        ) from None
    else:
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def old_state(stack: Stack, previous: Previous, logs: Path) -> Iterator[State | None]:
    """Give the state that is to be moved; a local one is held until the block ends.

    Raises:
        UsageError: It cannot be read.
        EngineError: Terraform failed, or holds the state's lock.
    """
    if previous.type == "local":
        path = local_path_of(stack, previous)
        with held(path) as content:
            yield parse_state(content, str(path))
        return
    stack.on_event(Step(f"Reading the state from {previous.where(stack)}"))
    # In a directory of its own: the stack's is initialized for the new backend, or will be.
    with scratch(logs, "migrate") as folder:
        (folder / "main.tf.json").write_text(
            json.dumps({"terraform": previous.block}), encoding="utf-8"
        )
        engine = open_engine(stack, directory=folder, workspace=_workspace(stack, previous))
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
