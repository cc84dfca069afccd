"""Whether what a command prints for programs is what docs/json.md says."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]

from tests.support.payload_page import schema


def undocumented(command: str, data: Any) -> list[str]:
    """Return in what `data` differs from the documented shape; a key that is not there as well."""
    whole = _closed()
    found = {**whole["commands"][command], "$defs": whole["$defs"]}
    errors = jsonschema.Draft202012Validator(found).iter_errors(data)
    return [f"{command}: {each.json_path}: {each.message}" for each in errors]


@cache
def _closed() -> dict[str, Any]:
    whole = copy.deepcopy(schema())
    for shape in whole["$defs"].values():
        if "properties" in shape:
            shape.setdefault("additionalProperties", False)
    return whole
