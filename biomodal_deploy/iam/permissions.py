"""The permissions of one stack: what its deployer needs, and what its VM gets for Nextflow."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import JsonValue, TypeAdapter

from biomodal_deploy.config.stack import StackSettings
from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Grant, Phase, catalog, fill
from biomodal_deploy.iam.check import Finding, check
from biomodal_deploy.iam.expressions import evaluate, reference
from biomodal_deploy.iam.functions import UNKNOWN, is_unknown
from biomodal_deploy.iam.language import VERSION, PolicyDocument, parse_policy
from biomodal_deploy.iam.needs import Need, Needs, needs_of, remote_needs, resources_of
from biomodal_deploy.iam.policies import Policy, documented_policy, policies
from biomodal_deploy.iam.stack import Block, Module, read_document

_NAME: Final = "vm_name"
_BOUNDARY_KEY: Final = "iam:PermissionsBoundary"


class StackPermissions:
    """What deploying a synthesized stack with certain values takes, and what its VM may do.

    Nothing here asks AWS for anything.

    Raises:
        UsageError: The directory holds no synthesized stack, or region or account are wrong.
    """

    def __init__(
        self,
        directory: Path,
        values: Mapping[str, JsonValue],
        account: str,
        settings: StackSettings | None = None,
    ) -> None:
        self._document, self._values = read_document(directory), values
        self._directory, self._settings = directory, settings or StackSettings()
        self.place = Place.of(self._region(), account)

    @cached_property
    def needs(self) -> Needs:
        """All that Terraform needs, phase by phase."""
        found = needs_of(self._document, self._values, self.place)
        more = remote_needs(self._settings, self._directory.name, self.place)
        return replace(found, items=(*found.items, *more))

    def deployer(self, phases: Iterable[Phase] = LIFE_CYCLE) -> tuple[Policy, ...]:
        """Return the least policies with which the phases succeed."""
        wanted = tuple(dict.fromkeys(phases))
        suffix = "" if set(wanted) == set(LIFE_CYCLE) else "".join(f"-{each}" for each in wanted)
        return policies(self.needs.of(wanted), f"{self.name}-deployer{suffix}")

    def unbounded_roles(self, phases: Iterable[Phase] = LIFE_CYCLE) -> tuple[str, ...]:
        """Return the roles that make whoever holds the phases' policies an administrator.

        Any permission can be written into a role whose permissions nothing bounds, and the role be
        given to a VM (IAM user guide, "Permissions boundaries for IAM entities").
        """
        return tuple(
            dict.fromkeys(
                resource
                for need in self.needs.of(phases)
                if need.action == "iam:PutRolePolicy"
                and not any(_BOUNDARY_KEY in keys for keys in need.condition.values())
                for resource in need.resources
            )
        )

    def documented(self) -> dict[str, JsonValue]:
        """Return the published policy with its placeholders filled in."""
        return documented_policy(
            self.place,
            vm_name=self.name,
            subnet_id=self._text("subnet_id") or "*",
            bucket=self._text("use_existing_bucket_url").removeprefix("s3://").rstrip("/")
            or self.name,
        )

    def check(
        self, given: Sequence[PolicyDocument], phases: Iterable[Phase] = LIFE_CYCLE
    ) -> tuple[Finding, ...]:
        """Return what is wrong with policies for the phases."""
        return check(given, self.needs.of(phases), self.place)

    def vm(self) -> tuple[VmPolicy, ...]:
        """Return what the stack lets the VM do."""
        return vm_policies(self._stack)

    def check_vm(self, policy: VmPolicy) -> tuple[Finding, ...]:
        """Return what is wrong with what the VM may do, for Nextflow and its pipelines."""
        return check([parse_policy(dict(policy.document))], policy.needs, self.place)

    @property
    def name(self) -> str:
        """What policies are named after: the VM, or the stack where it has no such variable."""
        return self._text(_NAME) or self._directory.name

    @cached_property
    def _stack(self) -> Module:
        return Module(self._document, self._values, self.place, catalog())

    def _text(self, variable: str) -> str:
        value = self._values.get(variable)
        return value if isinstance(value, str) else ""

    def _region(self) -> str:
        def look_up(path: tuple[str | int, ...]) -> JsonValue:
            return self._values.get(str(path[1])) if path[0] == "var" else None

        region = evaluate(self._document.region(), look_up)
        if isinstance(region, str) and not is_unknown(region):
            return region
        raise UsageError(
            "The stack's AWS provider names no region that is known before the plan",
            field="region",
            fix="set it in terraform.tfvars",
        )


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
