"""The Batch hosts' start-up script as multipart MIME user data.

Batch puts parts of its own beside ours, so it takes nothing else: a plain script makes the compute
environment INVALID.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from cdktf import TerraformAsset
from constructs import Construct

from biomodal_deploy.errors import UsageError
from stacks.install_script import USER_DATA_LIMIT

_BOUNDARY: Final = "==BIOMODAL=="
HEAD: Final = (
    "MIME-Version: 1.0\n"
    f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"\n'
    "\n"
    f"--{_BOUNDARY}\n"
    'Content-Type: text/x-shellscript; charset="us-ascii"\n'
    "\n"
)
TAIL: Final = f"\n--{_BOUNDARY}--\n"


def batch_user_data(scope: Construct, script: Path) -> str:
    """Copy the script into the stack's directory and return it as base64 user data.

    Args:
        scope: The stack.
        script: The hosts' start-up script.

    Raises:
        UsageError: The script is missing, not plain ASCII, or too long for EC2.
    """
    try:
        content = script.read_bytes()
        content.decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not plain ASCII"
        raise UsageError(
            f"The Batch hosts' script cannot be read ({reason})",
            field=f"scripts/{script.name}",
            fix="restore the file from version control",
        ) from None
    size = len(HEAD) + len(content) + len(TAIL)
    if size > USER_DATA_LIMIT:
        raise UsageError(
            f"EC2 takes at most {USER_DATA_LIMIT} bytes of user data",
            field=f"scripts/{script.name}",
            value=size,
            fix="shorten the script, or let it download the rest",
        )
    asset = TerraformAsset(
        scope,
        "batch_host",
        path=str(script),
        asset_hash=hashlib.sha256(content).hexdigest()[:12],
    )
    head, tail = (_literal(text) for text in (HEAD, TAIL))
    return f'${{base64encode(join("", [{head}, file("${{path.module}}/{asset.path}"), {tail}]))}}'


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
