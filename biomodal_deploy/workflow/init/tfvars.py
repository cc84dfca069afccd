"""A new stack's file of variables: every variable of its stack with a comment line."""

from __future__ import annotations

import json
import re
from typing import Final

from biomodal_deploy.config.tfvars.values import Value, as_text
from biomodal_deploy.workflow.init.answers import Answers

_TEMPLATE: Final = re.compile(r"[$%](?=\{)")
_ESCAPE: Final = re.compile(r"\\.")
# JSON's own escapes that Terraform does not know.
_OTHERS: Final = {r"\b": r"\u0008", r"\f": r"\u000c"}


def tfvars_text(answers: Answers) -> str:
    """Return the file's text: what was answered, what is missing, what stays at its default."""
    answered, left, missing = [], [], []
    for name, variable in answers.variables.items():
        if name in answers.values:
            value = hcl(answers.values[name])
            answered.append(f"# {variable.description}\n{name} = {value}\n")
        elif variable.default is None:
            missing.append(f"# {variable.description}\n# {name} = null\n")
        else:
            default = variable.default
            value = hcl(list(default) if isinstance(default, tuple) else default)
            left.append(f"# {variable.description}\n# {name} = {value}\n")
    heading = (
        f"# The values of {answers.name}; its settings are in cdktf.json. Commit both: they are "
        "what a plan\n# is reviewed against. Nothing here is a secret.\n"
    )
    defaults = ["# Left at their defaults: take the # away to set one.\n"] if left else []
    required = ["# Required: fill these in and take the # away.\n"] if missing else []
    return "\n".join([heading, *required, *missing, *answered, *defaults, *left])


def hcl(value: Value) -> str:
    """Return a value as an expression of Terraform's language."""
    if isinstance(value, dict):
        members = ", ".join(f"{_quoted(key)} = {hcl(item)}" for key, item in value.items())
        return f"{{ {members} }}" if members else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(hcl, value))}]"
    if isinstance(value, str):
        return _quoted(value)
    return "null" if value is None else as_text(value)


def _quoted(text: str) -> str:
    escaped = json.dumps(text, ensure_ascii=False)
    escaped = _ESCAPE.sub(lambda found: _OTHERS.get(found[0], found[0]), escaped)
    # A brace behind $ or % would begin a template; doubling the mark fails behind another mark.
    return _TEMPLATE.sub(lambda mark: f"\\u{ord(mark[0]):04x}", escaped)
