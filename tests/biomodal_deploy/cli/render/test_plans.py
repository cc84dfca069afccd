"""A history as people read it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from biomodal_deploy.cli.render.plans import show_history
from biomodal_deploy.plan.history import Chain, Event
from biomodal_deploy.plan.history.entry import START, Entry
from biomodal_deploy.plan.sealed.facts import Actor
from tests.support.screens import printed


def test_times_name_their_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people compare a history with AWS's own log; a bare local time would mislead one."""
    entry = Entry(
        seq=1,
        at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        event=Event.PLAN,
        stack="lab",
        by=Actor(who="ada@lab", pid=1),
        message="no changes",
        prev=START,
        sha256=START,
    )
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "EST5")
        time.tzset()
        text = printed(lambda console: show_history(console, Chain((entry,))))
    time.tzset()
    assert "2026-01-01 22:04:05 EST" in text
