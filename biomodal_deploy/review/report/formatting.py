"""Values as text, the same in every format, and what a new resource is configured with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from biomodal_deploy.plan import HIDDEN_TEXT, Action, AttributeChange, ResourceChange
from biomodal_deploy.plan.changes import as_map
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT
from biomodal_deploy.review.report import Entry, Setting
from biomodal_deploy.review.report.access.statements import statement_lines

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
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)


def spelled(value: object, most: int = LONGEST) -> str:
    """Return a value as JSON, or what stands for one that is hidden or not yet known.

    Args:
        most: A longer text is cut, and says how long it was.
    """
    if value in (HIDDEN_TEXT, UNKNOWN_TEXT):
        return str(value)
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return one_line(text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)")


def change_words(change: AttributeChange, most: int = LONGEST) -> tuple[str, str]:
    """Return before and after of an attribute; see `spelled`."""
    return spelled(change.before, most), spelled(change.after, most)


Tags = Mapping[str, str]

# What people look for first, in this order; everything else follows by name.
_FIRST: Final = (
    "bucket",
    "name",
    "name_prefix",
    "compute_environment_name",
    "repository",
    "role",
    "instance_type",
    "ami",
    "cidr_ipv4",
    "cidr_ipv6",
    "ip_protocol",
    "from_port",
    "to_port",
    "policy",
    "assume_role_policy",
)
# What the provider fills in where nobody said anything: shown where it is something else.
_DEFAULTS: Final[Mapping[str, object]] = {
    "expired_object_delete_marker": False,
    "force_detach_policies": False,
    "get_password_data": False,
    "http_endpoint": "enabled",
    "http_protocol_ipv6": "disabled",
    "instance_metadata_tags": "disabled",
    "max_session_duration": 3600,
    "path": "/",
    "revoke_rules_on_delete": False,
    "source_dest_check": True,
    "transition_default_minimum_object_size": "all_storage_classes_128K",
    "user_data_replace_on_change": False,
}
_TAGS: Final = ("tags", "tags_all")
_LONG: Final = 600  # a script: how long it is says more than its letters


def common_tags(changes: Iterable[ResourceChange]) -> dict[str, str]:
    """Return the tags that every one of several resources gets, so that they are said once."""
    each = [_tags(change) for change in changes if "tags_all" in (change.after or {})]
    if len(each) < 2:  # of one resource nothing is common
        return {}
    shared = set(each[0].items()).intersection(*(tags.items() for tags in each[1:]))
    return dict(sorted(shared))


def settings_of(
    change: ResourceChange, images: Mapping[str, str], common: Tags
) -> tuple[Setting, ...]:
    """Return the values that a resource is created with; what is not known yet is left out.

    Args:
        images: The names of machine images, by id.
        common: Tags that are said elsewhere.
    """
    found = [*_settings(change.after or {})]
    found.sort(key=lambda each: (_rank(each.name), each.name))
    tags = {name: value for name, value in _tags(change).items() if name not in common}
    if tags:
        found.append(Setting(name="tags", lines=(tags_text(tags),)))
    return tuple(_with_image(each, images) for each in found)


def tags_text(tags: Tags) -> str:
    """Return tags on one line: `Name=vm, environment=prod`."""
    return ", ".join(f"{name}={value}" for name, value in tags.items())


def _rank(name: str) -> int:
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


def _with_image(setting: Setting, images: Mapping[str, str]) -> Setting:
    name = images.get(setting.lines[0]) if setting.name == "ami" else None
    return Setting(name="ami", lines=(f"{setting.lines[0]} ({name})",)) if name else setting


def _tags(change: ResourceChange) -> dict[str, str]:
    after = change.after or {}
    tags = as_map(after.get("tags_all")) or as_map(after.get("tags"))
    return {name: str(value) for name, value in tags.items()}


def _settings(values: Mapping[str, object], prefix: str = "") -> Iterator[Setting]:
    for key, value in values.items():
        if key in _TAGS or (key in _DEFAULTS and _DEFAULTS[key] == value):
            continue
        yield from _setting(f"{prefix}{key}", value)


def _setting(name: str, value: object) -> Iterator[Setting]:
    if isinstance(value, dict):
        yield from _settings(value, f"{name}.")
    elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
        for index, each in enumerate(value):
            # Most blocks come once, and are lists all the same.
            yield from _setting(name if len(value) == 1 else f"{name}[{index}]", each)
    elif isinstance(value, list):
        known = [_scalar(each) for each in value if each not in (None, UNKNOWN_TEXT)]
        if known:
            yield Setting(name=name, lines=(", ".join(known),))
    elif value not in (None, "", UNKNOWN_TEXT):
        policy = statement_lines(value) if isinstance(value, str) else ()
        yield Setting(name=name, lines=policy or (_scalar(value),))


def _scalar(value: object) -> str:
    if isinstance(value, str):
        if value != HIDDEN_TEXT and len(value) > _LONG:
            return f"({len(value):,} characters)"
        return value
    return json.dumps(value)
