"""The Batch hosts' start-up script as multipart MIME user data.

Batch puts parts of its own beside ours, so it takes nothing else: a plain script makes the compute
environment INVALID.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from constructs import Construct

from stacks.script_file import read_script

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
        script: The hosts' start-up script.

    Raises:
        UsageError: The script is missing, not plain ASCII, or too long for EC2.
    """
    file = read_script(script, "The Batch hosts' script", encoding="ascii", named="plain ASCII")
    file.refuse_beyond_limit(len(HEAD) + len(file.content) + len(TAIL))
    head, tail = (_literal(text) for text in (HEAD, TAIL))
    return f'${{base64encode(join("", [{head}, {file.copied_into(scope, "batch_host")}, {tail}]))}}'


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
