"""Repairs for cdktf's HCL output, which Terraform would otherwise refuse or misread.

JSON is what this project is built and tested on. `cdktf synth --hcl` is an exit door for people
who want to read or keep HCL, so it has to plan to the same result. cdktf 0.21 has three faults:

- a default of `""` or `false` is left out, and the variable becomes a required one;
- references in `depends_on` and `ignore_changes` are quoted, as in Terraform 0.11;
- nothing is indented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

from biomodal_deploy.config.contract.validation import Default

_REFERENCE_LIST: Final = re.compile(r"^\s*(depends_on|ignore_changes) = \[$")
_VARIABLE: Final = re.compile(r'^variable "(.+)" \{$')


def repaired(text: str, *, defaults: Mapping[str, Default]) -> str:
    """Return HCL that Terraform reads as it reads the JSON.

    Args:
        text: What cdktf wrote.
        defaults: The default of each variable, None where it has none.
    """
    lines = _mended(text.splitlines(), defaults)
    return "\n".join(_indented(lines)) + "\n"


def _mended(lines: list[str], defaults: Mapping[str, Default]) -> Iterator[str]:
    in_references = False
    for line in lines:
        in_references = bool(_REFERENCE_LIST.match(line)) or (in_references and line.strip() != "]")
        yield line.replace('"', "") if in_references else line
        if (variable := _VARIABLE.match(line)) and defaults.get(variable[1]) in ("", False):
            yield f"default = {json.dumps(defaults[variable[1]])}"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    depth = 0
    previous = ""
    for line in (each.strip() for each in lines):
        if not line and not previous:
            continue
        if line[:1] in ("}", "]"):
            depth -= 1
        # Top-level blocks stand apart, as `terraform fmt` has them.
        if depth == 0 and line.endswith("{") and previous:
            yield ""
        yield "  " * depth + line if line else ""
        if line.endswith(("{", "[")):
            depth += 1
        previous = line
