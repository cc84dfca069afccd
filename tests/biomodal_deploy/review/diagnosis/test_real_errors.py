"""Errors as people have met them: each gets the cause that it turned out to have."""

from __future__ import annotations

import io
import tomllib

from biomodal_deploy.review.diagnosis import diagnose
from tests.support.project import ROOT

REAL = tomllib.loads((ROOT / "tests/data/real_errors.toml").read_text(encoding="utf-8"))["error"]


def test_real_errors() -> None:
    """Old and new words for an error name the same cause, and no other."""
    found = {}
    for each in REAL:
        named = diagnose(io.BytesIO(each["text"].encode())).named
        causes = [finding.match.entry.id for finding in named if finding.match]
        if causes != [each["cause"]]:
            found[each["where"]] = causes
    assert found == {}
    assert len(REAL) >= 40
