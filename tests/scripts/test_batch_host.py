"""The Batch hosts' start-up script, run for real with stand-ins for what it calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.processes import run_program

SCRIPT: Final = Path(__file__).resolve().parents[2] / "scripts" / "batch_host.sh"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that is all of PATH, with what the system gives to the script."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("mktemp", "rm", "uname"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def program(folder: Path, name: str, body: str) -> None:
    """Put a program on PATH that records its arguments, then runs a body."""
    path = folder / name
    bash = shutil.which("bash")
    path.write_text(f'#!{bash}\necho "{name} $*" >> "{folder.parent}/record"\n{body}\n')
    path.chmod(0o755)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as cloud-init does."""
    return run_program(
        [str(shutil.which("bash")), str(SCRIPT)], env={"PATH": str(folder)}, timeout=60
    )


def test_a_host_without_internet_starts_soon(programs: Path) -> None:
    """The ECS agent waits for this script: connecting is bounded, and failing is no error."""
    program(programs, "curl", "exit 28")
    done = run(programs)
    assert done.returncode == 0
    assert "tasks need their own" in done.stderr
    words = (programs.parent / "record").read_text().split()
    seconds = {each: int(words[words.index(each) + 1]) for each in ("--connect-timeout", "--retry")}
    assert seconds["--connect-timeout"] * (1 + seconds["--retry"]) <= 60
    assert "--max-time" in words


def test_nothing_is_installed_from_half_a_download(programs: Path) -> None:
    """What follows a failed download is not run."""
    program(programs, "curl", "exit 18")
    program(programs, "unzip", "")
    run(programs)
    assert "unzip" not in (programs.parent / "record").read_text()
