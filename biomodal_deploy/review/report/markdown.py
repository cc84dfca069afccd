"""A report as Markdown, for a comment on a pull request.

Every word that comes from the plan stands in a code span: there no letter of it is markup, a
mention, a link or a reference, whoever chose it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from biomodal_deploy.plan import Action, AttributeChange
from biomodal_deploy.review.report import Blocker, Entry, Level, Report
from biomodal_deploy.review.report.access.comparison import AccessChange
from biomodal_deploy.review.report.fitting import Piece, Section, fit
from biomodal_deploy.review.report.formatting import SIGNS, act_of, change_words, one_line, spelled

MOST_BYTES: Final = 60_000  # a comment on GitHub has 65,536 characters
FEWEST_BYTES: Final = 4_000
_LONGEST_TEXT: Final = 1_000
_BRIEF_TEXT: Final = 80
_MARKS: Final = {Level.BLOCKED: "🛑", Level.CAREFUL: "⚠️", Level.ROUTINE: "✅", Level.NOTHING: "✅"}
_ALARMS: Final = {"": "", "anyone": " — **everybody on the internet**", "everything": " — **all**"}


def markdown(report: Report, most: int = MOST_BYTES) -> str:
    """Return a report as Markdown of at most so many bytes of UTF-8.

    What does not fit is left out section by section, what matters least first, and named.
    """
    head = _head(report)
    sections = [section for section in _sections(report) if section.pieces]
    fit(sections, most - len((head + _foot(report, _everything(sections))).encode()))
    foot = _foot(report, {each.title: each.left_out for each in sections if each.left_out})
    return f"{head}{''.join(section.text() for section in sections)}{foot}"


def code(text: str, most: int = _LONGEST_TEXT) -> str:
    """Return a text as a code span that nothing in it can end."""
    line = one_line(text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)")
    if not line.strip():
        return '`""`'
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    padding = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def _head(report: Report) -> str:
    verdict = report.verdict
    lines = [f"# {_MARKS[verdict.level]} {verdict.line}", ""]
    lines += [f"- {point}" for point in verdict.points]
    lines += [""] + [f"- {fact.name}: {code(fact.value)}" for fact in report.place]
    lines += ["", f"Stack {code(report.stack)}, sealed plan {code(report.sealed_plan)}"]
    lines += [f"SHA-256 {code(report.sha256)}", ""]
    if report.apply:
        lines += ["To apply exactly this plan, and nothing else:", "", "```sh"]
        lines += [one_line(command) for command in report.apply] + ["```"]
    return "\n".join(lines) + "\n"


def _foot(report: Report, left_out: dict[str, str]) -> str:
    if not left_out:
        return ""
    parts = "; ".join(f"{title}: {what}" for title, what in left_out.items())
    named = f"{report.sealed_plan} --stack {report.stack}"
    command = code(f"biomodal-aws show {named} --format html --out report.html")
    return f"\n---\n*Left out to keep this short: {parts}.* Everything: {command}\n"


def _everything(sections: Iterable[Section]) -> dict[str, str]:
    """Return the longest that can be said of what is left out."""
    return {
        each.title: f"{len(each.pieces):,} of {len(each.pieces):,} left out" for each in sections
    }


def _sections(report: Report) -> Iterator[Section]:
    """Yield the sections, the most important first."""
    yield Section("Blockers", [_blocker(each) for each in report.blockers])
    if report.approvals:
        pieces = [Piece(f"- {code(each)}", f"- {code(each)}") for each in report.approvals.lines]
        none = Piece("- none yet", "- none yet")
        yield Section("Approvals", pieces or [none], count=report.approvals.count)
    yield Section("Destroyed and replaced", [_loss(each) for each in report.losses])
    yield Section("Not understood", [_unknown(each) for each in report.unknown])
    yield Section(
        "Access that is gained",
        [_broadens(each) for each in report.broadens],
        count=report.gains_sentence,
    )
    yield Section("What the stack holds", [*_holdings(report)])
    yield Section(
        "Access that ends", [_ends(each) for each in report.access if each.removed], folded=True
    )
    yield Section(
        "Forgotten",
        [_known(each, "") for each in report.forgotten],
        note="They go on existing, and nobody manages them any more.",
    )
    yield Section("Created and updated", [*_grouped(report)], note="By construct.")
    yield Section(
        "Moved",
        [_known(each, f" from {code(each.previous_address or '')}") for each in report.moved],
    )
    yield Section(
        "Imported",
        [
            _known(each, f" from {code(each.import_id or 'an id that is not known yet')}")
            for each in report.imported
        ],
    )
    yield Section(
        "Put off to a later plan", [_fact(code(f.name), f.value) for f in report.deferred]
    )
    yield Section("Outputs", [*_outputs(report)])
    yield Section("Notices", [_blocker(each) for each in report.notices])
    yield Section("Changed outside Terraform", [*_drift(report)], folded=True)
    yield Section("Checks", [*_checks(report)], folded=True)
    yield Section("Waived findings", [*_waived(report)], folded=True)
    yield Section("Read during the apply", [_known(e, "") for e in report.reads], folded=True)
    yield Section("Manifest", [_fact(f.name, f.value) for f in report.manifest], folded=True)


def _blocker(blocker: Blocker) -> Piece:
    where = f" {code(blocker.address)}" if blocker.address else ""
    start = f"- {code(blocker.rule)}{where}: "
    return Piece(start + code(blocker.message), start + code(blocker.message, _BRIEF_TEXT))


def _loss(entry: Entry) -> Piece:
    brief = _headline(entry)
    lines = [brief, f"  - cause: {code(entry.cause)}"]
    lines += [f"  - {_attribute(each)}" for each in entry.forced_by]
    if not entry.forced_by and entry.replace_paths:
        lines.append(f"  - forced by {', '.join(map(code, entry.replace_paths))}")
    if entry.lost:
        lines.append(f"  - lost: {code(entry.lost)}")
    if entry.contents:
        lines.append(f"  - {code(entry.contents)}")
    others = [each for each in entry.attributes if not each.forces_replacement]
    if entry.action is not Action.DELETE:
        lines += [f"  - {_attribute(each)}" for each in others]
    return Piece("\n".join(lines), brief)


def _unknown(entry: Entry) -> Piece:
    line = f"{_headline(entry)}: Terraform says {code(', '.join(entry.actions) or 'nothing')}"
    return Piece(line, line)


def _broadens(change: AccessChange) -> Piece:
    alarms = sorted({gain.alarm for gain in change.gains} - {""})
    brief = f"- {code(change.address)}{''.join(_ALARMS[alarm] for alarm in alarms)}"
    who = f"{code(change.who)}, " if change.who else ""
    lines = [f"- {who}{code(change.address)}"]
    lines += [
        f"  - {gain.severity}: gains {code(gain.text)}{_ALARMS[gain.alarm]}"
        for gain in change.gains
    ]
    lines += [f"  - loses {code(text)}" for text in change.removed]
    return Piece("\n".join(lines), brief)


def _ends(change: AccessChange) -> Piece:
    brief = f"- {code(change.address)}"
    return Piece("\n".join([brief, *(f"  - {code(text)}" for text in change.removed)]), brief)


def _holdings(report: Report) -> Iterator[Piece]:
    for fate, each in report.holdings:
        brief = f"- **{fate}** {code(f'{each.kind} {each.name}')}"
        yield Piece(f"{brief}: {code(each.line)}", brief)


def _grouped(report: Report) -> Iterator[Piece]:
    for group in report.groups:
        heading = f"\n**{code(group.construct_path or 'no construct')}**\n\n"
        for entry in group.entries:
            brief = heading + _headline(entry)
            yield Piece("\n".join([brief, *_inside(entry)]), brief)
            heading = ""


def _inside(entry: Entry) -> Iterator[str]:
    if entry.consequence:
        yield f"  - effect: {code(entry.consequence)}"
    if entry.action is Action.UPDATE:
        yield from (f"  - {_attribute(each)}" for each in entry.attributes)
    else:
        for each in entry.settings:
            yield f"  - {code(each.name)}: {', '.join(map(code, each.lines))}"


def _known(entry: Entry, where: str) -> Piece:
    line = _headline(entry) + where
    return Piece(line, line)


def _outputs(report: Report) -> Iterator[Piece]:
    for output in report.outputs:
        sign, word = SIGNS[output.action]
        brief = f"- {sign} {word} {code(output.name)}"
        before, after = code(spelled(output.before)), code(spelled(output.after))
        yield Piece(f"{brief}: {before} → {after}", brief)


def _drift(report: Report) -> Iterator[Piece]:
    drift = report.drift
    for change in drift.access:
        for gain in change.gains:
            line = f"- **by hand** {code(change.address)} gains {code(gain.text)}"
            yield Piece(line + _ALARMS[gain.alarm], f"- **by hand** {code(change.address)}")
    for entry in drift.entries:
        brief = _headline(entry)
        changed = [each for each in entry.attributes if each.matters]
        yield Piece("\n".join([brief, *(f"  - {_attribute(each)}" for each in changed)]), brief)
    if drift.entries and drift.filled_in:
        line = f"- {drift.filled_in:,} more in which AWS itself filled something in"
        yield Piece(line, line)


def _checks(report: Report) -> Iterator[Piece]:
    for check in sorted(report.checks, key=lambda each: (not each.failed, each.address)):
        brief = f"- {code(check.status)} {code(check.address)}"
        problems = "".join(f"\n  - {code(problem)}" for problem in check.problems)
        yield Piece(brief + problems, brief)


def _waived(report: Report) -> Iterator[Piece]:
    for each in report.waived:
        until = f"**expired on {each.expires}**" if each.expired else f"until {each.expires}"
        brief = f"- {code(each.rule)} {code(each.address)}, {until}, {code(each.owner)}"
        yield Piece(f"{brief}: {code(each.reason)}", brief)


def _fact(name: str, value: str) -> Piece:
    line = f"- {name}: {code(value)}"
    return Piece(line, line)


def _headline(entry: Entry) -> str:
    sign, word, _ = act_of(entry)
    old = f", the old object {code(entry.deposed)}" if entry.deposed else ""
    return f"- {sign} **{word}** {code(entry.address)} ({entry.label}{old})"


def _attribute(change: AttributeChange) -> str:
    before, after = map(code, change_words(change))
    forces = " — forces the replacement" if change.forces_replacement else ""
    return f"{code(change.path)}: {before} → {after}{forces}"
