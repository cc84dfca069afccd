"""Run the app's script, and report what it read and did besides.

Started as a file (`python observer.py REPORT SCRIPT ARGUMENT...`), so it may import nothing but the
standard library. Python tells its audit hooks of every file that is opened, every folder that is
listed, every connection and every process. What the app did is known that way, whatever it is.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

# What the app learns this way, nobody can look up again.
_OUTWARD: Final = (
    "ftplib.",
    "http.",
    "imaplib.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "poplib.",
    "pty.",
    "smtplib.",
    "socket.connect",
    "socket.get",
    "socket.send",
    "sqlite3.",
    "subprocess.",
    "telnetlib.",
    "urllib.",
)
# Constructs run in it, and it reads what they are given.
_NODE: Final = ("node", "node.exe")


class Report:
    """What the app was seen to read, and what it did that no file accounts for."""

    def __init__(self) -> None:
        self._read: set[str] = set()
        self._outward: set[str] = set()

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        """Take note of an event."""
        if event == "open":
            path, mode, flags = arguments
            if not _writes(mode, flags):
                self._note(path)
        elif event in ("os.listdir", "os.scandir"):
            self._note("." if arguments[0] is None else arguments[0])
        elif event.startswith(_OUTWARD) and not _starts_node(event, arguments):
            self._outward.add(event)

    def _note(self, path: object) -> None:
        if isinstance(path, str | bytes):
            self._read.add(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - links stay

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        content = {"read": sorted(self._read), "outward": sorted(self._outward)}
        path.write_text(json.dumps(content), encoding="utf-8", errors="surrogateescape")


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax") and "+" not in mode
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_WRONLY


def _starts_node(event: str, arguments: tuple[object, ...]) -> bool:
    if event not in ("os.posix_spawn", "subprocess.Popen"):
        return False
    program = arguments[0]
    return isinstance(program, str) and Path(program).name in _NODE


def main(report_path: str, script: str, arguments: list[str]) -> None:
    """Run a script as `python SCRIPT ARGUMENT...` does."""
    report = Report()
    atexit.register(report.write, Path(report_path))
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).absolute().parent)
    code = compile(Path(script).read_bytes(), script, "exec", dont_inherit=True)
    module = sys.modules["__main__"] = ModuleType("__main__")
    module.__file__ = script
    sys.addaudithook(report.hear)
    exec(code, module.__dict__)  # noqa: S102 - it is what was asked for


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
