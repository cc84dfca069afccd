"""A plan on screen: what is lost, who gains access, what comes, what changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import Line
from biomodal_deploy.plan import Action, AttributeChange, OutputChange, PlanKind, ResourceChange
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT
from biomodal_deploy.plan.references import plain
from biomodal_deploy.review.report import Entry, Fact, Report
from biomodal_deploy.review.report.access import Severity
from biomodal_deploy.review.report.access.comparison import POLICIES, AccessChange, Gain
from biomodal_deploy.review.report.formatting import SIGNS, act_of, change_words, spelled
from biomodal_deploy.review.report.kinds import cause_of
from biomodal_deploy.text import counted

_Item = TypeVar("_Item")

_STYLES: Final = {
    "a-create": "create",
    "a-update": "update",
    "a-replace": "replace",
    "a-delete": "delete",
    "a-forget": "forget",
    "a-unknown": "bad",
    "a-move": "update",
    "a-read": "read",
    "a-no-op": "quiet",
}
_SEVERITIES: Final = {Severity.HIGH: "bad", Severity.MEDIUM: "warning", Severity.LOW: "quiet"}
_ALARMS: Final = {"": "", "anyone": ": everybody on the internet", "everything": ": all of AWS"}
_SEE_ABOVE: Final = "see the access above"
_INDENT: Final = 8
# So many alike are shown as a few, and how many more there are.
_MANY: Final = 10
_FEW: Final = 3
_EVERYTHING: Final = 1_000_000


class PlanView:
    """The sections of a report as lines for a terminal.

    Args:
        full: With every attribute, and every resource of many alike.
    """

    def __init__(self, report: Report, *, full: bool = False) -> None:
        self._report, self._full = report, full
        self._in_access = {change.address for change in report.access}

    def lines(self) -> Iterator[Line]:
        """Yield all sections that have something in them."""
        report = self._report
        yield from self._losses()
        yield from _resources("Not understood: never applied", report.unknown)
        yield from self._gained()
        yield from self._ended()
        yield from self._groups("Created", Action.CREATE, report.common_tags)
        yield from self._groups("Updated", Action.UPDATE)
        yield from _resources(
            "Forgotten: they go on existing, and nobody manages them", report.forgotten
        )
        yield from _resources("Moved", report.moved)
        yield from _resources("Imported", report.imported)
        yield from _heading("Put off to a later plan", len(report.deferred))
        for fact in report.deferred:
            yield _line("      ", f"{fact.name}: {fact.value}", "")
        yield from self._outputs()
        yield from self._drift()
        for check in report.checks:
            if check.failed:
                problems = "; ".join(check.problems) or check.status
                yield _line("check failed: ", f"{check.address}: {problems}", "warning", hang=2)

    def _losses(self) -> Iterator[Line]:
        losses = self._report.losses
        causes = {entry.cause for entry in losses}
        shared = causes.pop() if len(causes) == 1 and len(losses) > 1 else ""
        replaces = any(entry.action.replaces for entry in losses)
        title = "Destroyed or replaced" if replaces else "Destroyed"
        yield from _heading(title, len(losses), shared)
        # What holds something first; of settings that can be written again the name is enough.
        for entry in sorted(losses, key=lambda each: not (each.lost or each.contents)):
            yield _headline(entry)
            if not shared:
                yield from _detail("why", entry.cause, "replace")
            yield from _detail("lost", entry.lost, "delete")
            yield from _detail("holds", entry.contents, "delete")
            if entry.action is not Action.DELETE or self._full:
                yield from self._attributes(entry)

    def _gained(self) -> Iterator[Line]:
        report = self._report
        if report.gains:
            yield from _title(f"Access that is gained: {report.gains_sentence}")
        order = list(Severity)
        changes = sorted(report.broadens, key=lambda each: order.index(each.severity))
        for alike in _alike(changes, lambda each: (plain(each.address), each.gains)):
            for change in self._few(alike):
                severity = change.severity
                yield _line(f"  {severity.value.upper():<6} ", _who(change), _SEVERITIES[severity])
                for gain in change.gains:
                    yield _line("         + ", _gain(gain), "update")
                for removed in change.removed:
                    yield _line("         - ", removed, "quiet")
            yield from self._more([change.address for change in alike])

    def _ended(self) -> Iterator[Line]:
        ended = [change for change in self._report.access if not change.gains]
        # Of what is destroyed altogether nobody has to read what it no longer allows.
        brief = self._report.kind is PlanKind.DESTROY and not self._full
        yield from _heading("Access that ends", len(ended), "show --full" if brief else "")
        for change in () if brief else ended:
            yield _line("  - ", _who(change), "quiet")
            for text in change.removed:
                yield _line("         - ", text, "quiet")

    def _groups(self, title: str, action: Action, tags: str = "") -> Iterator[Line]:
        groups = [
            (group.construct_path, [each for each in group.entries if each.action is action])
            for group in self._report.groups
        ]
        count = sum(len(entries) for _, entries in groups)
        yield from _heading(title, count, f"all with the tags {tags}" if tags else "")
        for path, entries in groups:
            if entries:
                yield Line(Text(f"  {path or 'no construct'}", style="quiet"))
            # Updates are shown as one only where they are the same.
            for alike in _alike(
                entries, lambda each: (each.type, action is Action.UPDATE and repr(each.attributes))
            ):
                for entry in self._few(alike):
                    yield _headline(entry)
                    yield from _detail("effect", entry.consequence, "warning")
                    if self._full or action is Action.UPDATE:
                        yield from self._attributes(entry)
                    else:
                        yield from self._settings(entry)
                yield from self._more([entry.address for entry in alike])

    def _few(self, alike: Sequence[_Item]) -> Sequence[_Item]:
        return alike if self._full or len(alike) <= _MANY else alike[:_FEW]

    def _more(self, addresses: Sequence[str]) -> Iterator[Line]:
        left = addresses[len(self._few(addresses)) :]
        if left:
            rest = f"and {len(left):,} more alike, from {left[0]} to {left[-1]}: --full lists them"
            yield _line(" " * _INDENT, rest, "quiet", hang=_INDENT)

    def _settings(self, entry: Entry) -> Iterator[Line]:
        for setting in entry.settings:
            shown = setting.name in POLICIES and entry.address in self._in_access
            for line in (_SEE_ABOVE,) if shown else setting.lines:
                yield _value(setting.name, Text(line))

    def _attributes(self, entry: Entry) -> Iterator[Line]:
        if self._full:
            yield from attribute_lines(entry.attributes, full=True)
            return
        news = [each for each in entry.attributes if _is_news(entry, each)]
        above = {
            each.path: name
            for each in news
            for name in [each.path.partition(".")[0]]
            if name in POLICIES and entry.address in self._in_access
        }
        for name in dict.fromkeys(above.values()):
            yield _value(name, Text(_SEE_ABOVE))
        yield from attribute_lines(each for each in news if each.path not in above)

    def _outputs(self) -> Iterator[Line]:
        outputs = self._report.outputs
        yield from _heading("Outputs", len(outputs))
        for output in outputs:
            sign, _ = SIGNS[output.action]
            yield _line(f"  {sign:>3} ", f"{output.name}{self._output(output)}", "quiet")

    def _output(self, output: OutputChange) -> str:
        most = {"most": _EVERYTHING} if self._full else {}
        before, after = spelled(output.before, **most), spelled(output.after, **most)
        if output.action is Action.UPDATE:
            return f": {before} -> {after}"
        known = output.action is Action.CREATE and output.after != UNKNOWN_TEXT
        return f": {after}" if known else ""

    def _drift(self) -> Iterator[Line]:
        drift = self._report.drift
        records = self._report.kind is PlanKind.REFRESH_ONLY
        acted_on = {entry.address for entry in self._report.entries}
        others = sum(entry.address not in acted_on for entry in drift.entries)
        if records or others or drift.access:
            yield from _heading("Changed outside Terraform", len(drift.entries))
        for change in drift.access:
            for gain in change.gains:
                text = Text(f"{change.who or change.address}: ").append_text(_gain(gain))
                style = _SEVERITIES[gain.severity]
                yield _line(f"  {gain.severity.value.upper():<6} by hand: ", text, style, hang=9)
        if records:
            for entry in self._few(drift.entries):
                yield from _changed(entry.address, entry.action, entry.attributes)
            yield from self._more([entry.address for entry in drift.entries])
        elif others:
            line = (
                f"{counted(others, 'resource')} changed outside Terraform in ways that this plan "
                "does not act on: biomodal-aws drift shows them."
            )
            yield Line(Text(completed(line), style="warning"))


def place_lines(title: str, place: Iterable[Fact]) -> Iterator[Line]:
    """Yield what a plan is for, where it acts, who made it, and until when it is good."""
    yield Line(Text(title, style="bold"))
    for fact in place:
        yield _line(f"  {fact.name:<12}", fact.value, "quiet")


def address_lines(changes: Iterable[ResourceChange]) -> Iterator[Line]:
    """Yield addresses, one a line, as they go, and Terraform's reason where it gives one."""
    for change in changes:
        sign, _ = SIGNS[change.action]
        old = f" (old object {change.deposed})" if change.deposed else ""
        why = f": {cause_of(change, PlanKind.APPLY)}" if change.reason else ""
        yield _line(f"  {sign:>3} ", f"{change.address}{old}{why}", "delete")


def changed_lines(drifted: Iterable[ResourceChange]) -> Iterator[Line]:
    """Yield what changed outside Terraform, and how."""
    for change in drifted:
        yield from _changed(change.address, change.action, change.updates)


def attribute_lines(changes: Iterable[AttributeChange], *, full: bool = False) -> Iterator[Line]:
    """Yield what changes within one object."""
    for each in changes:
        before, after = change_words(each, _EVERYTHING) if full else change_words(each)
        line = Text(after if each.before is None else f"{before} -> {after}")
        if each.forces_replacement:
            line.append("  forces the replacement", style="replace")
        yield _value(each.path, line)


def _line(prefix: str, body: str | Text, style: str, *, hang: int | None = None) -> Line:
    return Line(Text.assemble((prefix, style), body), len(prefix) if hang is None else hang)


def _title(title: str, note: str = "") -> Iterator[Line]:
    yield Line(Text())
    yield Line(Text.assemble((title, "bold"), (f"  {note}" if note else "", "quiet")), _INDENT)


def _heading(title: str, count: int, note: str = "") -> Iterator[Line]:
    if count:
        yield from _title(f"{title} ({count:,})", note)


def _headline(entry: Entry) -> Line:
    sign, _, css = act_of(entry)
    line = Text(entry.address).append(f"  {entry.label}", style="quiet")
    if entry.deposed:
        line.append(f", the old object {entry.deposed}", style="quiet")
    if entry.actions:
        line.append(f": Terraform says {', '.join(entry.actions)}", style="bad")
    if entry.moved:
        line.append(f" moved from {entry.previous_address}", style="update")
    if entry.imported:
        line.append(f" imported from {entry.import_id or 'an id not yet known'}", style="update")
    return _line(f"  {sign:>3} ", line, _STYLES[css])


def _detail(word: str, text: str, style: str) -> Iterator[Line]:
    if text:
        yield _line(f"{' ' * _INDENT}{word:<6} ", text, style)


def _value(name: str, value: Text) -> Line:
    return Line(Text.assemble(" " * _INDENT, (f"{name}: ", "quiet"), value), _INDENT + 2)


def _who(change: AccessChange) -> Text:
    head = Text(change.who or change.address)
    if change.who and not change.who.endswith(change.address):
        head.append(f"  {change.address}", style="quiet")
    return head


def _gain(gain: Gain) -> Text:
    return Text(gain.text).append(_ALARMS[gain.alarm], style="bad")


def _resources(title: str, entries: Sequence[Entry]) -> Iterator[Line]:
    yield from _heading(title, len(entries))
    yield from map(_headline, entries)


def _changed(address: str, action: Action, attributes: Iterable[AttributeChange]) -> Iterator[Line]:
    gone = action is Action.DELETE
    word, style = ("- gone", "delete") if gone else ("~ changed", "update")
    yield _line(f"    {word} outside Terraform: ", address, style, hang=_INDENT)
    if not gone:
        yield from attribute_lines(each for each in attributes if each.matters)


def _is_news(entry: Entry, change: AttributeChange) -> bool:
    if change.path.startswith("tags_all"):
        own = change.path.replace("tags_all", "tags", 1)
        return all(each.path != own for each in entry.attributes)
    if entry.action is Action.UPDATE or change.forces_replacement:
        return True
    # Of a new object, what AWS makes up during the apply is no news, nor what falls away that
    # said nothing.
    return not change.unknown and (change.after is not None or bool(change.before))


def _alike(items: Iterable[_Item], key: Callable[[_Item], object]) -> list[list[_Item]]:
    found: dict[object, list[_Item]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return list(found.values())
