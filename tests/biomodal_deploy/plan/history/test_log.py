"""Tests for biomodal_deploy.plan.history."""

from __future__ import annotations

import json
import os
import resource as limits
import stat
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final
from unittest.mock import Mock

import pytest

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan import HIDDEN_TEXT, Redactor
from biomodal_deploy.plan.history import Event, History
from biomodal_deploy.plan.history.entry import START, digest_of
from biomodal_deploy.plan.sealed import sha256
from biomodal_deploy.plan.sealed.facts import whoami
from biomodal_deploy.plan.sealed.files import canonical
from tests.support.sealed_plans import forked, refused

APPLIED: Final[dict[str, str | int | bool | None]] = {"state": "applied", "ok": True, "x": None}


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A history with three entries."""
    history = History(tmp_path / "plans", "demo")
    history.append(Event.PLAN, sealed_plan="b1", message="2 to create", details={"create": 2})
    history.append(Event.APPLY_START, sealed_plan="b1")
    history.append(Event.RESULT, sealed_plan="b1", details=APPLIED)
    return history


def lines(history: History) -> list[str]:
    """Return the file's lines."""
    return history.path.read_text().splitlines()


def write(history: History, *lines: str, end: str = "\n") -> None:
    """Write other lines in their place."""
    history.path.write_text("\n".join(lines) + end)


def test_entries_are_read_back_as_they_were(history: History) -> None:
    """In order, with who and when, and types of their details."""
    first, second, third = history.entries()
    assert [entry.seq for entry in (first, second, third)] == [1, 2, 3]
    assert (first.event, first.sealed_plan, first.message) == (Event.PLAN, "b1", "2 to create")
    assert first.details == {"create": 2}
    assert third.details == APPLIED
    assert (first.by.who, first.by.pid, first.stack) == (whoami(), os.getpid(), "demo")
    assert second.prev == first.sha256
    assert history.verify_chain().head == third.sha256


def test_the_file_is_private(history: History) -> None:
    """Also one that somebody opened."""
    assert stat.S_IMODE(history.path.stat().st_mode) == 0o600
    history.path.chmod(0o644)
    history.append(Event.UNLOCK)
    assert stat.S_IMODE(history.path.stat().st_mode) == 0o600


def test_another_time_zone_keeps_the_chain(history: History) -> None:
    """A digest is of the text, and the text must come back the same."""
    zone = timezone(timedelta(hours=5, minutes=30))
    history.append(Event.PLAN, now=datetime(2026, 11, 23, 2, 15, tzinfo=zone))
    assert history.verify_chain().broken_at is None


def test_whether_a_plan_was_begun_is_known(history: History) -> None:
    """Although a copy of its folder looks unused."""
    assert history.was_started("b1")
    assert not history.was_started("b2")


def test_no_history_is_a_whole_one(tmp_path: Path) -> None:
    """Before the first plan."""
    empty = History(tmp_path, "demo")
    assert empty.entries() == ()
    assert empty.verify_chain().broken_at is None


BREAKS: dict[str, tuple[int, Callable[[list[str]], list[str]]]] = {
    "an edited message": (1, lambda old: [old[0].replace("2 to create", "9 to create"), *old[1:]]),
    "an edited digest": (
        2,
        lambda old: [old[0], old[1].replace('"sha256":"', '"sha256":"f', 1), old[2]],
    ),
    "white space": (1, lambda old: [old[0].replace(",", ", ", 1), *old[1:]]),
    "a removed entry": (2, lambda old: [old[0], old[2]]),
    "a removed beginning": (1, lambda old: old[1:]),
    "swapped entries": (2, lambda old: [old[0], old[2], old[1]]),
    "an entry twice": (2, lambda old: [old[0], old[0], *old[1:]]),
    "a foreign line": (2, lambda old: [old[0], "hello", *old[1:]]),
    "an empty line": (2, lambda old: [old[0], "", *old[1:]]),
    "a foreign last line": (4, lambda old: [*old, "hello"]),
    "a key twice": (2, lambda old: [old[0], old[1].replace('"seq":2', '"seq":7,"seq":2'), old[2]]),
}


@pytest.mark.parametrize(("line", "attack"), BREAKS.values(), ids=BREAKS)
def test_a_broken_chain_is_found_at_its_line(
    history: History, line: int, attack: Callable[[list[str]], list[str]]
) -> None:
    """What was before it still counts."""
    write(history, *attack(lines(history)))
    chain = history.verify_chain()
    assert (chain.broken_at, len(chain.entries)) == (line, line - 1)
    assert chain.why


def test_an_entry_of_another_history_does_not_fit(history: History, tmp_path: Path) -> None:
    """Its own digest is right, its number too; what it follows is not."""
    other = History(tmp_path / "others", "demo")
    for _ in range(2):
        other.append(Event.PLAN)
    write(history, lines(history)[0], lines(other)[1])
    assert history.verify_chain().broken_at == 2


def test_a_number_out_of_order_does_not_fit(history: History) -> None:
    """Although whoever forged the entry computed its digest."""
    last = history.entries()[-1]
    forged = last.model_copy(update={"seq": 9, "prev": last.sha256})
    forged = forged.model_copy(update={"sha256": digest_of(forged)})
    with history.path.open("ab") as file:
        file.write(forged.line() + b"\n")
    assert history.verify_chain().broken_at == 4


def test_writing_goes_on_after_a_break_and_does_not_hide_it(history: History) -> None:
    """The user must be able to work, and to see."""
    write(history, *lines(history)[:2], "hello")
    history.append(Event.PLAN)
    assert history.verify_chain().broken_at == 3


@pytest.mark.parametrize("left", [1, 50, 200])
def test_a_line_that_was_cut_short_is_recognised_and_mended(history: History, left: int) -> None:
    """Nothing is dropped: the fragment stays, and the next entry names it."""
    *whole, last = lines(history)
    write(history, *whole, last[:left], end="")
    chain = history.verify_chain()
    assert (chain.cut_short, chain.broken_at, len(chain.entries)) == (True, None, 2)
    history.append(Event.PLAN, sealed_plan="b2")
    chain = history.verify_chain()
    assert (chain.cut_short, chain.broken_at) == (False, None)
    assert [entry.event for entry in chain.entries[2:]] == [Event.MENDED, Event.PLAN]
    assert chain.entries[2].details["bytes"] == left
    assert lines(history)[2] == last[:left]


def test_a_line_that_only_lacks_its_end_counts(history: History) -> None:
    """It is whole, and its digest says so."""
    write(history, *lines(history), end="")
    assert len(history.entries()) == 3
    history.append(Event.PLAN)
    assert [entry.event for entry in history.entries()[2:]] == [Event.RESULT, Event.PLAN]
    assert history.verify_chain().broken_at is None


@pytest.mark.parametrize("instead", [[], ["x" * 60]], ids=["taken out", "changed"])
def test_a_fragment_that_is_gone_breaks_the_chain(history: History, instead: list[str]) -> None:
    """The entry that names it does not fit any more."""
    *whole, last = lines(history)
    write(history, *whole, last[:60], end="")
    history.append(Event.PLAN)
    mended = lines(history)
    write(history, *mended[:2], *instead, *mended[3:])
    assert history.verify_chain().broken_at == 3


def test_rubbish_after_a_power_cut_is_mended(history: History) -> None:
    """Some file systems leave zeros."""
    with history.path.open("ab") as file:
        file.write(b"\0" * 100_000)
    history.append(Event.PLAN)
    chain = history.verify_chain()
    assert (chain.broken_at, len(chain.entries)) == (None, 5)


def test_many_processes_write_one_chain(history: History) -> None:
    """No entry is lost, none is written into another."""

    def write() -> None:
        for number in range(10):
            history.append(Event.PLAN, message=f"{os.getpid()} {number} " + "x" * 500)

    assert forked(*[write] * 6) == [0] * 6
    chain = history.verify_chain()
    assert chain.broken_at is None
    assert [entry.seq for entry in chain.entries] == list(range(1, 64))


def test_a_full_disk_is_one_line_and_leaves_no_half_entry(history: History) -> None:
    """What was there stays whole."""
    before = history.path.read_bytes()

    def fill() -> None:
        limits.setrlimit(limits.RLIMIT_FSIZE, (len(before) + 50, len(before) + 50))
        with pytest.raises(UsageError, match="cannot be written"):
            history.append(Event.PLAN)

    assert forked(fill) == [0]
    assert history.path.read_bytes() == before


def test_secrets_and_control_characters_are_not_written(tmp_path: Path) -> None:
    """An error of an engine may hold either."""
    history = History(tmp_path, "demo", redact=Redactor(["canary-5f2e"]).text)
    message = "Error: canary-5f2e\n\x1b[2J" + "x" * 9000
    history.append(Event.RESULT, message=message, details={"why": "canary-5f2e", "canary-5f2e": 1})
    assert "canary" not in history.path.read_text()
    (entry,) = history.entries()
    assert entry.message.startswith(f"Error: {HIDDEN_TEXT}  [2Jxxx")
    assert entry.message.isprintable()
    assert len(entry.message) == 4000


def test_a_link_or_a_pipe_in_its_place_is_refused(history: History, tmp_path: Path) -> None:
    """The log of what was done must not end up elsewhere."""
    history.path.rename(tmp_path / "elsewhere")
    history.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot be written"):
        history.append(Event.PLAN)
    with pytest.raises(UsageError, match="cannot be read"):
        history.verify_chain()


def test_a_closed_file_is_opened_and_not_moved(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not read the record is not told to take it away."""
    monkeypatch.setattr(os, "open", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(UsageError, match="Fix: fix its permissions"):
        history.verify_chain()


def test_another_users_file_is_refused(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it can rewrite it."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UsageError, match="not a regular file of yours"):
        history.append(Event.PLAN)


def test_a_line_is_json_for_other_programs(history: History) -> None:
    """With sorted keys, so that the digest can be computed elsewhere."""
    entry = json.loads(lines(history)[0])
    assert list(entry) == sorted(entry)
    assert entry["event"] == "plan"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_broken_chain_answers_nothing_of_what_was_applied(history: History, number: int) -> None:
    """Wherever it breaks, it is refused with the way back, and names the line."""
    broken = lines(history)
    broken[number - 1] = broken[number - 1].replace("demo", "dome")
    write(history, *broken)
    with pytest.raises(SealedPlanRefused) as refused:
        history.was_started("b1")
    assert refused.value.reason == "history_broken"
    assert f"line {number} " in str(refused.value)
    assert f"mv {history.path} {history.path}.broken" in str(refused.value)


def test_a_broken_history_keeps_used_plans_used_when_it_is_set_aside(history: History) -> None:
    """The printed way back works, and does not make used plans new."""
    first, *rest = lines(history)
    write(history, first.replace("demo", "dome"), *rest)
    history.path.rename(f"{history.path}.broken")
    history.append(Event.PLAN, sealed_plan="b2")
    assert history.was_started("b1")
    assert not history.was_started("b2")


@pytest.mark.parametrize("ended", [True, False])
def test_an_entry_of_a_newer_version_is_called_so(history: History, *, ended: bool) -> None:
    """Nothing is appended beside what is not understood here, whole line or not."""
    newer = json.loads(lines(history)[-1]) | {"format": 3, "seq": 4, "approvals": []}
    with history.path.open("a") as file:
        file.write(json.dumps(newer) + "\n" * ended)
    before = history.path.read_bytes()
    with refused("history_newer", "newer version"):
        history.append(Event.PLAN)
    assert history.path.read_bytes() == before
    with pytest.raises(SealedPlanRefused, match="newer version"):
        history.whole()


def test_entries_without_a_format_number_are_read(history: History) -> None:
    """Those of before; what is appended to them has one."""
    prev, old = START, []
    for line in lines(history):
        body = json.loads(line) | {"prev": prev}
        del body["format"], body["sha256"]
        prev = sha256(canonical(body))
        old.append(canonical(body | {"sha256": prev}))
    history.path.write_bytes(b"\n".join(old) + b"\n")
    assert [entry.format for entry in history.whole()] == [1, 1, 1]
    assert history.append(Event.UNLOCK).format == 2
    assert len(history.whole()) == 4


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_cannot_be_read_beside_it_is_named(
    history: History, make: Callable[[Path], None]
) -> None:
    """A history that was set aside as something else is neither waited for nor passed over."""
    aside = history.path.with_name("history.jsonl.aside")
    make(aside)
    with pytest.raises(UsageError) as caught:
        history.was_started("b2")
    assert caught.value.field == str(aside)
