"""All known errors, read once from the data files."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Final

from pydantic import ValidationError

from biomodal_deploy.known_errors.model import Entry

AREAS: Final[Mapping[str, str]] = {
    "terraform": "Terraform and its plans",
    "synthesis": "The app: Python, Node and cdktf",
    "state": "State, backend and lock",
    "credentials": "Credentials and network",
    "iam": "Permissions",
    "ec2": "The VM, its network and quotas",
    "batch": "AWS Batch and Nextflow's tasks",
    "s3": "The bucket",
    "ecr": "The image repository",
    "install": "The install script and Docker",
    "ssh": "SSH",
}
"""The data files and what they are about, in the order in which they are tried and told."""


class CatalogError(Exception):
    """A data file is wrong: a fault of ours."""


@dataclass(frozen=True)
class Catalog:
    """All known errors.

    Attributes:
        entries: In the order in which they are tried: what is general comes last.
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
    found = [entry for area in AREAS for entry in _read(area)]
    names = [entry.id for entry in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CatalogError(f"described twice: {', '.join(sorted(twice))}")
    return Catalog(tuple(sorted(found, key=lambda entry: entry.general)))


def _read(area: str) -> list[Entry]:
    file = files("biomodal_deploy.known_errors") / "data" / f"{area}.toml"
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        return [Entry(id=name, area=area, **body) for name, body in table.items()]
    except ValidationError as error:
        raise CatalogError(f"{area}.toml: {error}") from error
