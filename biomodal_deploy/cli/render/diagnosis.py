"""What went wrong: each cause with its fix, what is missing, and the next command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue
from rich.console import Console
from rich.text import Text

from biomodal_deploy.known_errors import Breadth
from biomodal_deploy.known_errors.catalog import catalog
from biomodal_deploy.plan.adoption import import_block
from biomodal_deploy.review.diagnosis import Finding
from biomodal_deploy.review.diagnosis.statements import Origin
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.diagnosing import Diagnosed
from biomodal_deploy.workflow.importing import command as adopt_command

_MOST_RAW_LINES: Final = 12
_LONGEST_RAW: Final = 800
_ORIGINS: Final = {
    Origin.STACK_S_OWN: "as `biomodal-aws policy deployer` compiles it",
    Origin.NOT_NEEDED: "from the error's own words; deploying does not take it",
    Origin.ERROR: "from the error's own words",
}
_GUESSES: Final = {
    Breadth.CODE: "Only its code is known. Perhaps: ",
    Breadth.GENERAL: "Its cause is not known. ",
}


def show_diagnosis(console: Console, found: Diagnosed) -> None:
    """Print every error that was found, the known and the unknown, and the verdict."""
    for line in _head(found):
        console.print(line, soft_wrap=True)
    for finding in found.diagnosis.findings:
        console.print()
        lines = _known(finding, found) if finding.match else _unknown(finding)
        for line in lines:
            # A terminal may wrap it; we must not, or a command could not be copied whole.
            console.print(line, soft_wrap=True)
    for line in _foot(found):
        console.print(line, soft_wrap=True)


def diagnosis_data(found: Diagnosed) -> dict[str, JsonValue]:
    """Return it as data."""
    findings: list[JsonValue] = [_data(each, found) for each in found.diagnosis.findings]
    return {
        "read": found.origin,
        "stack": found.stack.name if found.stack else None,
        "verb": found.run.verb if found.run else None,
        "since": found.run.since or None if found.run else None,
        "lines": found.diagnosis.lines,
        "binary": found.diagnosis.binary,
        "findings": findings,
        "suspects": [{"line": number, "text": text} for number, text in found.diagnosis.suspects],
        "unread": found.diagnosis.unread,
    }


def _data(finding: Finding, found: Diagnosed) -> dict[str, JsonValue]:
    data: dict[str, JsonValue] = {
        "cause": None,
        "error": finding.error.raw,
        "line": finding.error.line,
        "count": finding.count,
        "addresses": list[JsonValue](finding.addresses),
    }
    if finding.match is None:
        return data
    entry = finding.match.entry
    missing = found.missing(finding)
    return data | {
        "cause": entry.id,
        "title": entry.title,
        "certainty": entry.breadth.name.lower(),
        "place": finding.match.place,
        "why": finding.match.cause(found.context),
        "fix": finding.match.fix(found.context_of(finding.match)),
        "next": found.next_of(finding.match),
        "rivals": [
            {"cause": each.entry.id, "title": each.entry.title, "fix": each.fix(found.context)}
            for each in finding.match.rivals
        ],
        "variables": list(entry.variables),
        "fields": dict(finding.match.fields),
        "imports": dict(found.imports(finding)),
        "source": list(entry.source),
        "missing": None
        if missing is None
        else {
            "action": missing.denial.action,
            "resource": missing.denial.resource,
            "caller": missing.denial.caller,
            "origin": str(missing.origin),
            "statements": [dict(each) for each in missing.statements],
        },
    }


def _head(found: Diagnosed) -> Iterator[Text]:
    text = Text(f"Read: {found.origin}", style="quiet")
    if found.run and found.run.log:
        at = found.run.at.strftime("%Y-%m-%d %H:%M UTC")
        text.append(f"  (terraform {found.run.verb} of {found.run.stack}, {at})")
    yield text
    if found.run and found.run.running:
        yield Text("That Terraform is still at work: wait until it has ended.", style="warning")
    if found.run and found.run.since:
        yield Text(f"It may be over: since then there was a {found.run.since}.", style="warning")


def _known(finding: Finding, found: Diagnosed) -> Iterator[Text]:
    match = finding.match
    if match is None:
        return
    entry = match.entry
    guess = _GUESSES.get(entry.breadth, "")
    yield Text.assemble(
        (guess, "warning"), (entry.title, "bad"), (f"  {entry.id}{_where(finding)}", "quiet")
    )
    for line in _raw(finding):
        yield Text(f"  | {line}", style="quiet")
    yield Text.assemble(("  why       ", "quiet"), match.cause(found.context))
    yield Text.assemble(("  fix       ", "quiet"), match.fix(found.context_of(match)))
    if entry.variables:
        yield Text.assemble(("  set       ", "quiet"), ", ".join(entry.variables))
    if missing := found.missing(finding):
        on = f" on {missing.denial.resource}" if missing.denial.resource else ""
        yield Text.assemble(("  missing   ", "quiet"), f"{missing.denial.action}{on}")
        if missing.denial.caller:
            yield Text.assemble(("  caller    ", "quiet"), missing.denial.caller)
        yield Text.assemble(("  statement ", "quiet"), (_ORIGINS[missing.origin], "quiet"))
        for statement in missing.statements:
            for line in json.dumps(statement, indent=2).splitlines():
                yield Text(f"    {line}")
    for address, id_ in found.imports(finding).items():
        yield Text.assemble(("  take over ", "quiet"), (adopt_command(address, id_), "bold"))
        yield from (Text(f"    {line}") for line in import_block(address, id_).splitlines())
    if command := found.next_of(match):
        yield Text.assemble(("  next      ", "quiet"), (command, "bold"))
    for rival in match.rivals:
        text = f"{rival.entry.title}: {rival.fix(found.context)}"
        yield Text.assemble(("  or        ", "quiet"), text, (f"  {rival.entry.id}", "quiet"))
    yield Text.assemble(("  source    ", "quiet"), ("; ".join(entry.source), "quiet"))


def _unknown(finding: Finding) -> Iterator[Text]:
    yield Text.assemble(
        (f"None of the {len(catalog().entries)} known causes, so word for word:", "warning"),
        _where(finding),
    )
    yield from (Text(f"  {line}") for line in finding.error.raw.splitlines())


def _raw(finding: Finding) -> Iterator[str]:
    lines = [line.rstrip() for line in finding.error.raw.splitlines() if line.strip()]
    for line in lines[:_MOST_RAW_LINES]:
        yield line if len(line) <= _LONGEST_RAW else f"{line[:_LONGEST_RAW]} ..."
    if len(lines) > _MOST_RAW_LINES:
        yield f"... {len(lines) - _MOST_RAW_LINES} more lines"


def _where(finding: Finding) -> str:
    error = finding.error
    place = f"{error.origin}:{error.line}" if error.origin else f"line {error.line}"
    parts = [place, *finding.addresses[:3]]
    if len(finding.addresses) > 3:
        parts.append(f"{len(finding.addresses) - 3} more")
    if finding.count > 1:
        parts.append(f"{finding.count:,} times")
    return f"  ({', '.join(parts)})"


def _foot(found: Diagnosed) -> Iterator[Text]:
    diagnosis = found.diagnosis
    if diagnosis.suspects:
        yield Text()
        yield Text("No known cause fits. The last lines that look like errors:", style="warning")
        yield from (Text(f"  line {number}: {text}") for number, text in diagnosis.suspects)
    elif not diagnosis.findings:
        yield Text()
        no_text = ": it is no text" if diagnosis.binary else ""
        lines = counted(diagnosis.lines, "line")
        yield Text(f"No error is in its {lines}{no_text}.", style="warning")
    if diagnosis.unread:
        yield Text(f"{counted(diagnosis.unread, 'more error')} not told apart.", style="warning")
    named = sum(each.match.named for each in diagnosis.findings if each.match)
    guessed = sum(
        each.match.entry.breadth is Breadth.CODE for each in diagnosis.named if each.match
    )
    unknown = len(diagnosis.findings) - named - guessed
    if diagnosis.findings:
        counts = [f"{counted(named, 'cause')} named" if named else "No cause named"]
        counts += [f"{guessed} guessed by code"] if guessed else []
        counts += [f"{unknown} unknown"] if unknown else []
        yield Text()
        yield Text(f"{', '.join(counts)}.", style="bold")
