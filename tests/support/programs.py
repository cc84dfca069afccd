"""Programs of a test's own."""

from __future__ import annotations

from pathlib import Path


def shell_program(path: Path, body: str) -> Path:
    """Write a program that a shell runs, with the folder that it lies in; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path
