"""Policies as something to paste: JSON, Terraform JSON, or commands of the AWS command line."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from pydantic import JsonValue

from biomodal_deploy.iam import Place

Named = Mapping[str, Mapping[str, JsonValue]]
"""Policy documents by name."""


class PolicyFormat(StrEnum):
    """How policies are printed."""

    JSON = "json"
    TERRAFORM = "terraform"
    AWS_CLI = "aws-cli"


def rendered(named: Named, place: Place, form: PolicyFormat) -> str:
    """Return policies as text that ends with a line feed."""
    if form is PolicyFormat.TERRAFORM:
        return _indented(_terraform(named))
    if form is PolicyFormat.AWS_CLI:
        return "".join(f"{line}\n" for line in _commands(named, place))
    return _indented(combined(list(named.values())))


def combined(documents: Sequence[Mapping[str, JsonValue]]) -> Mapping[str, JsonValue]:
    """Return policies as one document; a Sid that several have gets a number."""
    first, *others = documents
    if not others:
        return first
    seen: Counter[str] = Counter()
    statements: list[JsonValue] = []
    for document in documents:
        listed = document["Statement"]
        for statement in listed if isinstance(listed, list) else [listed]:
            sid = statement.get("Sid") if isinstance(statement, dict) else None
            if isinstance(statement, dict) and isinstance(sid, str) and sid in seen:
                statements.append({**statement, "Sid": f"{sid}{seen[sid] + 1}"})
            else:
                statements.append(statement)
            if isinstance(sid, str):
                seen[sid] += 1
    return {**first, "Statement": statements}


def _terraform(named: Named) -> dict[str, object]:
    policies = {
        name.replace("-", "_"): {
            "name": name,
            # `${` in a policy is IAM's own; Terraform reads a doubled dollar as one.
            "policy": json.dumps(document).replace("${", "$${"),
        }
        for name, document in named.items()
    }
    arns = [f"${{aws_iam_policy.{label}.arn}}" for label in policies]
    return {"resource": {"aws_iam_policy": policies}, "output": {"policy_arns": {"value": arns}}}


def _commands(named: Named, place: Place) -> Sequence[str]:
    lines = []
    for name, document in named.items():
        text = json.dumps(document, separators=(",", ":"))
        lines.append(
            shlex.join(
                ["aws", "iam", "create-policy", "--policy-name", name, "--policy-document", text]
            )
        )
    lines += ["", "# Attach them to who deploys, USER here:"]
    for name in named:
        arn = f"arn:{place.partition}:iam::{place.account}:policy/{name}"
        lines.append(f"aws iam attach-user-policy --user-name USER --policy-arn {arn}")
    return lines


def _indented(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
