"""What an app is seen to do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.engine.synthesis import observer


def observed(tmp_path: Path, code: str, *arguments: str) -> dict[str, Any]:
    """Run a script under observation, and return the report."""
    (tmp_path / "script.py").write_text(code)
    report = tmp_path / "report.json"
    subprocess.run(
        [sys.executable, observer.__file__, str(report), "script.py", *arguments],
        cwd=tmp_path,
        check=True,
    )
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def test_a_script_runs_as_it_would_by_itself(tmp_path: Path) -> None:
    """Its name, arguments, path and module are the ones that Python gives it."""
    (tmp_path / "beside.py").touch()
    code = (
        "import beside, os, sys\n"
        "assert __name__ == '__main__' and sys.modules['__main__'].__dict__ is globals()\n"
        "assert sys.argv == ['script.py', 'one', '--two'] and __file__ == 'script.py'\n"
        "assert sys.path[0] == os.getcwd()\n"
        "def later(): return os\n"
        "assert later() is os\n"
    )
    assert observed(tmp_path, code, "one", "--two")["outward"] == []


def test_reads_are_reported_and_writes_are_not(tmp_path: Path) -> None:
    """Also the ones that failed, by whatever way they were made."""
    code = (
        "import os, pathlib\n"
        "pathlib.Path('written').write_text('x')\n"
        "open('read.txt', 'w').close(); open('read.txt').close()\n"
        "os.close(os.open('read.bin', os.O_RDWR | os.O_CREAT)); open(b'bytes', 'wb').close()\n"
        "try: open('absent')\n"
        "except FileNotFoundError: pass\n"
        "os.listdir('.'); list(os.scandir('..'))\n"
    )
    read = set(observed(tmp_path, code)["read"])
    for name in ("read.txt", "read.bin", "absent", "", "../"):
        assert str((tmp_path / name).resolve()) in read, name
    assert str(tmp_path / "written") not in read


@pytest.mark.parametrize(
    ("code", "event"),
    [
        ("import socket; socket.socket().connect_ex(('127.0.0.1', 9))", "socket.connect"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import os; os.waitpid(os.posix_spawn('/bin/sh', ['sh', '-c', ''], {}), 0)", "os.posix_"),
        ("import os; os.fork() or os._exit(0)", "os.fork"),
    ],
)
def test_what_goes_outward_is_reported(tmp_path: Path, code: str, event: str) -> None:
    """A connection or a process is a source that no file accounts for."""
    assert any(each.startswith(event) for each in observed(tmp_path, code)["outward"])


def test_node_is_expected(tmp_path: Path) -> None:
    """Constructs run in it: it is no reason for doubt."""
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    code = f"import subprocess; subprocess.run([{str(node)!r}])"
    assert observed(tmp_path, code)["outward"] == []


def test_a_script_that_fails_fails(tmp_path: Path) -> None:
    """Its exit status and its traceback are its own."""
    (tmp_path / "script.py").write_text("import sys; sys.exit(64)")
    command = [sys.executable, observer.__file__, str(tmp_path / "report"), "script.py"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 64
