"""cdktf's own command line, on the project's Node and with an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.engine.toolchain import find_node, find_terraform, node_environment, shim
from tests.support.project import ROOT, app_environment

COMMAND: Final = ROOT / "node_modules" / ".bin" / "cdktf"


@dataclass(frozen=True)
class Cdktf:
    """The command line in a project's folder.

    Attributes:
        folder: The project.
        variables: Its environment.
    """

    folder: Path
    variables: Mapping[str, str]

    def __call__(self, *arguments: str, timeout: int = 300) -> subprocess.CompletedProcess[str]:
        """Run it."""
        return subprocess.run(
            [str(COMMAND), *arguments],
            cwd=self.folder,
            env=dict(self.variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def must(self, *arguments: str) -> str:
        """Run it, show what it said where it failed, and return its standard output."""
        done = self(*arguments)
        assert done.returncode == 0, f"cdktf {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout


def cdktf_in(folder: Path, home: Path, extra: Mapping[str, str] | None = None) -> Cdktf:
    """Return it, or skip the test where it was not installed.

    Args:
        folder: The project.
        home: A temporary home.
        extra: More variables, such as the sandbox's and those for the provider mirror.
    """
    if not COMMAND.exists():
        pytest.skip("cdktf's command line is not installed: make setup")
    # A temporary home, but the user's own cache: the AWS bindings are cut to size once.
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    variables = app_environment(folder, {"HOME": str(home), "XDG_CACHE_HOME": cache})
    variables |= node_environment(find_node(), variables)
    terraform = shim(home / "bin", find_terraform())
    variables |= {
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), variables["PATH"])),
        "TERRAFORM_BINARY_NAME": str(terraform),
        "CHECKPOINT_DISABLE": "1",
        "CDKTF_DISABLE_PLUGIN_CACHE_ENV": "1",
        "CI": "1",
    }
    return Cdktf(folder, variables | dict(extra or {}))
