"""Which commit lies in a folder, and whether anything differs from it."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.files import read_regular
from biomodal_deploy.plan.sealed.facts import one_line

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class Revision:
    """A commit, and whether the working tree is exactly that. None where there is no Git."""

    commit: str | None = None
    clean: bool | None = None


def revision_of(project: Path) -> Revision:
    """Return the commit of a project's working tree; files that Git does not know count."""
    head = _git(project, "rev-parse", "--verify", "HEAD")
    if head is None or not _COMMIT.fullmatch(head.strip()):
        return Revision()
    changes = _git(project, "status", "--porcelain", "--untracked-files=normal")
    return Revision(head.strip(), None if changes is None else not changes.strip())


def authors_of(project: Path) -> tuple[str, ...]:
    """Return the addresses of who works here and of who wrote the commit, as Git knows them.

    Of a merge also of who wrote what it brought.
    """
    authors = "--format=%ae%n%ce"
    said = (
        _git(project, "config", "user.email"),
        _git(project, "log", authors, "-1"),
        _git(project, "log", authors, "HEAD^1..HEAD"),  # a first or shallow commit has none
    )
    lines = (line.strip() for text in said if text for line in text.splitlines())
    return tuple(dict.fromkeys(one_line(line) for line in lines if line))


def signing_key(project: Path) -> str | None:
    """Return the SSH key that Git signs with here; None where it signs with none."""
    if (_git(project, "config", "gpg.format") or "").strip() != "ssh":
        return None
    return (_git(project, "config", "--type=path", "user.signingkey") or "").strip() or None


def is_ignored(path: Path) -> bool:
    """Whether Git passes a file over that it does not know yet; false where there is no Git."""
    folder = next(each for each in path.parents if each.is_dir())
    return _git(folder, "check-ignore", "--quiet", "--", str(path)) is not None


def commit_of(clone: Path) -> str | None:
    """Return the commit that is checked out in a clone, read from its files.

    Terraform leaves a clone for every module, and a Git process for each would cost more than all
    other checks together.
    """
    git_dir = clone / ".git"
    try:
        if git_dir.is_file():  # a worktree or a submodule
            git_dir = clone / git_dir.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
        head = read_regular(git_dir / "HEAD").decode().strip()
        if head.startswith("ref:"):
            head = _reference(git_dir, head.removeprefix("ref:").strip())
    except (OSError, UnicodeDecodeError):
        return None
    return head if _COMMIT.fullmatch(head) else None


def _reference(git_dir: Path, name: str) -> str:
    loose = git_dir / name
    if loose.is_file():
        return loose.read_text(encoding="utf-8").strip()
    for line in read_regular(git_dir / "packed-refs").decode().splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return ""


def _git(folder: Path, *arguments: str) -> str | None:
    # Where a hook or a caller exported GIT_DIR, Git would answer for another repository.
    environment = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # whichever Git the user has
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")
