"""A scratch copy of a project: what a rehearsal writes is written there, and nowhere else.

State, plans, history and Terraform's working folders are left behind, not copied: an empty account
has none, and a state of the real one would be taken for what is in the sandbox.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.config.settings import (
    CONTEXT_VARIABLE,
    OUTDIR_VARIABLE,
    PROJECT_FILE,
    SCRATCH_VARIABLE,
)
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import writing

_LIMIT_BYTES: Final = 1 << 30
_LIMIT_FILES: Final = 50_000
# Of a project alone: elsewhere they are names like any other.
_WRITTEN: Final = frozenset({"plans", "state"})
_NEVER: Final = frozenset(
    {".terraform", "terraform.tfstate.d", "__pycache__", ".mypy_cache", ".pytest_cache"}
)
_STATE: Final = re.compile(r"\.tfstate(\.(\d+\.)?backup|\.lock\.info)?$")
_PROJECT_DIR: Final = "BIOMODAL_PROJECT_DIR"
# Where Terraform, the app or a tool of ours would look for, or keep, something by its path.
_STEERING: Final = ("BIOMODAL_", "CDKTF_", "TF_", "PYTHONPATH", "NODE_PATH", "PWD", "SANDBOX_")
_DROPPED: Final = re.compile(
    rf"{OUTDIR_VARIABLE}|TF_DATA_DIR|TF_CLI_ARGS.*|TF_TOKEN_.*|TF_HTTP_.*|GIT_.*|OLDPWD"
)


@dataclass(frozen=True)
class Scratch:
    """A project's copy.

    Attributes:
        output: The folder that synthesis writes to, in the copy.
        notes: What is different there, for people.
    """

    project: Path
    folder: Path
    output: Path
    notes: tuple[str, ...]

    def text(self, text: str) -> str:
        """Return a text that names the copy wherever it named the project by its absolute path."""
        return re.sub(rf"{re.escape(str(self.project))}(?![\w.-])", str(self.folder), text)

    def directory(self, cwd: Path) -> Path:
        """Return the copy's folder for one of the project's; its own for any other."""
        resolved = cwd.resolve()
        if not resolved.is_relative_to(self.project):
            return self.folder
        return self.folder / resolved.relative_to(self.project)

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which nothing points at the project, its state or its output."""
        found = scratch_environment(base)
        for name, value in found.items():
            if name.startswith(_STEERING):
                found[name] = self.text(value)
        if context := found.get(CONTEXT_VARIABLE):
            found[CONTEXT_VARIABLE], _ = _with_own_state(context, within=())
        if _PROJECT_DIR in found:  # a relative one started from the caller's folder
            found[_PROJECT_DIR] = str(self.folder)
        # Read-only: what `git status` would write is an index of the project's own.
        found |= {"GIT_OPTIONAL_LOCKS": "0", SCRATCH_VARIABLE: str(self.folder)}
        if self.output != self.folder / "cdktf.out":
            found[OUTDIR_VARIABLE] = str(self.output)
        return found


def scratch_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what moves state, output or Terraform's data elsewhere."""
    return {name: value for name, value in base.items() if not _DROPPED.fullmatch(name)}


def copy_project(project: Path, folder: Path, output: Path) -> Scratch:
    """Copy a project without its state, plans and history.

    Installed packages are linked, not copied. Links that lead out of the project are followed:
    through them, the original would be written.

    Args:
        folder: The copy, which must not exist.
        output: Where synthesis writes in the project itself; somewhere else, perhaps.

    Raises:
        UsageError: Something cannot be read or written, or it is too much.
    """
    project = project.resolve()
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True)
    output, target = output.resolve(), folder.resolve()
    # A local state lies beside the output folder.
    _Copy(project, {target, output.parent / "state"}).tree(project, target, ())
    notes = _own_states(target)
    inside = output.is_relative_to(project) and output != project
    written = target / (output.relative_to(project) if inside else "cdktf.out")
    return Scratch(project, target, written, notes)


class _Copy:
    def __init__(self, project: Path, skipped: set[Path]) -> None:
        self._project, self._skipped = project, skipped
        self._bytes = self._files = 0

    def tree(self, source: Path, target: Path, parents: tuple[Path, ...]) -> None:
        """Copy a folder's entries into an existing folder."""
        try:
            entries = sorted(source.iterdir())
        except OSError as error:
            raise _unreadable(source, error) from None
        is_project = any(entry.name == PROJECT_FILE for entry in entries)
        for entry in entries:
            if entry.name in _NEVER or (is_project and entry.name in _WRITTEN):
                continue
            # The copy itself may lie in the project, and a link may lead back up.
            if entry.resolve() not in self._skipped.union(parents):
                self._entry(entry, target / entry.name, (*parents, source.resolve()))

    def _entry(self, entry: Path, target: Path, parents: tuple[Path, ...]) -> None:
        try:
            status = entry.stat()
        except OSError:
            return  # a link to nothing
        with writing(target):
            if stat.S_ISREG(status.st_mode):
                if not _STATE.search(entry.name):
                    self._file(entry, target, status.st_size, status.st_mode)
            elif not stat.S_ISDIR(status.st_mode):
                return  # a pipe or a socket would be waited for
            elif entry.name == "node_modules" or (entry / "pyvenv.cfg").exists():
                target.symlink_to(entry.resolve())
            else:
                target.mkdir(mode=0o700)
                if entry.name == ".git" and (entry / "objects").is_dir():
                    self._skipped.add((entry / "objects").resolve())
                    _share_objects(entry, target)
                self.tree(entry, target, parents)

    def _file(self, entry: Path, target: Path, size: int, mode: int) -> None:
        self._bytes += size
        self._files += 1
        if self._bytes > _LIMIT_BYTES or self._files > _LIMIT_FILES:
            raise UsageError(
                f"too large for a scratch copy (over {_LIMIT_FILES} files or 1 GiB)",
                field="project",
                value=str(self._project),
                fix="run it in the project's folder, or name that with --project-dir",
            )
        try:
            shutil.copyfile(entry, target)
            shutil.copystat(entry, target)  # Git compares times
        except PermissionError as error:
            raise _unreadable(entry, error) from None
        target.chmod(0o600 | mode & 0o100)


def _unreadable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot be read ({error.strerror})", field=str(path), fix="fix its permissions"
    )


def _share_objects(repository: Path, target: Path) -> None:
    """Let a copy of a Git repository read the original's objects; what it adds is its own."""
    info = target / "objects" / "info"
    info.mkdir(parents=True)
    (info / "alternates").write_text(f"{(repository / 'objects').resolve()}\n", encoding="utf-8")


def _own_states(folder: Path) -> tuple[str, ...]:
    """Give each stack whose state the sandbox cannot stand in for a local one."""
    notes: list[str] = []
    for path in sorted(folder.rglob(PROJECT_FILE)):
        if path.is_symlink() or "node_modules" in path.parts:
            continue
        text, changed = _with_own_state(path.read_text(encoding="utf-8"), within=("context",))
        if changed:
            path.write_text(text, encoding="utf-8")
            notes += [f"{each}: its state is a file of the scratch copy here" for each in changed]
    return tuple(notes)


def _with_own_state(text: str, *, within: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return settings in which every backend is a file, or a bucket of the sandbox's own."""
    try:
        document = json.loads(text)
        found = document
        for name in within:
            found = found[name]
        stacks = dict(found["stacks"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return text, []  # wrong, or of another app: whoever reads it next says so
    changed = []
    for name, each in stacks.items():
        backend = each.get("backend") if isinstance(each, dict) else None
        if isinstance(backend, dict) and backend.get("kind") in ("cloud", "partial"):
            stacks[name] = {key: each[key] for key in each if key != "backend"}
            changed.append(str(name))
        elif isinstance(backend, dict) and "profile" in backend:
            # The sandbox has the credentials of its environment, and no profiles.
            kept = {key: backend[key] for key in backend if key != "profile"}
            stacks[name] = {**each, "backend": kept}
    found["stacks"] = stacks
    return json.dumps(document, indent=2), changed
