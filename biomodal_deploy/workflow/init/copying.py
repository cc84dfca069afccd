"""What a new stack takes over from one that is there."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.config.contract import Variable
from biomodal_deploy.config.tfvars.files import automatic_files, read_file, shown
from biomodal_deploy.config.tfvars.types import TypeMismatchError, convert, parse_type
from biomodal_deploy.config.tfvars.values import Value
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init.answers import Answers
from biomodal_deploy.workflow.init.backend import without_place
from biomodal_deploy.workflow.location import Location, choose

# Everything in the account is named after it, and two of a name do not go together.
_ITS_OWN: Final = "vm_name"


def copied_from(location: Location, other: str) -> Answers:
    """Return the settings of a stack, and the values in the files that are read for it.

    Left out is what has to be another's: the VM's name, and where exactly the state is.

    Raises:
        UsageError: no such stack, or one of its files is wrong.
    """
    name = _chosen(location, other)
    if location.settings(name).state_bucket is not None:
        raise UsageError(
            "a bucket for the states of others",
            field="--from",
            value=name,
            fix="copy another stack",
        )
    raw = location.project_file.context["stacks"]
    entry = raw.get(name) if isinstance(raw, dict) else None
    settings = dict(entry) if isinstance(entry, dict) else {}
    settings.pop("var_files", None)
    settings.setdefault("bootstrap", "module")
    settings.setdefault("profile", "documented")
    if isinstance(backend := settings.get("backend"), dict):
        settings["backend"] = without_place(backend)
    answers = Answers(settings=settings)
    variables = answers.variables
    own = (location.project_dir / path for path in location.settings(name).var_files)
    for path in (*automatic_files(location.project_dir), *own):
        for variable, attribute in read_file(path).attributes.items():
            if variable in variables and variable != _ITS_OWN and attribute.value is not None:
                answers.values[variable] = _read(variables[variable], attribute.value, shown(path))
    if home := location.settings(name).home_region:
        answers.values.setdefault("region", home)
    return answers


def _chosen(location: Location, other: str) -> str:
    try:
        return choose(other, list(location.stacks))
    except UsageError as error:
        raise UsageError(error.rule, field="--from", value=other, fix=error.fix) from None


def _read(variable: Variable, value: Value, path: str) -> Value:
    try:
        found = convert(value, parse_type(variable.type))
        rule = variable.broken_rule(found)
    except TypeMismatchError as error:
        rule = str(error)
    if rule is not None:
        raise UsageError(
            rule.rstrip("."), field=variable.name, value=value, fix=f"correct it in {path}"
        )
    return found
