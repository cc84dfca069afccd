"""The small template language of the catalog: `{name|name_prefix*}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.iam.functions import UNKNOWN

SUFFIX: Final = "?" * 26
"""What a policy says for what the AWS provider adds to a name's prefix: a time and a counter of 26
characters together (terraform-plugin-sdk, `id.PrefixedUniqueId`). `*` would reach everything whose
name only begins like ours."""

_ALIAS: Final = "alias/"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")


def fill(template: str, value_of: Callable[[str], JsonValue]) -> tuple[str, ...]:
    """Return a template with its placeholders filled in; what is not known stays a mark.

    A placeholder has alternatives, of which the first that is set counts. `*` after one says that
    the provider adds its suffix to it; `:name` takes the name out of an ARN, `:key` and `:alias`
    what a KMS key is named by: either is unknown where it is named by the other. A list gives one
    text an item.

    Args:
        value_of: Gives an argument by its dotted path, None where it is not set.
    """
    parts: list[tuple[str, ...]] = []
    end = 0
    for placeholder in _PLACEHOLDER.finditer(template):
        parts += [(template[end : placeholder.start()],), _chosen(placeholder[1], value_of)]
        end = placeholder.end()
    parts.append((template[end:],))
    return tuple(dict.fromkeys("".join(each) for each in product(*parts)))


def _chosen(alternatives: str, value_of: Callable[[str], JsonValue]) -> tuple[str, ...]:
    for alternative in alternatives.split("|"):
        path, _, _filter = alternative.removesuffix("*").partition(":")
        value = value_of(path)
        if value in (None, "", []):
            continue
        texts = [_text(each) for each in (value if isinstance(value, list) else [value])]
        if _filter:
            texts = [_FILTERS[_filter](text) for text in texts]
        return tuple(text + SUFFIX * alternative.endswith("*") for text in texts)
    return (UNKNOWN,)


def _name(text: str) -> str:
    return text.rpartition("/")[2]


def _key(text: str) -> str:
    return UNKNOWN if _ALIAS in text else text


def _alias(text: str) -> str:
    return _ALIAS + text.rpartition(_ALIAS)[2] if _ALIAS in text else UNKNOWN


_FILTERS: Final[Mapping[str, Callable[[str], str]]] = {"name": _name, "key": _key, "alias": _alias}


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else UNKNOWN
