"""A set of stacks: its progress while it goes on, and its list at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, JsonValue
from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import Line, can_redraw, print_lines
from biomodal_deploy.errors import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_ENGINE,
    EXIT_FINDINGS,
    EXIT_GUARD,
    EXIT_INTERRUPTED,
    EXIT_SEALED_PLAN,
    EXIT_USAGE,
)
from biomodal_deploy.plan import Counts
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.sets import WORST_FIRST, StackOutcome
from biomodal_deploy.workflow.sets.running import Ended, Event, Reported, Started, Stopping

Describe = Callable[[StackOutcome], str]

_WORDS: Final = {
    EXIT_DONE: ("done", "good"),
    EXIT_ENGINE: ("failed", "bad"),
    EXIT_FINDINGS: ("to review", "warning"),
    EXIT_GUARD: ("refused", "bad"),
    EXIT_SEALED_PLAN: ("no longer valid", "bad"),
    EXIT_USAGE: ("invalid", "bad"),
    EXIT_BUG: ("bug", "bad"),
    EXIT_INTERRUPTED: ("stopped", "bad"),
}


class SetProgress:
    """Follows a set: one block that is redrawn on a terminal, a line for each end elsewhere."""

    def __init__(
        self, console: Console, total: int, describe: Describe, *, quiet: bool = False
    ) -> None:
        self._console, self._total, self._describe = console, total, describe
        self._quiet = quiet
        self._live: Live | None = None
        self._began = time.monotonic()
        self._busy: dict[str, str] = {}
        self._ended: Counter[int] = Counter()
        self._asked = False

    def __enter__(self) -> Self:
        if can_redraw(self._console) and not self._quiet:
            # Redrawn when something is said, and now and then for the seconds.
            self._live = Live(get_renderable=self._block, console=self._console, transient=True)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()
            self._live = None

    def on_event(self, event: Event) -> None:
        """Show one thing that happened."""
        match event:
            case Started(stack):
                self._busy[stack] = "Starting"
            case Reported(stack, message):
                if message.kind != "notice":
                    self._busy[stack] = message.text
            case Ended(outcome):
                self._busy.pop(outcome.stack, None)
                self._ended[outcome.exit_status] += 1
                self._say(_headline(outcome, self._describe))
            case Stopping():
                if not self._asked:
                    self._asked = True
                    self._say(Text(_STOPPING, style="warning"))

    def _say(self, text: Text) -> None:
        if not self._quiet:
            self._console.print(text)

    def _block(self) -> Group:
        seconds = time.monotonic() - self._began
        done = sum(self._ended.values())
        heading = f"{done} of {self._total} ({seconds:.0f} s)"
        if self._asked:
            heading += ", stopping"
        lines = [
            Text(f"  {stack}: {what}", style="quiet") for stack, what in list(self._busy.items())
        ]
        return Group(Spinner("dots", heading), *lines)


_STOPPING: Final = (
    "Asked each running stack to stop; Terraform finishes what it began and releases the "
    "lock, so please do not kill it"
)


def show_set(console: Console, outcomes: Sequence[StackOutcome], describe: Describe) -> None:
    """Print what became of each stack of a set, how many of each kind, and what to type next."""
    print_lines(console, (line for each in outcomes for line in _lines(each, describe)))
    console.print()
    counts = Counter(outcome.exit_status for outcome in outcomes)
    parts = [
        f"{counts[status]} {_WORDS[status][0]}"
        for status in reversed(WORST_FIRST)
        if counts[status]
    ]
    console.print(f"{counted(len(outcomes), 'stack')}: {', '.join(parts)}.")
    if ready := [each.stack for each in outcomes if _is_ready(each)]:
        read = completed(f"To read one: biomodal-aws show --stack {ready[0]}")
        apply = completed(f"Next: biomodal-aws apply --stack {','.join(ready)}")
        for step in (read, apply):
            console.print(Text(step), soft_wrap=True)


def show_notices(console: Console, outcomes: Sequence[StackOutcome]) -> None:
    """Print what the stacks reported, each line once with those that it is from."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        for notice in dict.fromkeys(outcome.notices):
            found.setdefault(notice, []).append(outcome.stack)
    for notice, stacks in found.items():
        some = ", ".join(stacks[:3]) + (f" and {len(stacks) - 3} more" if len(stacks) > 3 else "")
        console.print(Text(f"note: {some}: {notice}", style="warning"))


def _headline(outcome: StackOutcome, describe: Describe) -> Text:
    word, style = _WORDS.get(outcome.exit_status, ("failed", "bad"))
    text = Text(f"{outcome.stack}: ").append(word, style=style)
    what = describe(outcome)
    return text.append(f"{', ' + what if what else ''} ({outcome.seconds:.0f} s)")


def _lines(outcome: StackOutcome, describe: Describe) -> Iterator[Line]:
    yield Line(_headline(outcome, describe), 4)
    if outcome.error:
        yield Line(Text(f"  {outcome.error.message}"), 4)
    plan = _Reviewed.model_validate(outcome.data or {})
    for point in plan.verdict.points:
        yield Line(Text(f"  {point}", style="warning"), 4)
    # Of what holds something, the name; the plan itself lists the others.
    for change in plan.changes:
        if change.lost:
            text = Text.assemble("  - ", (change.address, "delete"), f": {change.lost}")
            yield Line(text, 6)
    for guarded in plan.verdicts:
        if guarded.outcome == "refused":
            yield Line(Text.assemble("  ", ("refused: ", "bad"), guarded.message), 4)


def _is_ready(outcome: StackOutcome) -> bool:
    plan = _Reviewed.model_validate(outcome.data or {})
    return plan.has_changes and all(each.outcome != "refused" for each in plan.verdicts)


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Verdict(_Read):
    points: tuple[str, ...] = ()


class _Guarded(_Read):
    outcome: str
    message: str


class _Change(_Read):
    address: str
    lost: str = ""


class _Reviewed(_Read):
    """What a stack's command printed of its plan; of other commands nothing."""

    verdict: _Verdict = _Verdict()
    verdicts: tuple[_Guarded, ...] = ()
    changes: tuple[_Change, ...] = ()
    has_changes: bool = False


def describe_plan(outcome: StackOutcome) -> str:
    """Return what a plan would do, and its name."""
    data = outcome.data
    if data is None:
        return ""
    counts = Counts.model_validate(data["counts"])
    return f"{counts.sentence().rstrip('.')}  {data['sealed_plan']}"


def describe_drift(outcome: StackOutcome) -> str:
    """Return how much changed outside Terraform."""
    data = outcome.data
    if data is None:
        return ""
    count = _length(data["drift"])
    return f"{counted(count, 'resource')} changed" if count else "as Terraform left it"


def describe_apply(outcome: StackOutcome) -> str:
    """Return how much was changed."""
    data = outcome.data
    if data is None:
        return ""
    if data["sealed_plan"] is None:
        return str(data["reason"]).replace("_", " ")
    return f"{counted(_length(data['completed']), 'change')} made  {data['sealed_plan']}"


def _length(value: JsonValue) -> int:
    return len(value) if isinstance(value, list) else 0
