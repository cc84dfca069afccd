"""Read variable files: which ones, in which order, and what each says."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Never

from biomodal_deploy.config.json_source import line_of, read_json
from biomodal_deploy.config.tfvars.hcl import DEEPEST, Attribute, HclError, attributes
from biomodal_deploy.config.tfvars.scanner import Fault
from biomodal_deploy.config.tfvars.values import MOST_DIGITS, Value, number
from biomodal_deploy.errors import Faults, UsageError, UsageErrors
from biomodal_deploy.files import read_regular

LIMIT_BYTES: Final = 1024 * 1024
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_AUTO: Final = (".auto.tfvars", ".auto.tfvars.json")
_FIRST: Final = ("terraform.tfvars", "terraform.tfvars.json")


@dataclass(frozen=True)
class VariableFile:
    """One variable file, read once: what was hashed is what was used."""

    path: Path
    sha256: str
    attributes: Mapping[str, Attribute]


class FaultyFileError(UsageErrors):
    """A variable file with faults, all of them.

    Attributes:
        file: What is without a fault in it.
        names: The variables whose values have one; None where it cannot be said whose.
    """

    def __init__(
        self, faults: Sequence[UsageError], file: VariableFile, names: frozenset[str] | None
    ) -> None:
        super().__init__(faults)
        self.file, self.names = file, names


def automatic_files(project: Path) -> list[Path]:
    """Return the files that are read unasked, in Terraform's order.

    `terraform.tfvars`, `terraform.tfvars.json`, then `*.auto.tfvars` and `*.auto.tfvars.json`
    by name.
    """
    try:
        names = sorted(os.listdir(project), key=os.fsencode)  # noqa: PTH208 - names, in byte order
    except OSError as error:
        raise _unreadable(project, error) from None
    automatic = [name for name in names if name.endswith(_AUTO) and not _editors_own(name)]
    return [project / name for name in (*(each for each in _FIRST if each in names), *automatic)]


def read_file(path: Path) -> VariableFile:
    """Return what a variable file says.

    Raises:
        UsageError: missing, unreadable, no regular file, too large, binary or malformed.
    """
    try:
        content = read_regular(path, LIMIT_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > LIMIT_BYTES:
        raise UsageError(
            f"larger than {LIMIT_BYTES // 1024} KiB", field=shown(path), fix="name another file"
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        other = ", and this is UTF-16" if content.startswith(_UTF_16) else ""
        raise UsageError(
            f"A variable file is UTF-8 text{other}",
            field=f"{shown(path)} line {line}",
            fix="save it as UTF-8",
        ) from None
    file = VariableFile(path.absolute(), hashlib.sha256(content).hexdigest(), {})
    if path.suffix == ".json":
        return replace(file, attributes=_from_json(path, text))
    try:
        return replace(file, attributes=attributes(text))
    except HclError as error:
        faults = [_usage_error(path, fault) for fault in error.faults]
        names = frozenset(fault.name for fault in error.faults if fault.name is not None)
        found = replace(file, attributes=error.attributes)
        whose = names if all(fault.name for fault in error.faults) else None
        raise FaultyFileError(faults, found, whose) from None


def shown(path: Path) -> str:
    """Return a path as a person would write it from here."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot be read ({error.strerror})",
        field=shown(path),
        fix="name a file that exists and that you may read",
    )


def _editors_own(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or (name[0] == "#" and name[-1] == "#")


def _usage_error(path: Path, fault: Fault) -> UsageError:
    place = f"{shown(path)} line {fault.line}, column {fault.column}"
    field = f"{place}: {fault.name}" if fault.name else place
    return UsageError(fault.rule, field=field, fix=fault.fix)


def _from_json(path: Path, text: str) -> Mapping[str, Attribute]:
    def digits(text: str) -> Value:
        found = number(text)
        if found is None:
            raise _JsonFaultError(f"A number has at most {MOST_DIGITS} digits")
        return found

    def refuse(_: str) -> Never:
        raise _JsonFaultError("JSON has no NaN or Infinity")

    field, fix = shown(path), "correct the file"
    text = text.removeprefix("\ufeff")
    try:
        read = read_json(text, parse_float=digits, parse_int=digits, parse_constant=refuse)
    except _JsonFaultError as error:
        raise UsageError(str(error), field=field, fix=fix) from None
    except RecursionError:
        raise UsageError(f"Values nest at most {DEEPEST} deep", field=field, fix=fix) from None
    faults = Faults()
    for each in read.faults:
        place = f"{field} line {each.line}, column {each.column}"
        faults.add(UsageError(each.rule, field=f"{place}: not valid JSON", fix=each.fix))
    faults.raise_any()
    document = read.value
    if not isinstance(document, dict):
        raise UsageError("A .json variable file holds one JSON object", field=field, fix=fix)
    # Terraform takes this name for a comment.
    return {
        name: Attribute(value, line_of(text, (name,)))
        for name, value in document.items()
        if name != "//"
    }


class _JsonFaultError(Exception):
    pass
