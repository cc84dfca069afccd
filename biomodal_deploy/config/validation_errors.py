"""What pydantic found wrong, each as one line that a person reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from biomodal_deploy.errors import UsageError, UsageErrors
from biomodal_deploy.text import did_you_mean

_QUOTED: Final = re.compile(r"'([^']*)'")

Location = tuple[str, ...]


def usage_error(
    error: ValidationError,
    *,
    prefix: str,
    source: str,
    keys_at: Callable[[Location], Iterable[str]],
    patterns: Mapping[str, str],
    shown: Callable[[Location], Location] = tuple,
    line_of: Callable[[Location], int | None] = lambda _: None,
) -> UsageError:
    """Return all that pydantic found, each as field, value, rule and fix.

    Args:
        prefix: What stands before the field's location in the file.
        source: The file or variable to correct.
        keys_at: Returns the settings that exist in the object at a location.
        shown: Returns a location as it is in the file: pydantic puts the kind of an object that
            may be one of several into it.
    """
    # An unknown key first: it is often the cause of what is missing beside it.
    found = sorted(
        error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden"
    )
    above = (prefix.rstrip("."),) if prefix else ()
    locations = [tuple(str(part) for part in each["loc"] if part != "[key]") for each in found]
    unknown: set[Location] = set()
    faults = []
    for each, location in zip(found, locations, strict=True):
        if any(_is_inside(other, location) for other in locations):
            continue  # wrong because of what is wrong inside it
        if each["type"] == "extra_forbidden":
            unknown.add(location)
        elif each["type"] == "missing" and _is_misspelt(location, unknown):
            continue
        inside = (*above, *shown(location))
        line = line_of(inside)
        where = f"{source} line {line}" if line else source
        field = f"{where}: {'.'.join(inside)}".rstrip(": ")
        faults.append(_fault(each, location, field, source, keys_at, patterns))
    return faults[0] if len(faults) == 1 else UsageErrors(faults)


def _is_inside(one: Location, other: Location) -> bool:
    return len(one) > len(other) and one[: len(other)] == other


def _is_misspelt(missing: Location, unknown: Iterable[Location]) -> bool:
    """Whether an unknown name beside it is what is missing: said once, with the right name."""
    beside = [each[-1] for each in unknown if each[:-1] == missing[:-1]]
    return bool(get_close_matches(missing[-1], beside, n=1))


def _fault(
    found: ErrorDetails,
    location: Location,
    field: str,
    source: str,
    keys_at: Callable[[Location], Iterable[str]],
    patterns: Mapping[str, str],
) -> UsageError:
    context = found.get("ctx", {})
    if found["type"] == "extra_forbidden":
        fix = _choose(location[-1], keys_at(location[:-1]))
        return UsageError("unknown setting", field=field, fix=fix)
    if found["type"] == "union_tag_not_found":
        return UsageError("Its kind is missing", field=field, fix=f'add "kind" in {source}')
    if found["type"] == "union_tag_invalid":
        # The input is the whole object; what is wrong is its kind.
        kind = str(context["tag"])
        fix = _choose(kind, _QUOTED.findall(context["expected_tags"]))
        return UsageError("unknown kind", field=f"{field}.kind", value=kind, fix=fix)
    if found["type"] == "missing":
        given = found["input"] if isinstance(found["input"], dict) else {}
        close = get_close_matches(location[-1], map(str, given), n=1)
        fix = f'rename "{close[0]}"' if close else f"add it in {source}"
        return UsageError("missing", field=field, fix=fix)
    rule = patterns.get(context.get("pattern", ""), found["msg"])
    fix = f"correct it in {source}"
    if found["type"] == "literal_error":
        fix = _choose(str(found["input"]), _QUOTED.findall(context["expected"]))
    if found["type"] == "value_error":
        # A rule of ours, without pydantic's own words before it.
        rule = str(context["error"])
    # Where all of it is no JSON, all of it would be the value.
    value = None if found["type"] == "json_invalid" else found["input"]
    return UsageError(rule, field=field, value=value, fix=fix)


def _choose(given: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    return did_you_mean(given, choices, otherwise=f"use {' or '.join(choices)}")
