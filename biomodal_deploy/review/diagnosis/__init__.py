"""What an error of Terraform, AWS or the VM means: a named cause, its fix, the next command.

The knowledge is data (`known_errors/data`); everything here reads logs and says what is in them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from biomodal_deploy.known_errors.catalog import Match, catalog, name_cause
from biomodal_deploy.review.diagnosis.lines import Readable
from biomodal_deploy.review.diagnosis.reading import Passage, Reader

# More different errors than this are no log that a person could act on.
_MOST: Final = 5_000
_MOST_UNKNOWN: Final = 50
# Lines in which a known word stands by chance.
_MOST_TRIED: Final = 50_000
_MOST_LATE: Final = 2_000
_MOST_ADDRESSES: Final = 20


@dataclass
class Finding:
    """One error, however often it stands there.

    Attributes:
        error: Where it stands first.
        match: Its named cause; None where nobody knows it.
        count: How often it stands there.
        addresses: The resources that it is about.
        last: The line in which it stands last.
        tentative: Whether the program went on after it each time.
    """

    error: Passage
    match: Match | None
    count: int = 1
    addresses: list[str] = field(default_factory=list)
    last: int = 0
    tentative: bool = True

    def again(self, passage: Passage) -> None:
        """Count it once more."""
        self.count += 1
        self.last = passage.line
        self.tentative &= passage.tentative
        address = passage.address
        if address and address not in self.addresses and len(self.addresses) < _MOST_ADDRESSES:
            self.addresses.append(address)


@dataclass(frozen=True)
class Diagnosis:
    """What a log says.

    Attributes:
        findings: Known and unknown errors, in the order in which they stand there.
        suspects: Where there is no error at all in a form that is known: the last lines that look
            like one, with their numbers.
        binary: Whether there were bytes among them that no text has.
        unread: Errors beyond the most that are told apart.
    """

    findings: tuple[Finding, ...]
    suspects: tuple[tuple[int, str], ...] = ()
    lines: int = 0
    binary: bool = False
    unread: int = 0

    @property
    def named(self) -> tuple[Finding, ...]:
        """Those whose cause is known, or guessed by its code."""
        return tuple(each for each in self.findings if each.match)

    @property
    def certain(self) -> bool:
        """Whether a cause is named, and none only guessed."""
        return any(each.match and each.match.named for each in self.findings)


def merged(found: Iterable[tuple[str, Diagnosis]]) -> Diagnosis:
    """Return what several logs say, each with its name, as one."""
    parts = list(found)
    findings = [
        replace(each, error=replace(each.error, origin=name))
        for name, part in parts
        for each in part.findings
    ]
    return Diagnosis(
        tuple(findings),
        suspects=()
        if findings
        else tuple(
            (line, f"{name}: {text}") for name, part in parts for line, text in part.suspects
        ),
        lines=sum(part.lines for _, part in parts),
        binary=any(part.binary for _, part in parts),
        unread=sum(part.unread for _, part in parts),
    )


def diagnose(stream: Readable) -> Diagnosis:
    """Read a log, of whatever size and form, and say what went wrong."""
    reader = Reader(catalog().marks)
    finder = _Finder()
    for passage in reader.passages(stream):
        finder.take(passage)
    findings = tuple(_without_echoes(_without_overcome(finder.found(), reader.succeeded)))
    return Diagnosis(
        findings,
        suspects=() if findings else reader.suspects,
        lines=reader.lines,
        binary=reader.binary,
        unread=finder.unread,
    )


@dataclass
class _Finder:
    """Tells errors apart: the first thousands, and the last ones, which count for more."""

    unread: int = 0
    _found: dict[object, Finding] = field(default_factory=dict)
    _seen: dict[str, object] = field(default_factory=dict)
    # What is no error, by its words and where it was printed: a flood of one line is judged once.
    _harmless: set[tuple[str, str]] = field(default_factory=set)
    _tried: int = 0
    _unknown: int = 0
    _late: deque[Passage] = field(default_factory=lambda: deque(maxlen=_MOST_LATE))

    def take(self, passage: Passage) -> None:
        """Take one more error."""
        key = self._seen.get(passage.text)
        if key is not None:
            self._found[key].again(passage)
        elif (passage.text, passage.place) in self._harmless:
            return
        elif len(self._seen) < _MOST and self._tried < _MOST_TRIED:
            self._try(passage)
        else:
            self.unread += len(self._late) == _MOST_LATE
            self._late.append(passage)

    def found(self) -> list[Finding]:
        """Return what was found, in the order in which it stands there first."""
        for passage in self._late:
            self._try(passage)
        return list(self._found.values())

    def _try(self, passage: Passage) -> None:
        self._tried += 1
        shown = passage.clean()
        match = name_cause(shown.text, shown.place)
        if match is None and not passage.certain:
            if len(self._harmless) < _MOST:
                self._harmless.add((passage.text, passage.place))
            return
        key = _key(shown, match)
        if key not in self._found:
            self._unknown += match is None
            if match is None and self._unknown > _MOST_UNKNOWN:
                self.unread += 1
                return
            self._found[key] = Finding(shown, match, count=0)
        self._seen[passage.text] = key
        self._found[key].again(passage)


def _key(passage: Passage, match: Match | None) -> object:
    if match is None:
        return passage.text
    if not passage.certain:
        return match.entry.id  # a program says the same in many lines
    # A time or a request id is no other error; another name is.
    return match.entry.id, tuple(sorted(match.fields.items()))


def _without_overcome(findings: list[Finding], succeeded: int) -> list[Finding]:
    failed = any(each.match and each.error.certain for each in findings)
    return [
        each for each in findings if not each.tentative or not (failed or each.last < succeeded)
    ]


def _without_echoes(findings: list[Finding]) -> Iterator[Finding]:
    causes = {each.match.entry.id for each in findings if each.match and not _any_echo(each)}
    for each in findings:
        echo = set(each.match.entry.echo) if each.match else set()
        if not (echo & causes or (causes and _any_echo(each))):
            yield each


def _any_echo(finding: Finding) -> bool:
    return finding.match is not None and "*" in finding.match.entry.echo
