"""The permissions of one stack: what the command line and the preflight ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.stack import StackSettings
from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase, catalog
from biomodal_deploy.iam.check import Finding, check
from biomodal_deploy.iam.expressions import evaluate
from biomodal_deploy.iam.functions import is_unknown
from biomodal_deploy.iam.language import PolicyDocument, parse_policy
from biomodal_deploy.iam.needs import Needs, needs_of, remote_needs
from biomodal_deploy.iam.place import Place
from biomodal_deploy.iam.policies import Policy, documented_policy, policies
from biomodal_deploy.iam.stack import Module, read_document
from biomodal_deploy.iam.vm import VmPolicy, vm_policies

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
