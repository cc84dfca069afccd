"""A stack for the tests that run Terraform itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.small_stack import write_small_stack


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """Return a stack with a secret input and no provider to download."""
    directory = tmp_path / "stack"
    write_small_stack(directory)
    return directory
