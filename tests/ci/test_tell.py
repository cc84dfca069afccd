"""What the CI jobs make of the command line's JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci.tell import MOST, main


def told(folder: Path, command: str, answer: dict[str, Any]) -> int:
    """Tell an answer."""
    (folder / f"{command}.json").write_text(json.dumps(answer))
    return main([command, str(folder)])


def test_a_replacement_is_one_of_each_for_gitlab(tmp_path: Path) -> None:
    """Its widget knows no replacement; what later jobs need is in plan.env."""
    data = {"sealed_plan": "b", "sha256": "s", "counts": {"create": 1, "update": 2, "replace": 3}}
    data["counts"]["delete"] = 4  # type: ignore[index]
    assert told(tmp_path, "plan", {"exit_status": 2, "data": data, "error": None}) == 0
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert counts == {"create": 4, "update": 2, "delete": 7}
    env = (tmp_path / "plan.env").read_text()
    assert env == "PLAN_ID=b\nPLAN_SHA256=s\nPLAN_STATUS=2\n"


def test_why_there_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command's own line reaches the log."""
    answer = {"exit_status": 64, "data": None, "error": {"message": "vpc_id: wrong"}}
    assert told(tmp_path, "plan", answer) == 1
    assert capsys.readouterr().err == "error: vpc_id: wrong\n"


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}"])
def test_a_command_that_gave_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """Killed, or not installed: one line in the log, and a report that the issue can take."""
    for command in ("plan", "drift"):
        (tmp_path / f"{command}.json").write_text(text)
    assert main(["plan", str(tmp_path)]) == 1
    assert "gave no answer" in capsys.readouterr().err
    assert main(["drift", str(tmp_path)]) == 0
    report = (tmp_path / "report.md").read_text().splitlines()
    assert report[0] == "<!-- biomodal-aws drift -->"
    assert next(each for each in report[1:] if each).startswith("**error:** `biomodal-aws gave no")
    assert "as Terraform left it" not in "".join(report)


def test_a_name_that_steers_a_terminal(tmp_path: Path) -> None:
    """Escape sequences, letters that turn a line around and half a character reach no report."""
    changed = {"address": "a\x1b[31m\u202eb\ud800", "action": "delete", "attributes": []}
    data = {"stack": "a", "drift": [changed]}
    assert told(tmp_path, "drift", {"exit_status": 2, "data": data, "error": None}) == 0
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "`a [31m b`" in text


def test_drift_of_a_set(tmp_path: Path) -> None:
    """What is gone, what changed, what failed and what is as it was; no text leaves its line."""
    attribute = {"path": "tags.a", "before": "x`\n# y", "after": None}
    gone = {"address": "aws_a.b", "action": "delete", "attributes": []}
    changed = {"address": "aws_c.d", "action": "update", "attributes": [attribute]}
    parts = [
        {"stack": "dev", "data": {"drift": [gone, changed]}, "error": None},
        {"stack": "prod", "data": {"drift": []}, "error": None},
        {"stack": "test", "data": None, "error": {"message": "no credentials"}},
    ]
    told(tmp_path, "drift", {"exit_status": 2, "data": {"stacks": parts}, "error": None})
    assert (tmp_path / "report.md").read_text().splitlines() == [
        "<!-- biomodal-aws drift -->",
        "",
        "### dev",
        "",
        "- gone outside Terraform: `aws_a.b`",
        "- changed outside Terraform: `aws_c.d`",
        '  - `tags.a`: `` "x`\\n# y" `` → `null`',
        "",
        "### prod",
        "",
        "Everything is as Terraform left it.",
        "",
        "### test",
        "",
        "**error:** `no credentials`",
    ]


def test_drift_of_one_stack(tmp_path: Path) -> None:
    """One name is no set, and is told all the same."""
    told(tmp_path, "drift", {"exit_status": 0, "data": {"stack": "a", "drift": []}, "error": None})
    assert "### a\n\nEverything is as" in (tmp_path / "report.md").read_text()
    error = {"exit_status": 64, "data": None, "error": {"message": "no such stack"}}
    told(tmp_path, "drift", error)
    assert "**error:** `no such stack`" in (tmp_path / "report.md").read_text()


def test_a_report_that_is_too_long(tmp_path: Path) -> None:
    """It says how much is missing, and fits."""
    gone = [{"address": f"aws_a.b[{n}]", "action": "delete"} for n in range(5000)]
    parts = [{"stack": "dev", "data": {"drift": gone}, "error": None}]
    told(tmp_path, "drift", {"exit_status": 2, "data": {"stacks": parts}, "error": None})
    text = (tmp_path / "report.md").read_text()
    assert MOST - 100 < len(text.encode()) < MOST + 100
    assert text.endswith("more lines are in the job's log.\n")
