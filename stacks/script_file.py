"""A start-up script, read whole and fit for EC2's user data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cdktf import TerraformAsset
from constructs import Construct

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

# EC2 API reference, RunInstances: 16 KB before base64.
USER_DATA_LIMIT: Final = 16_384


@dataclass(frozen=True)
class ScriptFile:
    """A script of the project's.

    Attributes:
        path: The file.
        content: What is in it.
    """

    path: Path
    content: bytes

    def refuse_beyond_limit(self, size: int) -> None:
        """Refuse more user data than EC2 takes.

        Args:
            size: How many bytes the script makes, at the most.

        Raises:
            UsageError: It is more.
        """
        if size > USER_DATA_LIMIT:
            raise UsageError(
                f"EC2 takes at most {USER_DATA_LIMIT} bytes of user data",
                field=f"scripts/{self.path.name}",
                value=size,
                fix="shorten the script, or let it download the rest",
            )

    def copied_into(self, scope: Construct, id_: str) -> str:
        """Copy it into the stack's directory, and return the expression that reads the copy."""
        asset = TerraformAsset(
            scope,
            id_,
            path=str(self.path),
            # The content's own digest: an edited script then shows in the synthesized JSON too.
            asset_hash=hashlib.sha256(self.content).hexdigest()[:12],
        )
        return f'file("${{path.module}}/{asset.path}")'


def read_script(path: Path, what: str, *, encoding: str, named: str) -> ScriptFile:
    """Read a script.

    Args:
        path: The file.
        what: What an error calls it.
        encoding: What it has to be encoded in.
        named: What an error calls that.

    Raises:
        UsageError: missing, unreadable, encoded otherwise, or nothing that a VM runs.
    """
    try:
        content = read_regular(path)
        content.decode(encoding)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"it is not {named}"
        raise UsageError(
            f"{what} cannot be read ({reason})",
            field=f"scripts/{path.name}",
            fix="restore the file from version control",
        ) from None
    _refuse_what_is_not_run(path, content)
    return ScriptFile(path, content)


def _refuse_what_is_not_run(path: Path, content: bytes) -> None:
    # The VM would start all the same, without what it is for, and say why in a log only.
    if not content.startswith(b"#!"):
        raise UsageError(
            "cloud-init runs only a script that starts with #!",
            field=f"scripts/{path.name}",
            fix="begin its first line with #!/bin/bash, or restore the file from version control",
        )
    if b"\r\n" in content:
        raise UsageError(
            "Its lines end as on Windows, and no shell on Linux runs them",
            field=f"scripts/{path.name}",
            fix=f"take the carriage returns out: sed -i 's/\\r$//' scripts/{path.name}",
        )
