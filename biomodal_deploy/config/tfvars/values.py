"""The values that variables take, and the private file that hands them to Terraform."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Context, Decimal, InvalidOperation
from pathlib import Path
from typing import Final, TypeAlias

from biomodal_deploy.files import private_dir, replace

# Terraform counts with 512 bits: up to this many digits its numbers and ours are the same.
MOST_DIGITS: Final = 150
_MOST_EXPONENT: Final = 1000
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?")
_EXACT: Final = Context(prec=MOST_DIGITS)

Value: TypeAlias = "str | bool | int | Decimal | list[Value] | dict[str, Value] | None"


def number(text: str) -> int | Decimal | None:
    """Return the number that a decimal literal stands for, or None where it is out of range."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int):
        return None
    digits = len(exact.as_tuple().digits)
    if digits > MOST_DIGITS or abs(exponent) > _MOST_EXPONENT:
        return None
    if exact == 0 and exact.is_signed():
        return Decimal("-0")
    return int(exact) if exact == exact.to_integral_value() else exact.normalize(_EXACT)


def from_text(text: str) -> int | Decimal | None:
    """Return the number that Terraform turns a text into, or None where it would refuse."""
    return number(text) if _DECIMAL.fullmatch(text) else None


def as_text(value: bool | int | Decimal) -> str:
    """Return a truth value or number as the string that Terraform turns it into."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def texts(value: Value) -> Iterator[str]:
    """Yield every text and number inside a value, as text: what a redactor has to know."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield as_text(value)


def to_json(values: Mapping[str, Value]) -> str:
    """Return values as the text of a `.tfvars.json` file: sorted, and every digit kept."""
    lines = (f"  {json.dumps(name)}: {value_to_json(values[name])}" for name in sorted(values))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def value_to_json(value: Value) -> str:
    """Return one value as JSON, with every digit kept."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(key)}: {value_to_json(value[key])}" for key in value)
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(value_to_json, value)) + "]"
    # A float would round what the person wrote.
    return as_text(value) if isinstance(value, Decimal) else json.dumps(value)


VALUES_FILE: Final = "variables.tfvars.json"


def write_private(values: Mapping[str, Value], directory: Path) -> Path:
    """Write values to a file of mode 0600 and return its path.

    The same values give the same bytes. It is named so that Terraform does not read it unasked.

    Args:
        directory: Where it goes; made with mode 0700 where it is missing.
    """
    path = private_dir(directory) / VALUES_FILE
    replace(path, to_json(values).encode())
    return path
