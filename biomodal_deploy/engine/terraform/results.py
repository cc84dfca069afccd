"""What calls of Terraform return."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from pydantic import AliasPath, BaseModel, BeforeValidator, Field, JsonValue

from biomodal_deploy.engine.terraform.events import ChangeSummary, Diagnostic

_TAINTED: Final = "tainted"


class VersionInfo(BaseModel, frozen=True):
    """What `version` says.

    Attributes:
        providers: Source address to version, as the directory's lock file selects them.
    """

    version: str = Field(alias="terraform_version")
    platform: str = ""
    providers: dict[str, str] = Field(default={}, alias="provider_selections")


class Validation(BaseModel, frozen=True):
    """What `validate` says of a configuration."""

    valid: bool
    diagnostics: tuple[Diagnostic, ...] = ()


class OutputValue(BaseModel, frozen=True):
    """One output; hide the value of a sensitive one from its representation."""

    value: JsonValue = Field(repr=False)
    sensitive: bool = False


def _managed(resources: object) -> object:
    if not isinstance(resources, list):
        return resources
    return sum(isinstance(each, dict) and each.get("mode") == "managed" for each in resources)


class StateHeader(BaseModel, frozen=True):
    """What names one version of a state: a plan is good for exactly this one.

    Attributes:
        held: How many resources it holds, data sources left out.
    """

    lineage: str
    serial: int
    terraform_version: str = ""
    held: Annotated[int, BeforeValidator(_managed)] = Field(
        default=0, validation_alias=AliasPath("resources")
    )


class StateInstance(BaseModel, frozen=True):
    """One object of a resource: its attributes as the provider wrote them, secrets in clear."""

    attributes: dict[str, JsonValue] = Field(default={}, repr=False)
    index_key: str | int | None = None
    status: str = ""


class StateResource(BaseModel, frozen=True):
    """One resource of a state, with an object for each of its `count` or `for_each`."""

    mode: str
    type: str
    name: str
    module: str = ""
    instances: tuple[StateInstance, ...] = ()

    @property
    def tainted(self) -> frozenset[str]:
        """The addresses of its objects that were created, and are to be replaced."""
        name = ".".join(filter(None, (self.module, self.type, self.name)))
        return frozenset(
            name if each.index_key is None else f"{name}[{json.dumps(each.index_key)}]"
            for each in self.instances
            if each.status == _TAINTED
        )


class State(StateHeader, frozen=True):
    """A state in full; it holds secrets in clear and belongs on no disk."""

    outputs: dict[str, OutputValue] = {}
    resources: tuple[StateResource, ...] = ()

    @property
    def tainted(self) -> frozenset[str]:
        """The addresses of what was created, and is to be replaced."""
        return frozenset().union(*(each.tainted for each in self.resources))


@dataclass(frozen=True)
class PlanRun:
    """What Terraform said while it planned; the plan itself is read with `show_plan`.

    Attributes:
        has_changes: Whether it announced a change of a resource or an output, or drift. Its exit
            status says so too and lies: with `-refresh-only` it means changes where there are none.
    """

    path: Path
    has_changes: bool
    summary: ChangeSummary
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Touched:
    """One resource that an apply changed, or tried to.

    Attributes:
        action: Such as `create`; a replaced resource has a `delete` and a `create`.
        seconds: How long it took, where it ended.
        id: What the provider calls it, where it was said.
    """

    address: str
    action: str
    seconds: float = 0.0
    id: str | None = None

    @property
    def is_created(self) -> bool:
        """Whether it was to be made, in the place of another one or not."""
        return self.action == "create"


@dataclass(frozen=True)
class ApplyRun:
    """What became of an apply, as far as Terraform could say it.

    Attributes:
        tainted: What was created and failed after that: the next plan replaces it.
        in_progress: What was begun and never heard of again: Terraform was killed.
        not_begun: What was planned, and not reached.
        summary: Terraform's own counts; None where it did not come to its end.
        interrupted: It was asked to stop, and had nothing left to do.
        outputs: The outputs that it wrote, without the sensitive ones.
    """

    completed: tuple[Touched, ...] = ()
    failed: tuple[Touched, ...] = ()
    tainted: tuple[Touched, ...] = ()
    in_progress: tuple[Touched, ...] = ()
    not_begun: tuple[Touched, ...] = ()
    summary: ChangeSummary | None = None
    warnings: tuple[Diagnostic, ...] = field(default=(), repr=False)
    interrupted: bool = False
    outputs: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)
