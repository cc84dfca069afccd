"""A state that is missing although something was applied: a failure of its own, never "nothing".

Whoever reads no state as an empty stack plans to make everything a second time, calls a drift
check green, and is advised to delete what is in use.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import JsonValue

from biomodal_deploy.aws.resources import owned_by
from biomodal_deploy.config.backends import LocalBackend, S3Backend
from biomodal_deploy.engine.terraform import StateHeader, TerraformCli
from biomodal_deploy.engine.terraform.failures import UNSAVED_STATE
from biomodal_deploy.engine.terraform.locks import (
    DEFAULT_WORKSPACE,
    shell_command,
    state_object,
)
from biomodal_deploy.errors import BiomodalError, EngineError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import Entry, Event
from biomodal_deploy.text import counted, moment
from biomodal_deploy.workflow.failed_runs import Unfinished, unfinished_apply
from biomodal_deploy.workflow.journal import (
    Previous,
    default_previous,
    local_path_of,
    remembered_backend,
)
from biomodal_deploy.workflow.location import Notice
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import BACKUPS


class StateLost(EngineError):
    """There is no state, or one that holds nothing or too little, and there was an apply."""

    code = "state_lost"


StateDetails: TypeAlias = dict[str, str | int | bool | None]


@dataclass(frozen=True)
class CurrentState:
    """A state as it is now.

    Attributes:
        header: What names its version; None where there is none.
        owned: What it holds, as the checks of the account know resources.
    """

    header: StateHeader | None
    owned: frozenset[str]


@dataclass(frozen=True)
class _Last:
    """The last apply of a workspace that left something, and how much where that is known."""

    sealed_plan: str
    when: str
    resources: int | None


def state_details(engine: TerraformCli) -> StateDetails:
    """Return what the history keeps of the state that an apply left."""
    details: StateDetails = {"workspace": engine.workspace}
    with suppress(BiomodalError):
        header = engine.state_pull()
        details["resources"] = header.held if header else 0
    return details


def state_to_plan_from(
    stack: Stack, engine: TerraformCli, *, to_plan: bool = False
) -> CurrentState:
    """Return the state that a plan starts from.

    Args:
        engine: Terraform in its directory, initialized.
        to_plan: Whether Terraform plans next, and so checks its providers itself.

    Raises:
        StateLost: It was there, and is missing.
    """
    content = engine.state_content(to_plan=to_plan)
    header = engine.header_of(content)
    check_saved(engine, content)
    if header is None or not header.held:
        lost = lost_state(stack, engine.workspace, header)
        if lost and header is None and not unfinished_apply(stack):
            raise lost
        if lost:
            stack.on_event(Notice(str(lost)))
        elif header is None:
            _name_other_workspace(stack, engine.workspace)
    return CurrentState(header, owned_by(json.loads(content)) if header else frozenset())


def check_saved(engine: TerraformCli, content: bytes) -> None:
    """Refuse to go on from a state that the last apply could not save.

    Args:
        content: The state as it is.

    Raises:
        StateLost: Terraform left a newer one in its folder; with the command that saves it.
    """
    path = engine.directory / UNSAVED_STATE
    try:
        left = read_regular(path)
        unsaved = engine.header_of(left)
    except FileNotFoundError:
        return
    except (OSError, EngineError):
        return  # a full disk cut it short
    state = engine.header_of(content)
    if unsaved is None or (state and state.lineage != unsaved.lineage):
        return
    same = state is not None and state.serial == unsaved.serial
    if state and (state.serial > unsaved.serial or (same and _holds_as_much(content, left))):
        return
    words = ["state", "push", *(["-force"] if same else []), UNSAVED_STATE]
    command = shell_command(
        engine.binary.argv_prefix,
        words,
        directory=engine.directory,
        workspace=engine.workspace,
        data_dir=engine.data_dir,
    )
    raise StateLost(
        f"the last apply could not save its state: {path} holds it"
        f" ({counted(unsaved.held, 'resource')})",
        advice=f"`{command}`, once what kept it from being saved is mended",
    )


def _holds_as_much(state: bytes, left: bytes) -> bool:
    return bool(json.loads(state).get("resources") == json.loads(left).get("resources"))


def require_state(
    stack: Stack, workspace: str, header: StateHeader | None, backend: Previous | None = None
) -> None:
    """Refuse to read a state that is missing, or holds nothing, after an apply.

    Raises:
        StateLost: It is, with the way to get it back.
    """
    if header is None or not header.held:
        lost = lost_state(stack, workspace, header, backend)
        if lost:
            raise lost
        if header is None:
            _name_other_workspace(stack, workspace)


def _name_other_workspace(stack: Stack, workspace: str) -> None:
    """Say that a workspace without a state is not the one that was applied in.

    It may be meant. Where it is not, everything that runs looks like somebody else's, and in the
    way.
    """
    entries = stack.history.whole()
    names = {each.details.get("workspace") for each in entries} - {workspace, None}
    found = [(last, name) for name in map(str, names) if (last := _last_apply(entries, name))]
    if not found:
        return
    last, name = max(found, key=lambda each: each[0].when)
    left = f" and left {counted(last.resources, 'resource')}" if last.resources else ""
    stack.on_event(
        Notice(
            f"the workspace {workspace} has no state; the plan {last.sealed_plan} was applied in "
            f"the workspace {name} at {last.when}{left}: those are in use. To work with them, set "
            f"TF_WORKSPACE={shlex.quote(name)}"
        )
    )


def lost_state(
    stack: Stack, workspace: str, header: StateHeader | None, backend: Previous | None = None
) -> StateLost | None:
    """Return what to say of a state that is missing or holds nothing; None where that is right.

    Raises:
        SealedPlanRefused: The history is broken.
    """
    last = _last_apply(stack.history.whole(), workspace)
    backend = backend or remembered_backend(stack) or _configured_backend(stack)
    place = _place(stack, backend, workspace)
    if last is None:
        unfinished = unfinished_apply(stack) if header is None else None
        return _never_saved(place, unfinished) if unfinished and unfinished.made else None
    if header and last.resources is None:
        return None  # an apply of before: how much it left is not known
    left = f" and left {counted(last.resources, 'resource')}" if last.resources else ""
    history = shlex.quote(str(stack.history.path))
    return StateLost(
        f"the state {place} {'holds no resources' if header else 'is missing or empty'}, and the "
        f"plan {last.sealed_plan} was applied at {last.when}{left}",
        advice=f"{_way_back(stack, backend, workspace)}; where its resources are gone for good, "
        f"set the history aside: `mv {history} {history}.old`",
    )


def _configured_backend(stack: Stack) -> Previous:
    """Return the backend of a stack that Terraform was not initialized for in this checkout."""
    settings = stack.location.stacks.get(stack.name)
    backend = settings.backend if settings else LocalBackend()
    if isinstance(backend, S3Backend):
        config: dict[str, JsonValue] = {"key": backend.key_of(stack.name)}
        config |= {name: getattr(backend, name) for name in ("bucket", "region", "profile")}
        return Previous(type="s3", config=config)
    if isinstance(backend, LocalBackend):
        return default_previous(stack) if settings else Previous(type="local")
    return Previous(type=backend.kind)


def _never_saved(place: str, unfinished: Unfinished) -> StateLost:
    made = ", ".join(each.address for each in unfinished.made)
    return StateLost(
        f"there is no state {place}, and the plan {unfinished.name} was {unfinished.use.sentence()}"
        f": it made {made}, and Terraform did not save that",
        advice="import what it made, or delete it where it holds nothing yet, then run "
        "biomodal-aws plan",
    )


def _last_apply(entries: Iterable[Entry], workspace: str) -> _Last | None:
    kinds: dict[str | None, object] = {}
    last: _Last | None = None
    for entry in entries:
        details = entry.details
        if entry.event is Event.APPLY_START:
            kinds[entry.sealed_plan] = details.get("kind")
        if entry.event not in (Event.RESULT, Event.INTERRUPTED) or entry.sealed_plan not in kinds:
            continue
        if details.get("workspace", workspace) != workspace:
            continue
        left = details.get("resources")
        if left is None and kinds[entry.sealed_plan] == PlanKind.DESTROY and details.get("ok"):
            left = 0
        if isinstance(left, int):
            last = _Last(str(entry.sealed_plan), moment(entry.at), left) if left else None
        elif details.get("changes") and kinds[entry.sealed_plan] != PlanKind.DESTROY:
            last = _Last(str(entry.sealed_plan), moment(entry.at), None)
    return last


def _place(stack: Stack, backend: Previous, workspace: str) -> str:
    if backend.type == "local":
        return str(local_path_of(stack, backend, workspace))
    named = "" if workspace == DEFAULT_WORKSPACE else f" (workspace {workspace})"
    return f"{backend.where(stack)}{named}"


def _way_back(stack: Stack, backend: Previous, workspace: str) -> str:
    if backend.type == "s3":
        place = state_object(backend.config, workspace)
        source = f"{place.bucket}/{place.key}?versionId=ID"
        versions = place.command("list-object-versions", "--prefix", place.key)
        copy = place.command("copy-object", "--key", place.key, "--copy-source", source)
        return f"find the version before with `{versions}`, and bring it back with `{copy}`"
    if backend.type != "local":
        return "restore a former version of it there"
    path = local_path_of(stack, backend, workspace)
    kept = [path.with_name(f"{path.name}.backup"), *path.parent.glob(f"{BACKUPS}/{path.stem}*")]
    kept = [each for each in kept if each.is_file() and each.stat().st_size]
    if not kept:
        return f"restore {path} from a backup, or from where it was moved to"
    newest = max(kept, key=lambda each: each.stat().st_mtime)
    return (
        f"move it back there if it was moved; else `cp {shlex.quote(str(newest))} "
        f"{shlex.quote(str(path))}` brings back the version before"
    )
