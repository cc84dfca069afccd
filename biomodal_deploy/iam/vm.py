"""What the stack gives the VM, and what Nextflow needs there."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from pydantic import JsonValue, TypeAdapter

from biomodal_deploy.iam.catalog import Grant, fill
from biomodal_deploy.iam.expressions import evaluate, reference
from biomodal_deploy.iam.functions import UNKNOWN
from biomodal_deploy.iam.language import VERSION
from biomodal_deploy.iam.needs import Need, resources_of
from biomodal_deploy.iam.stack import Block, Module

_DOCUMENT: Final = "data.aws_iam_policy_document"
_GRANTS: Final = TypeAdapter(dict[str, tuple[Grant, ...]])


@dataclass(frozen=True, kw_only=True)
class VmPolicy:
    """The VM's inline policy.

    Attributes:
        document: It, with what is not known before the plan as `*`.
    """

    address: str
    document: Mapping[str, JsonValue]
    needs: tuple[Need, ...]


def vm_policies(stack: Module) -> tuple[VmPolicy, ...]:
    """Return the policies that the stack writes for its VM's role."""
    blocks = list(stack.blocks())
    needs = _needs(stack, blocks)
    found = []
    for block in blocks:
        if block.kind == "aws_iam_role_policy":
            path = reference(block.body.get("policy"))
            target = block.module.find(path) if path else None
            if target and target[0].kind == _DOCUMENT:
                document = _document(target[0])
                found.append(VmPolicy(address=block.address, document=document, needs=needs))
    return tuple(found)


def bucket_part(policy: VmPolicy) -> VmPolicy:
    """Return the part of a policy that is about S3."""
    statements = policy.document["Statement"]
    about_s3: list[JsonValue] = [
        statement
        for statement in (statements if isinstance(statements, list) else [])
        if isinstance(statement, dict) and _is_about_s3(statement)
    ]
    return VmPolicy(
        address=policy.address,
        document={**policy.document, "Statement": about_s3},
        needs=tuple(need for need in policy.needs if need.action.startswith("s3:")),
    )


def _is_about_s3(statement: Mapping[str, JsonValue]) -> bool:
    actions = statement["Action"]
    return isinstance(actions, list) and all(str(each).startswith("s3:") for each in actions)


def _document(block: Block) -> dict[str, JsonValue]:
    written = evaluate(block.body.get("statement"), block.module.look_up)
    statements: list[JsonValue] = []
    for each in written if isinstance(written, list) else [written]:
        if isinstance(each, dict):
            sid = {"Sid": each["sid"]} if each.get("sid") else {}
            effect = each.get("effect", "Allow")
            body = {"Action": _known(each.get("actions")), "Resource": _known(each["resources"])}
            conditions = _conditions(each.get("condition"))
            statements.append({**sid, "Effect": effect, **body, **conditions})
    return {"Version": VERSION, "Statement": statements}


def _conditions(written: JsonValue) -> dict[str, JsonValue]:
    """Return a statement's conditions as a policy has them; nothing where it has none."""
    found: dict[str, JsonValue] = {}
    for each in written if isinstance(written, list) else [written]:
        if isinstance(each, dict):
            operator = found.setdefault(str(each["test"]), {})
            if isinstance(operator, dict):
                operator[str(each["variable"])] = _known(each["values"])
    return {"Condition": found} if found else {}


def _known(values: JsonValue) -> JsonValue:
    listed = values if isinstance(values, list) else [values]
    return [str(each).replace(UNKNOWN, "*") for each in listed]


def _needs(stack: Module, blocks: list[Block]) -> tuple[Need, ...]:
    place = stack.place
    names: dict[str, JsonValue] = {
        "bucket": _bucket(stack, blocks),
        "job_queue": _id_of(blocks, "aws_batch_job_queue"),
        "repository": _id_of(blocks, "aws_ecr_repository"),
    }
    return tuple(
        Need(
            address="Nextflow",
            kind="nextflow",
            phase="run",
            action=action,
            resources=tuple(resources_of(grant, action, place, lambda each: fill(each, names.get))),
            condition={},
            tags={},
            why=grant.why,
            unobserved=grant.unobserved,
        )
        for grant in _nextflow()
        for action in grant.actions
    )


def _id_of(blocks: list[Block], kind: str) -> JsonValue:
    return next((block.get("id") for block in blocks if block.kind == kind), None)


def _bucket(stack: Module, blocks: list[Block]) -> JsonValue:
    """Return the data bucket's name: the stack's own, else the one that it was given."""
    own = _id_of(blocks, "aws_s3_bucket")
    given = str(stack.look_up(("var", "use_existing_bucket_url")))
    return own or given.removeprefix("s3://").rstrip("/")


@cache
def _nextflow() -> tuple[Grant, ...]:
    text = (files("biomodal_deploy.iam") / "data" / "nextflow.toml").read_text("utf-8")
    return _GRANTS.validate_python(tomllib.loads(text))["grant"]
