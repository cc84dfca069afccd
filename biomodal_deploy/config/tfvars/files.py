"""Read variable files: which ones, in which order, and what each says."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Never

from biomodal_deploy.config.tfvars.hcl import DEEPEST, Attribute, HclError, attributes
from biomodal_deploy.config.tfvars.values import MOST_DIGITS, Value, number
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

LIMIT_BYTES: Final = 1024 * 1024
_AUTO: Final = (".auto.tfvars", ".auto.tfvars.json")
_FIRST: Final = ("terraform.tfvars", "terraform.tfvars.json")


@dataclass(frozen=True)
class VariableFile:
    """One variable file, read once: what was hashed is what was used.

    Attributes:
        path: Where it is, absolute.
        sha256: The digest of its bytes.
        attributes: What it says.
    """

    path: Path
    sha256: str
    attributes: Mapping[str, Attribute]


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
        UsageError: It is missing, unreadable, no regular file, too large, binary or malformed.
    """
    try:
        content = read_regular(path, LIMIT_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from None
    if len(content) > LIMIT_BYTES:
        raise UsageError(
            f"It is larger than {LIMIT_BYTES // 1024} KiB",
            field=shown(path),
            fix="name another file",
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(
            "A variable file is UTF-8 text", field=f"{shown(path)} line {line}", fix="save it so"
        ) from None
    found = _from_json(path, text) if path.suffix == ".json" else _from_hcl(path, text)
    return VariableFile(path.absolute(), hashlib.sha256(content).hexdigest(), found)


def shown(path: Path) -> str:
    """Return a path as a person would write it from here."""
    absolute = path.absolute()
    here = Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"It cannot be read ({error.strerror})",
        field=shown(path),
        fix="name a file that exists and that you may read",
    )


def _editors_own(name: str) -> bool:
    return name.startswith(".") or name.endswith("~") or (name[0] == "#" and name[-1] == "#")


def _from_hcl(path: Path, text: str) -> Mapping[str, Attribute]:
    try:
        return attributes(text)
    except HclError as error:
        place = f"{shown(path)} line {error.line}, column {error.column}"
        raise UsageError(error.rule, field=place, fix=error.fix) from None


def _from_json(path: Path, text: str) -> Mapping[str, Attribute]:
    def unique(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        # To Terraform `é` is one name, however it is composed.
        if len({unicodedata.normalize("NFC", name) for name, _ in pairs}) < len(pairs):
            raise _JsonFaultError("A name is given twice")
        return dict(pairs)

    def digits(text: str) -> Value:
        found = number(text)
        if found is None:
            raise _JsonFaultError(f"A number has at most {MOST_DIGITS} digits")
        return found

    def refuse(_: str) -> Never:
        raise _JsonFaultError("JSON has no NaN or Infinity")

    field, fix = shown(path), "correct the file"
    try:
        document = json.loads(
            text.removeprefix("\ufeff"),
            object_pairs_hook=unique,
            parse_float=digits,
            parse_int=digits,
            parse_constant=refuse,
        )
    except json.JSONDecodeError as error:
        place = f"{field} line {error.lineno}, column {error.colno}"
        raise UsageError(f"It is not JSON ({error.msg})", field=place, fix=fix) from None
    except _JsonFaultError as error:
        raise UsageError(str(error), field=field, fix=fix) from None
    except RecursionError:
        raise UsageError(f"Values nest at most {DEEPEST} deep", field=field, fix=fix) from None
    if not isinstance(document, dict):
        raise UsageError("A .json variable file holds one JSON object", field=field, fix=fix)
    # Terraform takes this name for a comment.
    return {name: Attribute(value, None) for name, value in document.items() if name != "//"}


class _JsonFaultError(Exception):
    pass
