"""Tests for biomodal_deploy.plan.sealed.facts."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from unittest.mock import Mock

import pytest

from biomodal_deploy.plan.sealed.facts import Actor, whoami


def test_this_process_runs() -> None:
    """As long as it can say so."""
    assert Actor.me().is_running() is True
    assert Actor.me().pid == os.getpid()


def test_a_process_that_ended_does_not_run() -> None:
    """Its number may be free or taken again."""
    code = (
        "from biomodal_deploy.plan.sealed.facts import Actor; print(Actor.me().model_dump_json())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert Actor.model_validate_json(done.stdout).is_running() is False


def test_another_process_with_the_same_number_is_another() -> None:
    """A number is given again, together with its start it is not."""
    me = Actor.me()
    assert me.model_copy(update={"started": "before the last boot"}).is_running() is False


def test_another_machine_cannot_be_asked() -> None:
    """So nothing is claimed about it."""
    assert Actor.me().model_copy(update={"who": "me@elsewhere"}).is_running() is None


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in many containers."""
    monkeypatch.setattr(getpass, "getuser", Mock(side_effect=KeyError))
    assert whoami().startswith(f"{os.getuid()}@")


def test_a_name_cannot_write_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is printed by whoever looks at the history."""
    monkeypatch.setattr(getpass, "getuser", lambda: "me\x1b[2J\n")
    assert whoami().startswith("me[2J@")
