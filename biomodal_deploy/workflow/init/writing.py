"""The two files of a new stack: drafted, shown, and written together or not at all."""

from __future__ import annotations

import difflib
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.settings import (
    PROJECT_FILE,
    ProjectFile,
    read_project_file,
    read_stacks,
)
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular, replace, write_new, writing
from biomodal_deploy.workflow.init.answers import FOLDER, Answers, check_name
from biomodal_deploy.workflow.init.texts import tfvars_text, with_member

_PATH: Final = ("context", "stacks")


@dataclass(frozen=True)
class Draft:
    """A new stack, as it will be written."""

    answers: Answers
    project_dir: Path
    before: str
    after: str
    variables: str

    @property
    def var_file(self) -> Path:
        """Where its file of variables goes."""
        return self.project_dir / self.answers.var_file

    def difference(self) -> str:
        """Return what changes in `cdktf.json`, as a unified diff."""
        return "".join(
            difflib.unified_diff(
                self.before.splitlines(keepends=True),
                self.after.splitlines(keepends=True),
                PROJECT_FILE,
                PROJECT_FILE,
            )
        )


def stacks_of(project_dir: Path) -> Mapping[str, JsonValue]:
    """Return the stacks that are there by name, as they stand in `cdktf.json`."""
    stacks = read_project_file(project_dir).context.get("stacks")
    return stacks if isinstance(stacks, dict) else {}


def draft(project_dir: Path, answers: Answers) -> Draft:
    """Return what writing a stack would write."""
    taken = stacks_of(project_dir)
    if (rule := check_name(answers.name, taken)) is not None:
        raise UsageError(
            rule.rstrip("."), field="NAME", value=answers.name, fix="give another name"
        )
    with writing(project_dir / PROJECT_FILE):
        # Not read_text: it would turn the line ends of another system into ours.
        before = read_regular(project_dir / PROJECT_FILE).decode()
    after = with_member(before, (*_PATH, answers.name), answers.entry)
    # Read as every command will read it: its own rules, and that no two share a state.
    read_stacks(ProjectFile.model_validate_json(after), {})
    found = Draft(answers, project_dir, before, after, tfvars_text(answers))
    _refuse_another(found)
    return found


def write(found: Draft) -> None:
    """Write a stack's file of variables, then its entry in `cdktf.json`.

    What was changed there since it was drafted stays. A file of variables that is there already is
    left alone: with the same text it is what was stopped before, and with another the stack
    is refused.
    """
    with _alone(found.project_dir):
        found = draft(found.project_dir, found.answers)
        with writing(found.var_file):
            found.var_file.parent.mkdir(exist_ok=True)
        made = write_new(found.var_file, found.variables.encode())
        if not made:
            _refuse_another(found)
        try:
            _replace(found.project_dir / PROJECT_FILE, found.after.encode())
        except BaseException:
            if made:
                found.var_file.unlink(missing_ok=True)
            raise


def _refuse_another(found: Draft) -> None:
    path = found.var_file
    if not (path.exists() or path.is_symlink()):
        return
    with writing(path):
        same = path.is_file() and path.read_bytes() == found.variables.encode()
    if not same:
        raise UsageError(
            "already exists, and is left as it is",
            field=found.answers.var_file,
            fix=f"give the stack another name, or move the file out of {FOLDER}/",
        )


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole, with the mode of the one in whose place it comes."""
    path = path.resolve()
    replace(path, content, mode=stat.S_IMODE(path.stat().st_mode))


@contextmanager
def _alone(project_dir: Path) -> Iterator[None]:
    """Let one command at a time add a stack; the lock goes with the process."""
    descriptor = os.open(project_dir, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
