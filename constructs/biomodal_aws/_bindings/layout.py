"""Where the installed AWS bindings lie, and whether they look the way the fast path expects."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Final

from biomodal_aws._bindings.framework import IN_USE

CORE: Final = IN_USE.core
PACKAGE: Final = IN_USE.package
ASSEMBLY: Final = IN_USE.assembly
_ARCHIVE: Final = re.compile(r"provider-aws@(\d+\.\d+\.\d+)\.jsii\.tgz")


class LayoutError(ImportError):
    """The bindings are not laid out as expected: a slower way of loading them is due."""


@dataclass(frozen=True)
class Bindings:
    """The installed bindings.

    Attributes:
        spec: How Python imports the root package.
        archive: The jsii assembly of all submodules.
        version: The version of the assembly.
    """

    spec: ModuleSpec
    archive: Path
    version: str


def find_root() -> ModuleSpec | None:
    """Return how Python would import the bindings' root package, without importing it."""
    spec = PathFinder.find_spec(PACKAGE)
    return spec if spec is not None and spec.submodule_search_locations else None


def inspect(spec: ModuleSpec) -> Bindings:
    """Find the assembly of the bindings.

    Raises:
        LayoutError: There is not exactly one assembly of a readable name.
    """
    folder = Path(next(iter(spec.submodule_search_locations or ())), "_jsii")
    found = [(path, _ARCHIVE.fullmatch(path.name)) for path in folder.glob("*.tgz")]
    match found:
        case [(archive, re.Match() as name)]:
            return Bindings(spec, archive, name[1])
    raise LayoutError(f"{folder} does not hold exactly one assembly of provider-aws")
