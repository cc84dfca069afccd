"""The app command's environment: which Node cdktf's engine runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.config.settings import read_project_file
from biomodal_deploy.engine.synthesis.app import App
from biomodal_deploy.errors import UsageError
from tests.support.light import LightProject


def app_with(folder: Path, environment: dict[str, str]) -> App:
    """Return a project's app command in this environment."""
    LightProject(folder)
    return App.of(read_project_file(folder), folder, environment)


def test_our_own_setting_names_jsii_s_node(tmp_path: Path) -> None:
    """BIOMODAL_NODE is what runs, and goes before JSII_NODE, as `doctor --toolchain` says."""
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v24.1.0\n")
    node.chmod(0o755)
    environment = {"BIOMODAL_NODE": str(node), "JSII_NODE": "/elsewhere/node", "PATH": "/bin"}
    assert app_with(tmp_path, environment).environment["JSII_NODE"] == str(node)


def test_a_node_that_is_none_is_refused(tmp_path: Path) -> None:
    """One line that names the setting, and no other Node in its place."""
    with pytest.raises(UsageError, match=r'^BIOMODAL_NODE = "/nope": .* Fix: '):
        app_with(tmp_path, {"BIOMODAL_NODE": "/nope"})


def test_without_our_setting_the_environment_is_left_alone(tmp_path: Path) -> None:
    """The app then chooses by itself."""
    assert "JSII_NODE" not in app_with(tmp_path, {}).environment
    assert app_with(tmp_path, {"JSII_NODE": "/x"}).environment["JSII_NODE"] == "/x"
