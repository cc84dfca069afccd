"""Values as text, the same in every format."""

from __future__ import annotations

import json
from typing import Final

from biomodal_deploy.plan import HIDDEN_TEXT, Action, AttributeChange
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT
from biomodal_deploy.review.report.model import Entry

LONGEST: Final = 300

# A sign and a word for each action: colour alone tells nobody enough.
SIGNS: Final = {
    Action.DELETE: ("-", "destroy"),
    Action.REPLACE: ("-/+", "replace"),
    Action.REPLACE_CREATE_FIRST: ("+/-", "replace, new one first"),
    Action.REPLACE_AND_FORGET: ("+/·", "replace, old one left behind"),
    Action.FORGET: ("·", "forget"),
    Action.UNKNOWN: ("?", "unknown"),
    Action.UPDATE: ("~", "update"),
    Action.CREATE: ("+", "create"),
    Action.READ: ("≤", "read"),
    Action.NO_OP: ("=", "unchanged"),
}


# What an object undergoes that does not change itself.
_MOVED: Final = ("→", "move", "a-move")
_IMPORTED: Final = ("↓", "import", "a-move")


def act_of(entry: Entry) -> tuple[str, str, str]:
    """Return the sign, the word and the class of what happens to a resource."""
    if entry.action is Action.NO_OP and entry.imported:
        return _IMPORTED
    if entry.action is Action.NO_OP and entry.moved:
        return _MOVED
    return *SIGNS[entry.action], action_class(entry.action)


def action_class(action: Action) -> str:
    """Return the class that gives an action its colours."""
    return f"a-{'replace' if action.replaces else action.value}"


def one_line(text: str) -> str:
    """Return a text of any origin on one line, without letters that steer what is shown."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def spelled(value: object, most: int = LONGEST) -> str:
    """Return a value as JSON, or what stands for one that is hidden or not yet known."""
    if value in (HIDDEN_TEXT, UNKNOWN_TEXT):
        return str(value)
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return one_line(text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)")


def change_words(change: AttributeChange, most: int = LONGEST) -> tuple[str, str]:
    """Return before and after of an attribute; see `spelled`."""
    return spelled(change.before, most), spelled(change.after, most)
