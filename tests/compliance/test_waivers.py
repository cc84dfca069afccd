"""Waivers: data that is argued, and that fails as soon as it is wrong."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import pytest
from pydantic import ValidationError

from compliance.finding import Finding
from compliance.waivers import MOST, Waiver, problems, read_waivers

TODAY: Final = date(2026, 6, 1)
FINDING: Final = Finding("CKV_AWS_1", "aws_instance.vm", "stack/vm/instance", "It is wrong")
WAIVER: Final = Waiver(
    rule="CKV_AWS_1",
    address="aws_instance.vm",
    reason="It is meant to be so, for a reason that takes a sentence.",
    owner="maintainers",
    expires=TODAY,
)


def judged(
    findings: list[Finding], waivers: list[Waiver], *, today: date = TODAY, complete: bool = True
) -> list[str]:
    """Return what is wrong."""
    return list(problems(findings, waivers, today, complete=complete))


def test_what_is_waived_is_no_problem() -> None:
    """On the last day of the waiver, too."""
    assert judged([FINDING], [WAIVER]) == []


def test_a_finding_without_a_waiver_names_its_construct() -> None:
    """The rule, the construct's path, the address and the rule in words."""
    (problem,) = judged([FINDING], [])
    assert problem == "CKV_AWS_1 stack/vm/instance (aws_instance.vm): It is wrong: no waiver"


@pytest.mark.parametrize(
    "change", [{"rule": "CKV_AWS_2"}, {"address": "aws_instance.other"}], ids=str
)
def test_a_waiver_covers_one_rule_at_one_address(change: dict[str, str]) -> None:
    """Another rule or resource is not waived, and the waiver is unused."""
    found = judged([FINDING], [WAIVER.model_copy(update=change)])
    assert len(found) == 2
    assert "not used" in found[1]


def test_an_expired_waiver_fails() -> None:
    """The day after, it has to be argued again."""
    (problem,) = judged([FINDING], [WAIVER], today=TODAY + timedelta(days=1))
    assert "expired on 2026-06-01 (maintainers)" in problem


def test_an_unused_waiver_fails_only_after_a_whole_scan() -> None:
    """Where no plan could be made, what only plans show cannot be told."""
    assert "not used" in judged([], [WAIVER])[0]
    assert judged([], [WAIVER], complete=False) == []


def test_too_many_waivers_fail() -> None:
    """A profile with many exceptions is not hardened."""
    findings = [Finding(f"CKV_AWS_{n}", "aws_instance.vm", "x", "x") for n in range(MOST + 1)]
    waivers = [WAIVER.model_copy(update={"rule": each.rule}) for each in findings]
    assert judged(findings, waivers) == [f"there are {MOST + 1} waivers, and at most {MOST} may be"]


def test_the_project_s_waivers_are_whole_and_unique() -> None:
    """Each has all that is asked for, and none stands there twice."""
    waivers = read_waivers()
    assert len({(each.rule, each.address) for each in waivers}) == len(waivers)


@pytest.mark.parametrize("missing", ["rule", "address", "reason", "owner", "expires"])
def test_a_waiver_that_lacks_something_is_refused(tmp_path: Path, missing: str) -> None:
    """Reason, owner and end are no option."""
    whole = json.loads(WAIVER.model_dump_json())
    del whole[missing]
    path = tmp_path / "waivers.json"
    path.write_text(json.dumps([whole]))
    with pytest.raises(ValidationError, match=missing):
        read_waivers(path)
