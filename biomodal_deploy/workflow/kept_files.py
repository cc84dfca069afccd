"""What the project keeps of a stack for Terraform: provider lock file, and an adoption's blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import writing
from biomodal_deploy.plan.sealed.gathering import LOCK_FILE
from biomodal_deploy.workflow.signals import Notice
from biomodal_deploy.workflow.stack import Stack

_LOCKS: Final = "locks"
READ_ONLY_VARIABLE: Final = "BIOMODAL_READONLY_LOCK"
_YES: Final = frozenset({"1", "true", "yes"})

_ADOPTIONS: Final = "adopt"
_COPY: Final = "adopt.tf"


def project_lock(stack: Stack) -> Path:
    """Return where the project keeps a stack's provider lock file, for everybody to commit."""
    return stack.location.project_dir / _LOCKS / f"{stack.name}{LOCK_FILE}"


def is_read_only(environment: Mapping[str, str]) -> bool:
    """Whether nothing may change a lock file here: asked for, or a CI job (`CI=true`)."""
    return any(environment.get(name, "").lower() in _YES for name in (READ_ONLY_VARIABLE, "CI"))


def bring_lock(stack: Stack) -> bool:
    """Put the project's lock file where Terraform looks for it."""
    target = stack.directory / LOCK_FILE
    with writing(target):
        wanted = _content(project_lock(stack))
        if wanted is not None and wanted != _content(target):
            files.write(target, wanted, mode=files.public_mode())
    return wanted is not None


def keep_lock(stack: Stack) -> None:
    """Keep what Terraform wrote into its lock file, where that is news."""
    target = project_lock(stack)
    with writing(target):
        written, kept = _content(stack.directory / LOCK_FILE), _content(target)
        # A stack without providers has none.
        if written is None or written == kept:
            return
        target.parent.mkdir(exist_ok=True)
        files.write(target, written, mode=files.public_mode())
    did = "is new" if kept is None else "has changed"
    stack.on_event(
        Notice(f"{_LOCKS}/{target.name} {did}: commit it, so that all run the same providers")
    )


def forget_lock(stack: Stack) -> None:
    """Let Terraform choose providers anew; the project's own file stays until it has."""
    with contextlib.suppress(FileNotFoundError):
        (stack.directory / LOCK_FILE).unlink()


def _content(path: Path) -> bytes | None:
    try:
        return files.read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})",
            field=str(path),
            fix="restore the file from version control",
        ) from None


def adoption_file(stack: Stack) -> Path:
    """Return where the project keeps a stack's blocks, for everybody to review and commit."""
    return stack.location.project_dir / _ADOPTIONS / f"{stack.name}.tf"


def bring_adoption(stack: Stack) -> None:
    """Put the project's blocks beside the synthesized JSON; remove them there without any."""
    target = stack.directory / _COPY
    with writing(target):
        try:
            content = files.read_regular(adoption_file(stack))
        except FileNotFoundError:
            # Looked for first: on a read-only file system even what is not there cannot be removed.
            if target.is_symlink() or target.exists():
                target.unlink(missing_ok=True)
            return
        files.write(target, content, mode=files.public_mode())
