"""Tests of `biomodal_deploy.cli.commands.demo`."""

from __future__ import annotations

import os
from pathlib import Path

from biomodal_deploy.errors import EXIT_USAGE
from tests.support.light import command


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Else something other than what was typed would be rehearsed, for minutes."""
    ended = command(tmp_path, ["demo", "--project-dir", "nowhere"], os.environ)
    assert ended.status == EXIT_USAGE
    assert "--project-dir" in ended.err
    assert "nowhere" in ended.err
