"""The wheel, an environment that holds it, and its command as somebody who installed it runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import planted
from tests.support.light import Ended
from tests.support.mirror import kept_settings
from tests.support.processes import run_program
from tests.support.project import ROOT


def build_wheel(folder: Path) -> Path:
    """Build the wheel in an empty folder, from a copy of what is needed for it."""
    for name in ("pyproject.toml", "README.md", "LICENSE", "stacks", "constructs", "scripts"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name)
    shutil.copytree(ROOT / "biomodal_deploy", folder / "biomodal_deploy")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_nothing.py").touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = run_program(command, cwd=folder)
    assert done.returncode == 0, done.stderr
    (built,) = (folder / "dist").iterdir()
    return built


def pip_into(python: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip for another one, which needs none of its own then."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    return run_program([*command, *words])


def environment_with(wheel: Path, folder: Path) -> Path:
    """Make an environment that holds the wheel, and return its Python.

    The wheel is installed by pip, without its dependencies: those are over a gigabyte. They come
    from this environment instead, by path, without the editable install of this checkout.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    done = pip_into(python, "--no-deps", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    (purelib,) = folder.glob("lib/python*/site-packages")
    # A path line: .pth files of that other folder, the editable install's among them, do not run.
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@dataclass(frozen=True)
class Installed:
    """The command of an environment that holds the wheel, in a new home."""

    python: Path  # the environment's Python
    home: Path  # the home
    more: Mapping[str, str] = field(default_factory=dict)  # what else is in the environment

    def must(self, *words: str, cwd: Path, typed: str | None = None) -> str:
        """Run the command, and return what it printed."""
        steering = ("PYTHONPATH", "VIRTUAL_ENV", "CDKTF_", "BIOMODAL_", "TF_", "AWS_", "CI")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(steering)}
        # The AWS bindings are cut to size once, in the user's own cache.
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        self.home.mkdir(exist_ok=True)
        done = run_program(
            [str(self.python.with_name("biomodal-aws")), *words],
            cwd=cwd,
            env=kept
            | kept_settings()
            | {
                "HOME": str(self.home),
                "XDG_CACHE_HOME": cache,
                "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
                **self.more,
            },
            input=typed or "",
        )
        ended = planted.without_secrets(Ended(done.returncode, done.stdout, done.stderr))
        assert ended.status == 0, ended.out + ended.err
        return ended.out


def first_commands() -> list[str]:
    """Return the commands from nothing to an applied VM, as README numbers them."""
    text = (ROOT / "README.md").read_text()
    section = text.partition("## From nothing to an applied VM")[2].partition("\n## ")[0]
    found = re.findall(r"^(\S.*?) +# (\d)", section, re.MULTILINE)
    assert [int(number) for _, number in found] == list(range(1, len(found) + 1))
    return [command for command, _ in found]
