"""What is known of a new stack: what was given, checked at once by the contract's rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.contract import Variable, variables_of
from biomodal_deploy.config.settings import PROJECT_FILE, check_stack
from biomodal_deploy.config.tfvars.hcl import HclError, expression
from biomodal_deploy.config.tfvars.types import TypeMismatchError, convert, parse_type
from biomodal_deploy.config.tfvars.values import Value
from biomodal_deploy.errors import UsageError
from biomodal_deploy.text import did_you_mean

FOLDER: Final = "environments"
SHARED: Final = "terraform.tfvars"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What was given on the command line.

    Attributes:
        settings: Settings of `cdktf.json` by name; those that were not given are left out.
        options: The option by variable, where it has one of its own.
    """

    name: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    backend: JsonValue = None
    options: Mapping[str, str] = field(default_factory=dict)

    def option(self, name: str) -> str:
        """Return the option that gives a setting or variable."""
        return self.options.get(name, f"--var {name}=...")


@dataclass
class Answers:
    """Everything that a new stack needs.

    Attributes:
        values: Its variables' values, as they go into its var-file.
        shared: Whether that is the project's own `terraform.tfvars`: of the first stack it is.
    """

    name: str = ""
    settings: dict[str, JsonValue] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    shared: bool = False

    @property
    def bootstrap(self) -> str:
        """Its implementation."""
        return str(self.settings.get("bootstrap", "module"))

    @property
    def profile(self) -> str:
        """Its profile."""
        return str(self.settings.get("profile", "documented"))

    @property
    def variables(self) -> dict[str, Variable]:
        """The variables that it has, by name."""
        open_ssh = "open_ssh_waiver" in self.settings
        found = variables_of(self.bootstrap, self.profile, open_ssh=open_ssh)
        return {variable.name: variable for variable in found}

    @property
    def missing(self) -> list[str]:
        """The variables that need a value and have none yet."""
        found = self.variables.items()
        return [each for each, it in found if it.default is None and each not in self.values]

    @property
    def var_file(self) -> str:
        """Its file of variables, relative to the project."""
        return SHARED if self.shared else f"{FOLDER}/{self.name}.tfvars"

    @property
    def entry(self) -> dict[str, JsonValue]:
        """Its entry in `cdktf.json`: where it is and what it is first, the rest as it came."""
        names = dict.fromkeys(("bootstrap", "profile", "account", "region", "var_files"))
        settings: dict[str, JsonValue] = {
            **self.settings,
            "bootstrap": self.bootstrap,
            "profile": self.profile,
        }
        if not self.shared:
            settings["var_files"] = [self.var_file]
        return {name: settings[name] for name in names | settings if name in settings}


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
    """Take up the values that were given, each checked by its variable's rules."""
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
