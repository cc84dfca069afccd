"""What was given or answered, checked at once by the contract's rules."""

from __future__ import annotations

from collections.abc import Collection

from biomodal_deploy.config.contract import Variable
from biomodal_deploy.config.settings import PROJECT_FILE, check_stack
from biomodal_deploy.config.tfvars.hcl import HclError, expression
from biomodal_deploy.config.tfvars.types import TypeMismatchError, convert, parse_type
from biomodal_deploy.config.tfvars.values import Value
from biomodal_deploy.errors import UsageError
from biomodal_deploy.text import did_you_mean
from biomodal_deploy.workflow.init.answers import Answers, Given


def check_setting(setting: str, value: str) -> str | None:
    """Return the rule that a setting of `cdktf.json` breaks, or None."""
    try:
        check_stack("x", {setting: value}, PROJECT_FILE)
    except UsageError as error:
        return f"{error.rule}."
    return None


def check_name(name: str, taken: Collection[str]) -> str | None:
    """Return the rule that a stack's name breaks, or None."""
    try:
        check_stack(name, {}, PROJECT_FILE)
    except UsageError as error:
        return f"{error.rule}."
    return f"{PROJECT_FILE} has a stack of that name." if name in taken else None


def read_value(variable: Variable, text: str) -> Value:
    """Return the value that a text of the command line stands for, as Terraform reads `-var`.

    Raises:
        ValueError: It does not fit the type, or breaks a rule; the text says which.
    """
    type_ = parse_type(variable.type)
    try:
        plain = type_.kind in ("string", "number", "bool")
        value = convert(text if plain else expression(text), type_)
    except HclError as error:
        raise ValueError(f"{error.faults[0].rule}.") from None
    except TypeMismatchError as error:
        raise ValueError(f"{error}.") from None
    if (rule := variable.broken_rule(value)) is not None:
        raise ValueError(rule)
    return value


def check_value(variable: Variable, text: str) -> str | None:
    """Return the rule that a text breaks as a variable's value, or None."""
    try:
        read_value(variable, text)
    except ValueError as error:
        return str(error)
    return None


def take_variables(answers: Answers, given: Given) -> None:
    """Take up the values that were given, each checked by its variable's rules.

    Raises:
        UsageError: One is wrong, or there is no such variable.
    """
    known = answers.variables
    for name, text in given.variables.items():
        if name not in known:
            raise UsageError(
                f"no such variable with bootstrap {answers.bootstrap} and profile "
                f"{answers.profile}",
                field=given.options.get(name, "--var"),
                value=name,
                fix=did_you_mean(name, known, otherwise=f"use {', '.join(known)}"),
            )
        try:
            answers.values[name] = read_value(known[name], text)
        except ValueError as error:
            raise UsageError(
                str(error).rstrip("."),
                field=given.options.get(name, f"--var {name}"),
                value=text,
                fix="give another value",
            ) from None
