"""Everything that synthesis depends on, as one digest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FORMAT: Final = 1
# A project beyond this is none that we know how to judge.
_MOST_FILES: Final = 5_000
_MOST_BYTES: Final = 64 << 20

# Nothing that an app is made of, and most of it changes without the app.
_TOOLS: Final = frozenset(
    {
        ".git",
        ".hg",
        ".hypothesis",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".terraform",
        "__pycache__",
        "node_modules",
    }
)
# What the workflow and Terraform write into a project, at its top.
_WRITTEN: Final = frozenset({"locks", "plans", "state"})

# What differs from one terminal to the next and says nothing of the app. All else counts.
_TERMINAL: Final = frozenset(
    {
        "COLORTERM",
        "COLUMNS",
        "DISPLAY",
        "GPG_TTY",
        "LINES",
        "LS_COLORS",
        "OLDPWD",
        "PWD",
        "SHLVL",
        "STY",
        "TERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "TERM_SESSION_ID",
        "TMUX",
        "TMUX_PANE",
        "WINDOWID",
        "XDG_SESSION_ID",
        "_",
    }
)


class InDoubt(Exception):
    """It cannot be told what synthesis depends on."""


@dataclass(frozen=True)
class Inputs:
    """What synthesis depends on, as far as it is known before it runs.

    Attributes:
        key: A digest of it all.
        files: The digests of the project's files.
        project_dir: The project.
        output: The folder that synthesis writes to; no input.
    """

    key: str
    files: frozenset[str]
    project_dir: Path
    output: Path

    def cover(self, path: Path) -> bool:
        """Say whether a file or folder is among them."""
        if path.is_relative_to(self.output):
            return True
        if not path.is_relative_to(self.project_dir):
            return False
        parts = path.relative_to(self.project_dir).parts
        return not (_TOOLS.intersection(parts) or _WRITTEN.intersection(parts[:1]))


def current(
    project_dir: Path, argv: Sequence[str], output: Path, environment: Mapping[str, str]
) -> Inputs:
    """Return what synthesis depends on now.

    Args:
        project_dir: The folder that holds `cdktf.json`, absolute.
        argv: The app command.
        output: The folder that synthesis writes to.
        environment: The app's environment variables.

    Raises:
        InDoubt: The project is too large, or holds what is neither file nor folder.
    """
    files = dict(_files(project_dir, output))
    variables = {name: each for name, each in environment.items() if name not in _TERMINAL}
    known = [
        _FORMAT,
        [str(project_dir), str(output), list(argv)],
        sorted(files.items()),
        sorted(variables.items()),
        [sys.version, os.path.realpath(sys.executable), _packages()],
        _node(environment),
    ]
    text = json.dumps(known, separators=(",", ":"))
    key = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return Inputs(key, frozenset(digest for _, digest in files.values()), project_dir, output)


def state(path: Path) -> str | None:
    """Return what stands for a file's content or a folder's names now; None where it is neither."""
    try:
        if path.is_dir():
            names = sorted({each.name for each in path.iterdir()} - {"__pycache__"})
            return hashlib.sha256("\0".join(names).encode("utf-8", "surrogateescape")).hexdigest()
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    except OSError:
        return None


def _files(project_dir: Path, output: Path) -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield each file of the project with its mode and its content's digest."""
    # Plain texts: a project has hundreds of files, and this is most of an unchanged synthesis.
    root, count, size = str(project_dir), 0, 0
    start = len(root.rstrip(os.sep)) + 1
    folders = [root]
    while folders:
        folder = folders.pop()
        for entry in os.scandir(folder):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                if not _left_out(entry, folder == root, output):
                    folders.append(entry.path)
                continue
            content = _content(entry, found)
            count, size = count + 1, size + len(content)
            if count > _MOST_FILES or size > _MOST_BYTES:
                raise InDoubt("the project is too large")
            digest = hashlib.sha256(content).hexdigest()
            yield entry.path[start:], (stat.S_IMODE(found.st_mode), digest)


def _left_out(folder: os.DirEntry[str], at_top: bool, output: Path) -> bool:
    return (
        folder.name in _TOOLS
        or (at_top and folder.name in _WRITTEN)
        or folder.path == str(output)
        or Path(folder.path, "pyvenv.cfg").exists()
    )


def _content(entry: os.DirEntry[str], found: os.stat_result) -> bytes:
    try:
        if stat.S_ISLNK(found.st_mode) and entry.is_file():
            # Both what it says and what it leads to.
            return os.fsencode(Path(entry.path).readlink()) + _bytes_of(entry.path)
        if stat.S_ISREG(found.st_mode):
            return _bytes_of(entry.path)
    except OSError as error:
        raise InDoubt(f"{entry.path} cannot be read") from error
    raise InDoubt(f"{entry.path} is neither a file nor a folder")


def _bytes_of(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs as much as the read
        return file.read()


def _packages() -> list[list[str]]:
    """Return the names of what is installed: a package's metadata folder names its version."""
    folders = [Path(each) for each in sys.path if each.endswith(("site-packages", "dist-packages"))]
    named = (".dist-info", ".egg-info", ".pth")
    return [
        sorted(each.name for each in folder.iterdir() if each.name.endswith(named))
        for folder in folders
        if folder.is_dir()
    ]


def _node(environment: Mapping[str, str]) -> list[object]:
    # The file stands for its version: asking Node costs more than all the rest.
    chosen = environment.get("JSII_NODE") or "node"
    found = shutil.which(chosen, path=environment.get("PATH"))
    if found is None:
        return [chosen]
    real = os.path.realpath(found)
    status = Path(real).stat()
    return [real, status.st_size, status.st_mtime_ns]
