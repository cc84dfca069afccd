"""The `aws` commands that our advice consists of, read as the AWS CLI reads them.

A command that does not exist, or an option that it does not have, is an AssertionError; what is
left is a call that a test can make. Only the CLI's general rules are here: each command is an API
operation, each option a parameter of it.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import botocore.session
from boto3.session import Session
from botocore import xform_name
from botocore.model import OperationModel, Shape

_ADVICE: Final = re.compile(r"`(aws [^`]*)`|(?:^|: )(aws .*)$")
_NO_API: Final = frozenset({"configure", "sso"})
# The CLI's own names and options, which are no part of the API.
_SERVICES: Final = {"s3api": "s3"}
_OF_THE_CLI: Final = frozenset({"query", "output", "max-items"})


@dataclass(frozen=True)
class AwsCommand:
    """One command."""

    service: str
    operation: str
    region: str | None
    parameters: dict[str, Any]

    def run(self, session: Session) -> Any:
        """Make the call."""
        name = "s3" if self.service == "s3api" else self.service
        client: Any = session.client(name, region_name=self.region)  # type: ignore[call-overload]
        return self.call(client)

    def call(self, client: Any) -> Any:
        """Make the call with a client of the service."""
        return getattr(client, xform_name(self.operation))(**self.parameters)


def commands_in(advice: str | None) -> list[AwsCommand]:
    """Return the commands that a line of advice holds."""
    found = [one or other for one, other in _ADVICE.findall(advice or "")]
    return [parse(each) for each in found if each.split()[1] not in _NO_API]


def script_commands(script: str) -> list[AwsCommand]:
    """Return the commands of a shell script that holds nothing else but comments."""
    text = "\n".join(line for line in script.splitlines() if not line.startswith("#"))
    return [parse(each) for each in re.split(r"\n(?=aws )|\A(?=aws )", text) if each.strip()]


def parse(command: str) -> AwsCommand:
    """Return a command as the call that it makes."""
    program, service, verb, *words = shlex.split(command.replace("\\\n", " "))
    assert program == "aws"
    service = _SERVICES.get(service, service)
    model = _operations(service).get(verb)
    assert model, f"aws {service} has no command {verb}"
    given: dict[str, list[str]] = {}
    for word in words:
        if word.startswith("--"):
            given[word.removeprefix("--")] = []
        else:
            given[list(given)[-1]].append(word)
    region = given.pop("region", [None])[0]
    for option in _OF_THE_CLI & given.keys():
        del given[option]
    members = model.input_shape.members if model.input_shape else {}
    options = {xform_name(name, "-"): name for name in members}
    # `--no-OPTION` is the CLI's way to say false.
    refused = {
        each.removeprefix("no-") for each in given.keys() - options.keys() if each[:3] == "no-"
    }
    given = {
        each.removeprefix("no-") if each.removeprefix("no-") in refused else each: words
        for each, words in given.items()
    }
    assert not given.keys() - options.keys(), f"aws {service} {verb} has no {given.keys()}"
    parameters = {
        options[option]: {"Value": False}
        if option in refused
        else _value(members[options[option]], given[option])
        for option in given
    }
    missing = set(model.input_shape.required_members if model.input_shape else ()) - set(parameters)
    assert not missing, f"aws {service} {verb} lacks {missing}"
    return AwsCommand(service, model.name, region, parameters)


@cache
def _operations(service: str) -> dict[str, OperationModel]:
    # The CLI's own word for S3's API.
    name = "s3" if service == "s3api" else service
    model = botocore.session.Session().get_service_model(name)
    return {xform_name(name, "-"): model.operation_model(name) for name in model.operation_names}


def _value(shape: Shape, words: list[str]) -> Any:
    kind: Any = shape
    if shape.type_name == "list":
        structures = kind.member.type_name == "structure"
        return [_shorthand(word) for word in words] if structures else words
    if shape.type_name == "boolean":
        assert not words
        return True
    if shape.type_name == "structure" and not words:
        assert list(kind.members) == ["Value"], "only EC2's attribute values have no word"
        return {"Value": True}
    (word,) = words
    if shape.type_name == "structure":
        return json.loads(word) if word.startswith("{") else _structure(kind, word)
    return float(word) if shape.type_name == "double" else word


def _structure(shape: Any, word: str) -> dict[str, Any]:
    """Return `A=true,B=x` or `Rules=[{A=x}]` as the CLI reads it for a structure."""
    if found := re.fullmatch(r"(\w+)=\[\{(.*)\}\]", word):
        return {found[1]: [_structure(shape.members[found[1]].member, found[2])]}
    pairs = dict(part.split("=", 1) for part in word.split(","))
    assert not pairs.keys() - shape.members.keys(), f"{shape.name} has no {pairs.keys()}"
    return {
        key: value == "true" if shape.members[key].type_name == "boolean" else value
        for key, value in pairs.items()
    }


def _shorthand(word: str) -> dict[str, Any]:
    """Return `Name=vpc-id,Values=a` as the CLI's shorthand syntax means it."""
    pairs = dict(part.split("=", 1) for part in word.split(","))
    return {key: [value] if key == "Values" else value for key, value in pairs.items()}
