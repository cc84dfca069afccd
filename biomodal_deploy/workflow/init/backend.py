"""The setting `backend`, from words of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.settings import check_stack
from biomodal_deploy.errors import UsageError

# The settings of a backend that hold several texts: given once for each.
_LISTS: Final = frozenset({"config_files"})
# Where exactly a state is: two stacks cannot share one.
_PLACE_OF_STATE: Final = ("key", "workspace")
# The files of a partial configuration are one stack's alone.
_SHARED: Final = ("s3", "cloud")
_OPTION: Final = "--backend-config"


def backend_from(kind: str | None, config: Sequence[str]) -> JsonValue:
    """Return the setting `backend`; None where nothing was given.

    Args:
        kind: Its kind; None where it was left out.
        config: Its settings, each `KEY=VALUE`; a dot leads into an object, such as
            `assume_role.role_arn=ARN`.
    """
    if kind is None:
        if config:
            raise UsageError("requires --backend", field=_OPTION, fix="name the kind")
        return None
    found: dict[str, JsonValue] = {"kind": kind}
    for text in config:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise UsageError(
                "A backend's setting is KEY=VALUE",
                field=_OPTION,
                value=key,
                fix="write --backend-config bucket=NAME",
            )
        place = found
        *above, last = key.split(".")
        for word in above:
            inner = place.setdefault(word, {})
            if not isinstance(inner, dict):
                raise UsageError(f"{word} is a text already", field=_OPTION, fix="give it once")
            place = inner
        if last in _LISTS:
            held = place.setdefault(last, [])
            if isinstance(held, list):
                held.append(value)
        else:
            place[last] = value
    return _checked("local" if found == {"kind": "local"} else found)


def shared_by(stacks: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the backends that a team shares and another stack can have too.

    Each is there once, by the name of the first stack that has it, and without the place of
    that one's state in it.
    """
    found: dict[str, JsonValue] = {}
    for name, entry in stacks.items():
        backend = entry.get("backend") if isinstance(entry, dict) else None
        if isinstance(backend, dict) and backend.get("kind") in _SHARED:
            elsewhere = without_place(backend)
            if elsewhere not in found.values():
                found[name] = elsewhere
    return found


def without_place(backend: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a backend without what says where in it one stack's state is."""
    return {name: value for name, value in backend.items() if name not in _PLACE_OF_STATE}


def described(backend: JsonValue) -> str:
    """Return a shared backend in a few words."""
    if not isinstance(backend, dict):
        return str(backend)
    where = backend.get("bucket") or backend.get("organization") or ""
    return f"{backend.get('kind')} {where}".rstrip()


def _checked(backend: JsonValue) -> JsonValue:
    """Return a backend that keeps the rules of its kind; the line of a refusal names the option."""
    try:
        check_stack("x", {"backend": backend}, _OPTION)
    except UsageError as error:
        key = (error.field or "").partition(".backend")[2].lstrip(".")
        fix = f"give {_OPTION} {key}=..." if _OPTION in (error.fix or _OPTION) else error.fix
        raise UsageError(
            error.rule, field=f"{_OPTION} {key}".rstrip(), value=error.value, fix=fix
        ) from None
    return backend
