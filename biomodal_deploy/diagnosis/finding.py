"""What a log says went wrong: each cause once, in order, and what nobody knows word for word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from biomodal_deploy.diagnosis.catalog import catalog
from biomodal_deploy.diagnosis.lines import Readable
from biomodal_deploy.diagnosis.matching import Match, name_cause
from biomodal_deploy.diagnosis.reading import Passage, Reader

# More different errors than this are no log that a person could act on.
_MOST: Final = 5_000
_MOST_UNKNOWN: Final = 50
# Lines in which a known word stands by chance.
_MOST_TRIED: Final = 50_000
_MOST_ADDRESSES: Final = 20


@dataclass
class Finding:
    """One error, however often it stands there.

    Attributes:
        error: Where it stands first.
        match: Its named cause; None where nobody knows it.
        count: How often it stands there.
        addresses: The resources that it is about.
    """

    error: Passage
    match: Match | None
    count: int = 1
    addresses: list[str] = field(default_factory=list)

    def again(self, passage: Passage) -> None:
        """Count it once more."""
        self.count += 1
        self._about(passage)

    def _about(self, passage: Passage) -> None:
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
        lines: How many lines were read.
        unread: Errors beyond the most that are told apart.
    """

    findings: tuple[Finding, ...]
    suspects: tuple[tuple[int, str], ...] = ()
    lines: int = 0
    unread: int = 0

    @property
    def named(self) -> tuple[Finding, ...]:
        """Those whose cause is known."""
        return tuple(each for each in self.findings if each.match)


def diagnose(stream: Readable) -> Diagnosis:
    """Read a log, of whatever size and form, and say what went wrong.

    Args:
        stream: The log.
    """
    reader = Reader(catalog().marks)
    found: dict[object, Finding] = {}
    unknown = unread = tried = 0
    seen: dict[str, object] = {}
    for passage in reader.passages(stream):
        key = seen.get(passage.text)
        if key is None:
            tried += 1
            if len(seen) >= _MOST or tried > _MOST_TRIED:
                unread += 1
                continue
            match = name_cause(passage.text)
            if match is None and not passage.certain:
                continue
            key = _key(passage, match)
            if key not in found:
                if match is None:
                    unknown += 1
                    if unknown > _MOST_UNKNOWN:
                        unread += 1
                        continue
                found[key] = Finding(passage, match, count=0)
            seen[passage.text] = key
        found[key].again(passage)
    findings = tuple(_without_echoes(list(found.values())))
    return Diagnosis(
        findings,
        suspects=() if findings else tuple(reader.suspects),
        lines=reader.lines,
        unread=unread,
    )


def _key(passage: Passage, match: Match | None) -> object:
    if match is None:
        return passage.text
    # A time or a request id is no other error.
    return match.entry.id, tuple(sorted(match.fields.items()))


def _without_echoes(findings: list[Finding]) -> Iterator[Finding]:
    """Leave out what follows from another finding: a run that failed has an end of its own."""
    causes = [each for each in findings if each.match and each.match.entry.id != "killed_run"]
    for each in findings:
        if each.match and each.match.entry.id == "killed_run" and causes:
            continue
        yield each
