"""What is known of a new stack: what was given, checked at once by the contract's rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
# The settings of a backend that hold several texts: given once for each.
_LISTS: Final = frozenset({"config_files"})
# Where exactly a state is: two stacks cannot share one.
_PLACE_OF_STATE: Final = ("key", "workspace")
# The files of a partial configuration are one stack's alone.
_TEAM_KINDS: Final = ("s3", "cloud")
_OPTION: Final = "--backend-config"


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
    return _broken("x", {setting: value})


def check_name(name: str, taken: Collection[str]) -> str | None:
    """Return the rule that a stack's name breaks, or None."""
    there = f"{PROJECT_FILE} has a stack of that name." if name in taken else None
    return _broken(name, {}) or there


def require_name(name: str, taken: Collection[str]) -> None:
    """Refuse a name that no new stack can have."""
    if (rule := check_name(name, taken)) is not None:
        raise UsageError(rule.rstrip("."), field="NAME", value=name, fix="give another name")


def _broken(name: str, settings: dict[str, JsonValue]) -> str | None:
    try:
        check_stack(name, settings, PROJECT_FILE)
    except UsageError as error:
        return f"{error.rule}."
    return None


def read_value(variable: Variable, text: str) -> Value:
    """Return the value that a text of the command line stands for, as Terraform reads `-var`.

    Raises:
        ValueError: It does not fit the type, or breaks a rule; the text says which.
    """
    plain = parse_type(variable.type).kind in ("string", "number", "bool")
    try:
        return checked_value(variable, text if plain else expression(text))
    except HclError as error:
        raise ValueError(f"{error.faults[0].rule}.") from None


def checked_value(variable: Variable, value: Value) -> Value:
    """Return a value in its variable's type.

    Raises:
        ValueError: It does not fit the type, or breaks a rule; the text says which.
    """
    try:
        value = convert(value, parse_type(variable.type))
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
        if isinstance(backend, dict) and backend.get("kind") in _TEAM_KINDS:
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
