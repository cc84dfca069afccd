"""From an error's text to the entry that names its cause."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from biomodal_deploy.known_errors.catalog import catalog
from biomodal_deploy.known_errors.model import Entry

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
# A command inside a sentence.
_COMMAND: Final = re.compile(r"`[^`]*`")
UNLOCK: Final = "unlock"
"""The name of the command that releases a lock: whole, and so never quoted as one word."""
_LONGEST: Final = 160
# In a command it has to be whole: AWS's encoded messages have some thousand letters.
_WHOLE: Final = 6_000


@dataclass(frozen=True)
class Match:
    """A named cause.

    Attributes:
        entry: What is known of it.
        fields: What was read from the error's text.
    """

    entry: Entry
    fields: Mapping[str, str] = field(default_factory=dict)

    def cause(self, context: Mapping[str, str] | None = None) -> str:
        """Return the cause in words.

        Args:
            context: What is known besides the text: `stack`, `directory`, `region`.
        """
        return self._sentence(self.entry.cause, context)

    def fix(self, context: Mapping[str, str] | None = None) -> str:
        """Return what mends it; `context` as above. What is empty there takes its clause along."""
        empty = {name for name, value in (context or {}).items() if not value}
        clauses = self.entry.fix.split("; ")
        told = [each for each in clauses if empty.isdisjoint(_PLACEHOLDER.findall(each))]
        return self._sentence("; ".join(told), context)

    def advice(self) -> str:
        """Return what mends it as far as the error itself says enough for that."""
        first, *others = self.entry.fix.split("; ")
        told = [each for each in others if set(_PLACEHOLDER.findall(each)) <= set(self.fields)]
        return self._sentence("; ".join([first, *told]), None)

    def next(self, context: Mapping[str, str] | None = None) -> str:
        """Return the next command, quoted for a shell; `context` as above."""
        return self._filled(self.entry.next, context, command=True)

    def _unlock(self, context: Mapping[str, str]) -> str:
        lock = shlex.quote(self.fields["id"]) if "id" in self.fields else "ID"
        return context.get(UNLOCK) or f"terraform -chdir=DIRECTORY force-unlock {lock}"

    def _sentence(self, template: str, context: Mapping[str, str] | None) -> str:
        done, parts = 0, []
        for found in _COMMAND.finditer(template):
            parts += [
                self._filled(template[done : found.start()], context, command=False),
                self._filled(found[0], context, command=True),
            ]
            done = found.end()
        return "".join([*parts, self._filled(template[done:], context, command=False)])

    def _filled(self, template: str, context: Mapping[str, str] | None, *, command: bool) -> str:
        known = {**(context or {}), **self.fields}

        def value(found: re.Match[str]) -> str:
            if found[1] == UNLOCK:
                return self._unlock(context or {})
            text = known.get(found[1])
            if text is None:
                return found[1].upper()
            # The text comes from a log: it must not become another command in somebody's shell,
            # nor look like one.
            return shlex.quote(text) if command else _short(text).replace("`", "'")

        return _PLACEHOLDER.sub(value, template)


def name_cause(text: str) -> Match | None:
    """Return what is known of an error; None where nothing is.

    Args:
        text: The error; line breaks and runs of spaces do not matter.
    """
    return next(matches_of(text), None)


def matches_of(text: str) -> Iterator[Match]:
    """Give every entry that an error matches, the best first; the first is the one that counts.

    Args:
        text: The error.
    """
    line = " ".join(text.split())
    small = line.lower()
    for entry in catalog().entries:
        if not any(mark in small for mark in entry.marks):
            continue
        if not entry.pattern.search(line):
            continue
        if entry.exceptions and entry.exceptions.search(line):
            continue
        yield Match(entry, dict(_fields(entry, line)))


def _fields(entry: Entry, line: str) -> Iterator[tuple[str, str]]:
    for name, patterns in entry.fields.items():
        for pattern in patterns:
            if found := re.search(pattern, line, re.IGNORECASE):
                yield name, _shown(found[1])
                break


def _shown(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text[:_WHOLE]).strip()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
