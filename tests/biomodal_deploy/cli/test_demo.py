"""Tests of `biomodal_deploy.cli.commands.demo`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_USAGE
from tests.support.light import command


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Else something other than what was typed would be rehearsed, for minutes."""
    ended = command(tmp_path, ["demo", "--project-dir", "nowhere"], os.environ)
    assert ended.status == EXIT_USAGE
    assert "--project-dir" in ended.err
    assert "nowhere" in ended.err


@pytest.mark.engine
def test_standard_output_holds_the_data_alone(tmp_path: Path) -> None:
    """Every step held, and what its commands print for people is on standard error."""
    ended = command(tmp_path, ["demo", "--output", "json"], os.environ, timeout=1200)
    assert ended.status == EXIT_DONE, ended.err
    assert all(each["ok"] for each in ended.data)
    assert "$ biomodal-aws plan" in ended.err
