"""How AWS is asked: one that answers without end is not waited for without end."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event

import pytest

from biomodal_deploy.aws import identity
from biomodal_deploy.aws.clients import NoAnswerInTimeError, within
from biomodal_deploy.aws.identity import who_am_i
from biomodal_deploy.errors import EngineError
from tests.support.loopback import Handler, serving
from tests.support.no_credentials import without_credentials


def test_a_call_within_its_time() -> None:
    """What it returns or raises is the caller's."""
    assert within(5.0, lambda: 3) == 3
    with pytest.raises(ValueError, match="x"):
        within(5.0, lambda: int("x"))


def test_a_call_that_takes_too_long() -> None:
    """It is left behind, and the time is named."""
    never = Event()
    with pytest.raises(NoAnswerInTimeError, match=r"no answer in 0\.1 seconds"):
        within(0.1, never.wait)
    never.set()


@pytest.mark.slow
def test_an_answer_that_trickles_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each byte comes in time, and the whole never: plan would stand still without a word."""
    over = Event()

    class Trickle(Handler):
        def answer(self) -> None:
            self.body()
            self.send_response(200)
            self.send_header("Content-Length", "500")
            self.end_headers()
            while not over.wait(0.1):
                self.wfile.write(b"<")

    without_credentials(monkeypatch, tmp_path)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(identity, "_SECONDS", 1.0)
    started = time.monotonic()
    with serving(Trickle) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(EngineError, match=r"AWS cannot be reached \(no answer in 1 sec"):
            who_am_i("eu-west-2")
        assert time.monotonic() - started < 20
        over.set()
