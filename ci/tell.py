"""What the command line says as JSON, as the files that the CI jobs hand on.

    python3 ci/tell.py plan ci/out/STACK     from plan.json: plan.env and counts.json
    python3 ci/tell.py drift ci/out/drift    from drift.json: report.md

The standard library alone: it also runs where nothing is installed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DRIFT_MARK = "<!-- biomodal-aws drift -->"
# GitHub takes 65,536 characters, GitLab more.
MOST = 60_000
ENDED = {"message": "biomodal-aws gave no answer: the job's log says why it ended or did not start"}
ENDED_ANSWER: dict[str, Any] = {"data": None, "error": ENDED}


def tell_plan(folder: Path) -> int:
    """Write what later jobs need to know of a plan; 1 where there is none."""
    answer = answer_in(folder / "plan.json")
    plan = answer["data"]
    if plan is None:
        print(f"error: {(answer['error'] or ENDED)['message']}", file=sys.stderr)
        return 1
    counts = plan["counts"]
    # As GitLab's widget counts: a replacement is one of each.
    widget = {
        "create": counts["create"] + counts["replace"],
        "update": counts["update"],
        "delete": counts["delete"] + counts["replace"],
    }
    (folder / "counts.json").write_text(json.dumps(widget), encoding="utf-8")
    lines = {
        "PLAN_ID": plan["sealed_plan"],
        "PLAN_SHA256": plan["sha256"],
        "PLAN_STATUS": answer["exit_status"],
    }
    env = "".join(f"{name}={value}\n" for name, value in lines.items())
    (folder / "plan.env").write_text(env, encoding="utf-8")
    return 0


def tell_drift(folder: Path) -> int:
    """Write what drifted as Markdown."""
    answer = answer_in(folder / "drift.json")
    data = answer["data"] or {"stacks": []}
    alone = {"stack": data.get("stack"), "data": data, "error": None}  # one name is no set
    lines = [DRIFT_MARK, ""]
    if answer["error"]:
        lines += [f"**error:** {code(answer['error']['message'])}", ""]
    for part in data.get("stacks", [alone]) if answer is not ENDED_ANSWER else ():
        lines += [f"### {part['stack']}", "", *stack_lines(part), ""]
    (folder / "report.md").write_text(cut(lines), encoding="utf-8")
    return 0


def answer_in(file: Path) -> dict[str, Any]:
    """Return the command's answer; of one that was killed or not found, that it gave none."""
    try:
        answer = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ENDED_ANSWER
    return answer if isinstance(answer, dict) and {"data", "error"} <= set(answer) else ENDED_ANSWER


def stack_lines(part: dict[str, Any]) -> Iterator[str]:
    """Yield what is to be said of one stack."""
    if part["error"]:
        yield f"**error:** {code(part['error']['message'])}"
        return
    drift = (part["data"] or {}).get("drift", [])
    if not drift:
        yield "Everything is as Terraform left it."
    for change in drift:
        gone = change["action"] == "delete"
        yield f"- {'gone' if gone else 'changed'} outside Terraform: {code(change['address'])}"
        for each in change["attributes"] if not gone else ():
            yield f"  - {code(each['path'])}: {value(each, 'before')} → {value(each, 'after')}"


def value(attribute: dict[str, Any], side: str) -> str:
    """Return one side of a change, as it may be shown."""
    return code(json.dumps(attribute.get(side), ensure_ascii=False))


def code(text: str) -> str:
    """Return a text as it stands, in a line of Markdown that it cannot leave."""
    # Neither what steers a terminal or turns the line around, nor half a character.
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(plain.split())
    fence = "`"
    while fence in line:
        fence += "`"
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}"


def cut(lines: list[str]) -> str:
    """Return the lines that fit, and say how many do not."""
    kept: list[str] = []
    room = MOST
    for number, line in enumerate(lines):
        room -= len(line.encode()) + 1
        if room < 0:
            kept.append(f"\n{len(lines) - number} more lines are in the job's log.")
            break
        kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def main(arguments: list[str]) -> int:
    """Run one of the two."""
    command, folder = arguments
    return {"plan": tell_plan, "drift": tell_drift}[command](Path(folder))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
