"""Programs that run to their end."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any


def run_program(words: Sequence[object], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program with nothing to read; what it prints is text, its status is not judged."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    given = {"capture_output": True, "text": True, "check": False, **options}
    return subprocess.run([str(word) for word in words], **given)
