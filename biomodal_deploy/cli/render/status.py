"""How a deployment is: one table, one verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

from biomodal_deploy.aws.answer import Looked, Status
from biomodal_deploy.aws.preflight import Verdict
from biomodal_deploy.text import counted

_MARKS: Final = {
    Verdict.PASS: ("pass", "good"),
    Verdict.FAIL: ("FAIL", "bad"),
    Verdict.WARNING: ("warning", "warning"),
    Verdict.CANNOT_TELL: ("cannot tell", "warning"),
}
_NOT_YET: Final = ("not yet", "warning")
_MARK_WIDTH: Final = 12


def show_status(console: Console, status: Status) -> None:
    """Print every part with what mends it, and the verdict."""
    console.print(Text(f"{status.stack}", style="bold").append(f"  {status.region}", style="quiet"))
    width = max((len(each.title) for each in status.looked), default=0)
    for looked in status.looked:
        for line in _lines(looked, width):
            # A terminal may wrap it; we must not, or a command could not be copied whole.
            console.print(line, soft_wrap=True)
    console.print(_verdict(status), soft_wrap=True)


def _lines(looked: Looked, width: int) -> Iterator[Text]:
    mark, style = _NOT_YET if looked.under_way else _MARKS[looked.answer.verdict]
    title = f"{looked.title:<{width}}  "
    yield Text.assemble("  ", (mark.ljust(_MARK_WIDTH), style), title, looked.answer.line)
    if looked.answer.fix:
        yield Text.assemble(" " * (2 + _MARK_WIDTH), ("fix: ", "quiet"), looked.answer.fix)


def _verdict(status: Status) -> Text:
    if status.ready:
        return Text(f"Ready: all {len(status.looked)} checks passed.", style="good")
    waits = sum(each.under_way for each in status.looked)
    counts = (
        (status.count(Verdict.FAIL), "failed"),
        (waits, "not yet"),
        (status.count(Verdict.WARNING) - waits, "with a warning"),
        (status.count(Verdict.CANNOT_TELL), "cannot tell"),
    )
    words = ", ".join(f"{number} {word}" for number, word in counts if number)
    of_all = f"of {counted(len(status.looked), 'check')}"
    if not status.under_way:
        return Text(f"Something to look at: {words} {of_all}.", style="warning")
    if status.waited is not None:
        waited = f"after {status.waited:.0f} s"
        return Text(f"Not ready {waited}: {words} {of_all}.", style="warning")
    advice = f"biomodal-aws status --wait --stack {status.stack} waits for it."
    return Text(f"Not ready yet: {words} {of_all}. {advice}", style="warning")
