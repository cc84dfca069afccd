"""Errors as people have met them: each gets the cause that it turned out to have."""

from __future__ import annotations

import io
import re
import tomllib
from typing import Any, Final

from biomodal_deploy.review.diagnosis import diagnose
from tests.support.project import ROOT

# Of ten errors as people posted them, nine have to be answered rightly.
RIGHT: Final = 0.9


def errors(name: str) -> list[dict[str, Any]]:
    """Return the errors of a data file."""
    text = (ROOT / f"tests/data/{name}.toml").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = tomllib.loads(text)["error"]
    return found


def answered(error: dict[str, Any]) -> bool:
    """Whether what is said of an error has the words of a right answer, and none that mislead."""
    named = [
        each.match for each in diagnose(io.BytesIO(error["text"].encode())).named if each.match
    ]
    said = " ".join(f"{each.entry.title}. {each.cause()} {each.fix()}" for each in named)
    return (
        bool(named)
        and all(re.search(word, said, re.IGNORECASE) for word in error["says"])
        and not any(re.search(word, said, re.IGNORECASE) for word in error.get("never", ()))
    )


def test_real_errors() -> None:
    """Old and new words for an error name the same cause, and no other."""
    found = {}
    real = errors("real_errors")
    for each in real:
        named = diagnose(io.BytesIO(each["text"].encode())).named
        causes = [finding.match.entry.id for finding in named if finding.match]
        if causes != [each["cause"]]:
            found[each["where"]] = causes
    assert found == {}
    assert len(real) >= 40


def test_what_was_once_named_wrongly() -> None:
    """Errors that sent people the wrong way are answered rightly, all of them."""
    misnamed = errors("misnamed_errors")
    assert [each["text"] for each in misnamed if not answered(each)] == []
    assert len(misnamed) == 25


def test_errors_as_people_posted_them() -> None:
    """Of the errors taken down from public threads, at least nine of ten are answered rightly."""
    posted = errors("posted_errors")
    right = [each for each in posted if answered(each)]
    assert len(posted) >= 60
    assert len(right) >= RIGHT * len(posted)


def test_a_blind_set() -> None:
    """Of errors taken down before the catalog was changed for them, nine of ten are right."""
    blind = errors("blind_errors")
    assert len(blind) >= 175
    # The services and tools are many, so that no favourite corner is tried.
    assert len({each["of"] for each in blind}) >= 25
    assert all(each["source"] and each["right"] for each in blind)
    assert sum(map(answered, blind)) >= RIGHT * len(blind)
