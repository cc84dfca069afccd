"""Tests for biomodal_deploy.workflow.ejecting that need no provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.light import LightProject


@pytest.mark.engine
def test_the_folder_is_named_in_its_shortest_form(tmp_path: Path) -> None:
    """However it was given: the line is there to be copied."""
    project = LightProject(tmp_path / "project")
    ended = project.run("eject", "plans/../../plain", "--json", "--output", "json")
    assert ended.data["directory"] == str(tmp_path / "plain"), ended.err
    assert (tmp_path / "plain" / "main.tf.json").is_file()
