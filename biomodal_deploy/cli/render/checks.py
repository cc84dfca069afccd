"""Findings of checks: one table with a mark, a title, what was found and how to fix it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.checks import Finding, Verdict

_MARKS: Final = {
    Verdict.PASS: ("pass", "good"),
    Verdict.FAIL: ("FAIL", "bad"),
    Verdict.WARNING: ("warning", "warning"),
    Verdict.UNKNOWN: ("unknown", "warning"),
}
_NOT_YET: Final = ("not yet", "warning")
_WIDTH: Final = 12
_COUNTED: Final = (
    (Verdict.PASS, "passed"),
    (Verdict.FAIL, "failed"),
    (Verdict.WARNING, "with a warning"),
    (Verdict.UNKNOWN, "unknown"),
)


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print every finding with its fix, layer by layer where they have layers."""
    width = max((len(finding.title) for finding in findings), default=0)
    shown: set[str] = set()
    for layer, group in groupby(findings, key=lambda finding: finding.layer):
        if layer:
            console.print(Text(str(layer), style="bold"))
        for finding in group:
            for line in _lines(finding, width, shown):
                # A terminal may wrap it; we must not, or a command could not be copied whole.
                console.print(line, soft_wrap=True)


def counted_findings(findings: Sequence[Finding]) -> list[str | tuple[str, str]]:
    """Return how many passed, failed and so on, as parts of a styled line."""
    waits = sum(finding.under_way for finding in findings)
    counts = [
        (sum(f.verdict is verdict and not f.under_way for f in findings), word, _MARKS[verdict][1])
        for verdict, word in _COUNTED
    ]
    parts: list[str | tuple[str, str]] = []
    for number, word, style in (*counts, (waits, *_NOT_YET)):
        if number:
            parts += [*([", "] if parts else []), (f"{number} {word}", style)]
    return parts


def _lines(finding: Finding, width: int, shown: set[str]) -> Iterator[Text]:
    mark, style = _NOT_YET if finding.under_way else _MARKS[finding.verdict]
    title = f"{finding.title:<{width}}  "
    yield Text.assemble("  ", (mark.ljust(_WIDTH), style), title, finding.line)
    # Where the network is down, thirty checks have one cause: its fix is read once.
    if finding.fix and finding.fix not in shown:
        shown.add(finding.fix)
        yield Text.assemble(" " * (2 + _WIDTH), ("fix: ", "quiet"), finding.fix)
