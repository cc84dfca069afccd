"""Tests of `biomodal_deploy.cli.commands.demo`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from biomodal_deploy.cli.render.progress import show_summary
from biomodal_deploy.errors import EXIT_USAGE
from biomodal_deploy.sandbox import demo
from tests.support.light import command
from tests.support.screens import printed


@pytest.mark.slow
def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Else something other than what was typed would be rehearsed, for minutes."""
    ended = command(tmp_path, ["demo", "--project-dir", "nowhere"], os.environ)
    assert ended.status == EXIT_USAGE
    assert "--project-dir" in ended.err
    assert "nowhere" in ended.err


@pytest.mark.parametrize(
    ("host", "says"),
    [("unix:///nobody/there", "no container runtime"), ("tcp://192.0.2.1:2375", "itself")],
)
def test_no_job_without_containers(monkeypatch: pytest.MonkeyPatch, host: str, says: str) -> None:
    """The step is skipped, which is not the same as held, and says why."""
    monkeypatch.setenv("DOCKER_HOST", host)
    rehearsal = object.__new__(demo.Rehearsal)
    found = demo.timed("run one job", lambda: demo.smoke(rehearsal))
    assert (found.ok, found.skipped) == (True, True)
    assert says in found.note
    text = printed(lambda console: show_summary(console, [found], 1))
    assert "skipped" in text
    assert "but for 1 that was not run" in text
