"""`cdktf.json`, read once, at the edge, by both programs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from biomodal_deploy.config import backends
from biomodal_deploy.config.backends import KINDS, AssumeRole, StateBucket
from biomodal_deploy.config.credentials import refuse_credentials
from biomodal_deploy.config.json_source import line_of, read_json
from biomodal_deploy.config.stack import (
    PATTERNS,
    PROTECTED_KINDS,
    Adopted,
    Bounds,
    Limits,
    StackName,
    StackSettings,
)
from biomodal_deploy.config.validation_errors import Location, usage_error
from biomodal_deploy.errors import Faults, UsageError
from biomodal_deploy.files import read_regular

__all__ = [
    "APP_SOURCES",
    "CONTEXT_VARIABLE",
    "OUTDIR_VARIABLE",
    "PROJECT_FILE",
    "PROTECTED_KINDS",
    "SCRATCH_VARIABLE",
    "Bounds",
    "Context",
    "Limits",
    "ProjectFile",
    "StackName",
    "StackSettings",
    "check_stack",
    "has_own_app",
    "optional_stacks",
    "output_directory",
    "read_project_file",
    "read_stacks",
]

PROJECT_FILE: Final = "cdktf.json"
CONTEXT_VARIABLE: Final = "CDKTF_CONTEXT_JSON"
OUTDIR_VARIABLE: Final = "CDKTF_OUTDIR"
SCRATCH_VARIABLE: Final = "SANDBOX_PROJECT"
"""Set in a rehearsal: the scratch copy that it may write to, and nothing outside it."""

_PACKAGE: Final = Path(__file__).parents[1]
APP_SOURCES: Final = each if (each := _PACKAGE / "_app").is_dir() else _PACKAGE.parent
"""Where the package's own `stacks` and `scripts` lie: in the wheel's folder, or in a clone."""

_PATH: Final = r"^[^\x00]*$"
_PATTERNS: Final = {**PATTERNS, _PATH: "A path holds no NUL character"}

_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class _Source:
    """Where settings were read, and the text of it where it has lines."""

    name: str
    text: str = ""

    def line_of(self, field: Location) -> int | None:
        return line_of(self.text, field) if self.text else None


class Context(BaseModel, frozen=True, strict=True):
    """The part of cdktf's context that is ours; cdktf keeps feature flags beside it.

    Attributes:
        stacks: Each stack's settings, by name: lower-case letters, digits and single hyphens.
    """

    stacks: dict[StackName, StackSettings] = Field(min_length=1)


class ProjectFile(BaseModel, frozen=True, strict=True):
    """`cdktf.json`, as far as we read it.

    Attributes:
        app: The command that synthesizes.
        output: The folder it writes to, relative to the project.
        context: cdktf's context.
        text: The file, for the lines of what is wrong in it.
    """

    app: str = Field(min_length=1)
    output: str = Field(default="cdktf.out", pattern=_PATH)
    context: dict[str, JsonValue] = Field(default_factory=dict)
    text: str = Field(default="", exclude=True, repr=False)


def has_own_app(project_dir: Path) -> bool:
    """Say whether a project has stacks of its own, and does not use those of the package."""
    return (project_dir / "stacks" / "synthesis.py").is_file()


def read_project_file(project_dir: Path) -> ProjectFile:
    """Read `cdktf.json`.

    Raises:
        UsageError: missing, unreadable, no JSON, or has a wrong value.
    """
    path = project_dir / PROJECT_FILE
    try:
        text = read_regular(path).decode()
    except FileNotFoundError:
        raise UsageError(
            "no project here: the file does not exist",
            field=str(path),
            fix="make one with biomodal-aws init, or name its folder with --project-dir",
        ) from None
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", field=str(path), fix="make it a readable file"
        ) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        place = f"{PROJECT_FILE} line {line}"
        raise UsageError("not UTF-8 text", field=place, fix="save it as UTF-8") from None
    faults = Faults()
    value, text = _object(text, PROJECT_FILE, str(path), faults)
    source = _Source(PROJECT_FILE, text)
    with faults.collect():
        found = _validated(ProjectFile, {**value, "text": text}, prefix="", source=source)
        if faults.found and "stacks" in found.context:
            _stacks_in(found.context, source)
    faults.raise_any()
    return found


def read_stacks(
    project_file: ProjectFile, environment: Mapping[str, str] = os.environ
) -> dict[str, StackSettings]:
    """Return every stack by name, `CDKTF_CONTEXT_JSON` taking precedence as in cdktf.

    Raises:
        UsageError: A setting is unknown, misspelt or wrong.
    """
    context = dict(project_file.context)
    source = _Source(PROJECT_FILE, project_file.text)
    if override := environment.get(CONTEXT_VARIABLE):
        faults = Faults()
        above, _ = _object(override, CONTEXT_VARIABLE, CONTEXT_VARIABLE, faults)
        faults.raise_any()
        _refuse_less(context.get("stacks"), above.get("stacks"))
        context |= above
        both = f"{PROJECT_FILE} or {CONTEXT_VARIABLE}"
        source = _Source(CONTEXT_VARIABLE if "stacks" in above else both)
    return _stacks_in(context, source)


def _refuse_less(written: JsonValue, above: JsonValue) -> None:
    """Refuse an environment that changes who has to agree, and where plans are claimed."""
    if not (isinstance(written, dict) and isinstance(above, dict)):
        return
    for name, settings in written.items():
        other = above.get(name)
        if not (isinstance(settings, dict) and isinstance(other, dict)):
            continue
        for setting in ("approvals", "history"):
            if settings.get(setting) not in (None, other.get(setting)):
                raise UsageError(
                    f"{setting} of {PROJECT_FILE} cannot be changed by the environment",
                    field=f"{CONTEXT_VARIABLE}: context.stacks.{name}.{setting}",
                    fix=f"write it there as {PROJECT_FILE} has it, or leave the stack out",
                )


def _stacks_in(context: dict[str, JsonValue], source: _Source) -> dict[str, StackSettings]:
    _refuse_credentials(context.get("stacks"), source.name)
    found = _validated(Context, context, prefix="context.", source=source).stacks
    backends.refuse_shared(((name, each.backend) for name, each in found.items()), source.name)
    return found


def optional_stacks(
    project_file: ProjectFile, environment: Mapping[str, str] = os.environ
) -> dict[str, StackSettings]:
    """Return every stack by name; none for an app that keeps its settings elsewhere."""
    if "stacks" in project_file.context or environment.get(CONTEXT_VARIABLE):
        return read_stacks(project_file, environment)
    return {}


def check_stack(name: str, value: dict[str, JsonValue], source: str) -> StackSettings:
    """Return one stack's settings, which stand in no file yet."""
    stacks: dict[str, JsonValue] = {name: value}
    _refuse_credentials(stacks, source)
    context: dict[str, JsonValue] = {"stacks": stacks}
    found = _validated(Context, context, prefix="context.", source=_Source(source))
    return found.stacks[name]


def output_directory(
    project_dir: Path, project_file: ProjectFile, environment: Mapping[str, str] = os.environ
) -> Path:
    """Return the folder that synthesis writes to: `CDKTF_OUTDIR`, else the project's setting."""
    return project_dir / (environment.get(OUTDIR_VARIABLE) or project_file.output)


def _object(text: str, name: str, where: str, faults: Faults) -> tuple[dict[str, JsonValue], str]:
    """Return a JSON object, and its text without what `faults` got of it."""
    try:
        read = read_json(text)
    # ValueError: a number with more digits than Python reads.
    except (ValueError, RecursionError):
        raise UsageError(
            "nested too deeply, or a number in it is too long", field=where, fix="correct it there"
        ) from None
    for each in read.faults:
        place = f"{name} line {each.line}, column {each.column}"
        faults.add(UsageError(each.rule, field=f"{place}: not valid JSON", fix=each.fix))
    if read.value is None:
        faults.raise_any()
    if not isinstance(read.value, dict):
        raise UsageError(
            "not a JSON object", field=where, value=read.value, fix="put it between { and }"
        )
    return read.value, read.text


def _refuse_credentials(stacks: JsonValue, source: str) -> None:
    # Before pydantic: what it refuses it quotes.
    for name, each in stacks.items() if isinstance(stacks, dict) else ():
        if isinstance(each, dict):
            field = f"{source}: context.stacks.{name}.backend"
            refuse_credentials(each.get("backend"), field)


def _validated(
    model: type[_Model], value: dict[str, JsonValue], *, prefix: str, source: _Source
) -> _Model:
    try:
        # JSON mode: a JSON array is a tuple, and yet "true" is no boolean.
        return model.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise usage_error(
            error,
            prefix=prefix,
            source=source.name,
            line_of=source.line_of,
            keys_at=_settings_at,
            patterns=_PATTERNS,
            shown=_in_the_file,
        ) from None


def _settings_at(location: Location) -> Iterable[str]:
    # stacks.NAME.limits; the name may itself be "limits".
    match location[2:]:
        case ("limits",):
            return Limits.model_fields
        case ("state_bucket",):
            return StateBucket.model_fields
        case ("adopted",):
            return Adopted.model_fields
        case ("backend", kind, *inner):
            return AssumeRole.model_fields if inner else KINDS[kind].model_fields
        case _:
            return StackSettings.model_fields


def _in_the_file(location: Location) -> Location:
    # stacks.NAME.backend.s3.bucket stands there without the s3.
    return (*location[:3], *location[4:]) if location[2:3] == ("backend",) else location
