"""Variables: one rule for where values come from, and one private file that takes them on.

In this order, later ones winning: the settings that stand for a variable, `TF_VAR_name` where the
caller passes its environment, `terraform.tfvars`, `terraform.tfvars.json`, then `*.auto.tfvars` and
`*.auto.tfvars.json` by name, all of the project directory; each file and each value as given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.config.credentials import holds_private_key
from biomodal_deploy.config.tfvars.declared import DeclaredVariable, read_declared
from biomodal_deploy.config.tfvars.files import (
    FaultyFileError,
    VariableFile,
    automatic_files,
    read_file,
    shown,
)
from biomodal_deploy.config.tfvars.hcl import HclError, expression
from biomodal_deploy.config.tfvars.types import TypeMismatchError, convert
from biomodal_deploy.config.tfvars.values import Value, texts, write_private
from biomodal_deploy.errors import Faults, UsageError, UsageErrors
from biomodal_deploy.text import did_you_mean

__all__ = [
    "Check",
    "DeclaredVariable",
    "ResolvedVariables",
    "Value",
    "read_declared",
    "resolve",
    "write_private",
]

# A name of Terraform's: letters of any script, digits, underscores and hyphens.
_NAME: Final = re.compile(r"[^\W\d][\w-]{0,63}")
ENVIRONMENT_PREFIX: Final = "TF_VAR_"

Check = Callable[[str, object], str | None]


@dataclass(frozen=True)
class Origin:
    """Where a value was given.

    Attributes:
        source: As a person would call it: a file, `--var` or an environment variable.
        line: The line in that file, where it has lines.
    """

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.source} line {self.line}" if self.line else self.source


@dataclass(frozen=True)
class ResolvedVariables:
    """Every value that was given, checked and converted.

    Attributes:
        values: The values by variable; variables left to their default are not in it.
    """

    values: Mapping[str, Value]
    origins: Mapping[str, Origin]
    files: tuple[VariableFile, ...]
    sensitive: frozenset[str]
    notes: tuple[str, ...]

    @property
    def secrets(self) -> frozenset[str]:
        """Every text inside the values of sensitive variables, however deep: never to be shown."""
        held = (self.values[name] for name in self.sensitive if name in self.values)
        return frozenset(text for value in held for text in texts(value) if text)


@dataclass(frozen=True)
class _Given:
    value: Value
    origin: Origin


def resolve(
    project_dir: Path,
    declared: Mapping[str, DeclaredVariable],
    var_files: Sequence[Path] = (),
    variables: Sequence[str] = (),
    *,
    cwd: Path | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    known_elsewhere: Collection[str] = (),
    checks: Check | None = None,
) -> ResolvedVariables:
    """Return the values that a stack gets.

    Args:
        project_dir: Where automatic variable files lie.
        cwd: What relative paths start from; this process's folder where None.
        environ: Where `TF_VAR_*` is read; nowhere where None.
        settings: Values that stand where nothing else gives one; unknown names are passed over.
        known_elsewhere: Variables of the project's other stacks: noted, not refused.

    Raises:
        UsageError: A file, name or value is wrong, or a required value is missing.
    """
    base = cwd or Path.cwd()
    paths = [*automatic_files(project_dir), *(base / path.expanduser() for path in var_files)]
    faults = Faults()
    files, whole = _read_files(paths, faults)
    notes: list[str] = []
    given: dict[str, _Given] = {}
    sources = _in_order(declared, settings or {}, environ or {}, files, variables, faults)
    for name, each in sources:
        if name in declared:
            given[name] = each
        elif name in known_elsewhere:
            notes.append(f"{each.origin}: {name} belongs to another stack and is passed over")
        else:
            faults.add(_unknown(name, each.origin, declared))
    values: dict[str, Value] = {}
    for name, each in given.items():
        with faults.collect():
            value = _checked(declared[name], each, checks)
            if not _stands_for_default(declared[name], value):
                values[name] = value
    # What cannot be read may hold what seems to be missing.
    if whole and not faults.found:
        _refuse_missing(declared, values)
    faults.raise_any()
    return ResolvedVariables(
        values,
        {name: given[name].origin for name in values},
        files,
        frozenset(
            name for name, variable in declared.items() if _is_secret(variable, values.get(name))
        ),
        tuple(notes),
    )


def _read_files(paths: Sequence[Path], faults: Faults) -> tuple[tuple[VariableFile, ...], bool]:
    """Return what can be read of the files, and whether that is all of them."""
    files: list[VariableFile] = []
    for path in paths:
        try:
            files.append(read_file(path))
        except FaultyFileError as error:
            faults.add(error)
            files.append(error.file)
        except UsageError as error:
            faults.add(error)
    return tuple(files), not faults.found


def _in_order(
    declared: Mapping[str, DeclaredVariable],
    settings: Mapping[str, str],
    environ: Mapping[str, str],
    files: Sequence[VariableFile],
    variables: Sequence[str],
    faults: Faults,
) -> Iterator[tuple[str, _Given]]:
    for name in declared.keys() & settings.keys():
        yield name, _Given(settings[name], Origin(f"{name} of the stack, in cdktf.json"))
    for variable in declared.values():
        source = ENVIRONMENT_PREFIX + variable.name
        if source in environ:
            with faults.collect():
                yield variable.name, _from_text(variable, environ[source], Origin(source))
    for file in files:
        for name, attribute in file.attributes.items():
            yield name, _Given(attribute.value, Origin(shown(file.path), attribute.line))
    for text in variables:
        with faults.collect():
            name, value = assignment(text)
            origin = Origin("--var")
            known = declared.get(name)
            yield name, _from_text(known, value, origin) if known else _Given(value, origin)


def assignment(text: str) -> tuple[str, str]:
    """Return the name and the text of the value."""
    name, equals, value = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise UsageError(
            "A variable is NAME=VALUE without spaces around =",
            field="--var",
            # Only a word is repeated: what else stands there may be a secret, such as a key.
            value=name if not name or _NAME.fullmatch(name.strip()) else None,
            fix="write --var NAME=VALUE, in quotes where the value has spaces",
        )
    return name, value


def _from_text(variable: DeclaredVariable, text: str, origin: Origin) -> _Given:
    try:
        text.encode()
    except UnicodeEncodeError:
        # Bytes of another encoding, of which Terraform would make question marks without a word.
        field = f"{variable.name} ({origin})"
        raise UsageError("A value is UTF-8 text", field=field, fix="write it as UTF-8") from None
    if variable.literal:
        return _Given(text, origin)
    try:
        return _Given(expression(text), origin)
    except HclError as error:
        raise UsageErrors(
            [
                UsageError(
                    fault.rule,
                    field=f"{variable.name} ({origin}), character {fault.column}",
                    fix=fault.fix,
                )
                for fault in error.faults
            ]
        ) from None


def _checked(variable: DeclaredVariable, given: _Given, checks: Check | None) -> Value:
    try:
        value = convert(given.value, variable.type)
        left_out = _stands_for_default(variable, value)
        rule = checks(variable.name, value) if checks and not left_out else None
    except TypeMismatchError as error:
        # The place inside the value may hold a key, and a key may be a secret.
        rule = "does not fit its type" if variable.sensitive else str(error)
        value = given.value
    if rule is None:
        return value
    raise UsageError(
        rule.rstrip("."),
        field=variable.name,
        value=None if _is_secret(variable, value) else value,
        fix=f"correct it in {given.origin}" if given.origin.line else f"correct {given.origin}",
    )


def _is_secret(variable: DeclaredVariable, value: Value) -> bool:
    return variable.sensitive or any(map(holds_private_key, texts(value)))


def _stands_for_default(variable: DeclaredVariable, value: Value) -> bool:
    return value is None and not variable.nullable


def _unknown(name: str, origin: Origin, declared: Mapping[str, DeclaredVariable]) -> UsageError:
    known = ", ".join(sorted(declared)) or "none"
    return UsageError(
        f"unknown variable ({origin})",
        field=name,
        fix=did_you_mean(name.lower(), declared, otherwise=f"remove it; the variables are {known}"),
    )


def _refuse_missing(declared: Mapping[str, DeclaredVariable], values: Mapping[str, Value]) -> None:
    missing = [name for name in declared if declared[name].required and name not in values]
    if missing:
        raise UsageError(
            "missing required variables",
            field=", ".join(missing),
            fix="set each in terraform.tfvars, with --var-file or with --var",
        )
