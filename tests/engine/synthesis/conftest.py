"""Checkouts of the app to synthesize, and to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.project import BOTH, copy_app, run_main, write_stacks


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout of the app in another folder."""
    return copy_app(tmp_path / "checkout")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with both implementations, synthesized once; tests that change it copy it."""
    project = copy_app(tmp_path_factory.mktemp("good") / "checkout")
    write_stacks(project, BOTH)
    done = run_main(project)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return project


@pytest.fixture
def copy(good: Path, tmp_path: Path) -> Path:
    """That checkout with its good output, to break."""
    return shutil.copytree(good, tmp_path / "copy")
