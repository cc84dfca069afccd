"""What pydantic found wrong, as the one line that a person reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError

from biomodal_deploy.errors import UsageError
from biomodal_deploy.suggestions import did_you_mean

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
) -> UsageError:
    """Return the first thing that pydantic found, as field, value, rule and fix.

    Args:
        error: What pydantic raised.
        prefix: What stands before the field's location on screen.
        source: The files or variables to correct.
        keys_at: Returns the settings that exist in the object at a location.
        patterns: What each pattern of the model means, in words.
        shown: Returns a location as it is in the file: pydantic puts the kind of an object that
            may be one of several into it.
    """
    # An unknown key first: it is often the cause of what is missing beside it.
    found = sorted(
        error.errors(include_url=False), key=lambda each: each["type"] != "extra_forbidden"
    )
    first, others = found[0], len(found) - 1
    more = f" ({others} more)" if others else ""
    location = tuple(str(part) for part in first["loc"] if part != "[key]")
    field = (prefix + ".".join(shown(location))).rstrip(".: ")
    context = first.get("ctx", {})
    if first["type"] == "extra_forbidden":
        fix = _choose(location[-1], keys_at(location[:-1]))
        return UsageError(f"There is no such setting{more}", field=field, fix=fix)
    if first["type"] == "union_tag_not_found":
        return UsageError(f"Its kind is missing{more}", field=field, fix=f'add "kind" in {source}')
    if first["type"] == "union_tag_invalid":
        # The input is the whole object; what is wrong is its kind.
        kind = str(context["tag"])
        fix = _choose(kind, _QUOTED.findall(context["expected_tags"]))
        return UsageError(
            f"There is no such kind{more}", field=f"{field}.kind", value=kind, fix=fix
        )
    if first["type"] == "missing":
        given = first["input"] if isinstance(first["input"], dict) else {}
        # Only here: settings without a fault should not wait for it.

        close = get_close_matches(location[-1], map(str, given), n=1)
        fix = f'rename "{close[0]}"' if close else f"add it in {source}"
        return UsageError(f"It is missing{more}", field=field, fix=fix)
    rule = patterns.get(context.get("pattern", ""), first["msg"])
    fix = f"correct it in {source}"
    if first["type"] == "literal_error":
        fix = _choose(str(first["input"]), _QUOTED.findall(context["expected"]))
    if first["type"] == "value_error":
        # A rule of ours, without pydantic's own words before it.
        rule = str(context["error"])
    # Where all of it is no JSON, all of it would be the value.
    value = None if first["type"] == "json_invalid" else first["input"]
    return UsageError(f"{rule}{more}", field=field, value=value, fix=fix)


def _choose(given: str, known: Iterable[str]) -> str:
    choices = sorted(known)
    return did_you_mean(given, choices, otherwise=f"use {' or '.join(choices)}")
