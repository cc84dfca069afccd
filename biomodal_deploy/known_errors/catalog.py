"""All known errors, read once from the data files."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final

from pydantic import ValidationError

from biomodal_deploy.known_errors.model import Entry

AREAS: Final[Mapping[str, str]] = {
    "terraform": "Terraform and its plans",
    "synthesis": "The app: Python, Node and cdktf",
    "state": "State, backend and lock",
    "credentials": "Credentials, sign-in and network",
    "iam": "Permissions and keys",
    "ec2": "The VM, its disks, its network and quotas",
    "batch": "AWS Batch: environments, hosts and tasks",
    "nextflow": "Nextflow",
    "s3": "The bucket",
    "ecr": "The image repository",
    "install": "The install script, apt and Docker",
    "ssh": "SSH and Session Manager",
}
"""The data files and what they are about, in the order in which the page has them."""


class CatalogError(Exception):
    """A data file is wrong: a fault of ours."""


@dataclass(frozen=True)
class Catalog:
    """All known errors.

    Attributes:
        entries: In the order of the files.
    """

    entries: tuple[Entry, ...]

    @cached_property
    def marks(self) -> tuple[str, ...]:
        """Every literal text that one of them needs, in small letters."""
        return tuple(dict.fromkeys(mark for entry in self.entries for mark in entry.marks))

    @property
    def codes(self) -> tuple[str, ...]:
        """The words for programs that a failed run of Terraform can have."""
        return tuple(sorted({entry.code for entry in self.entries if entry.code}))


@cache
def catalog() -> Catalog:
    """Return the catalog that ships with this package.

    Raises:
        CatalogError: A file is wrong, or two entries have one name.
    """
    found = tuple(entry for area in AREAS for entry in _read(area))
    names = [entry.id for entry in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CatalogError(f"described twice: {', '.join(sorted(twice))}")
    return Catalog(found)


@cache
def places() -> Mapping[str, tuple[str, re.Pattern[str]]]:
    """Return where an error can be printed: the name for people, and what shows it."""
    return {
        name: (body["name"], re.compile("|".join(body["signs"]), re.IGNORECASE))
        for name, body in load("places").items()
    }


def load(name: str) -> dict[str, Any]:
    """Return a data file of this package."""
    file = files("biomodal_deploy.known_errors") / "data" / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _read(area: str) -> list[Entry]:
    try:
        return [Entry(id=name, area=area, **body) for name, body in load(area).items()]
    except ValidationError as error:
        raise CatalogError(f"{area}.toml: {error}") from error
