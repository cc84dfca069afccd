"""The blocks of an adoption: kept in the project, and read by Terraform beside the JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.files import writing
from biomodal_deploy.workflow.stack import Stack

FOLDER: Final = "adopt"
_COPY: Final = "adopt.tf"


def adoption_file(stack: Stack) -> Path:
    """Return where the project keeps a stack's blocks, for everybody to review and commit."""
    return stack.location.project_dir / FOLDER / f"{stack.name}.tf"


def bring_adoption(stack: Stack) -> None:
    """Put the project's blocks beside the synthesized JSON; remove them there without any.

    Raises:
        UsageError: They cannot be read or written.
    """
    target = stack.directory / _COPY
    with writing(target):
        try:
            content = files.read_regular(adoption_file(stack))
        except FileNotFoundError:
            target.unlink(missing_ok=True)
            return
        files.write(target, content, mode=files.public_mode())
