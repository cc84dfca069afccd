"""The document that `terraform show -json` prints for a plan, as far as it is read here.

It holds every secret of the stack in clear. Only `read_plan` and what it calls touch it;
everything else works with the redacted `Plan`.
"""

from __future__ import annotations

import contextlib
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from biomodal_deploy.errors import EngineError

KNOWN_MAJOR: Final = "1"


class _Part(BaseModel):
    # Newer versions of Terraform add keys; they are tolerated within one major version.
    # Built at the first plan that is read: commands that read sealed ones never need them.
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Importing(_Part):
    """The object that is adopted; its id is unknown for some import blocks."""

    id: str | None = None


class Change(_Part):
    """Before and after of one object or output, with the marks of what is sensitive."""

    actions: list[str]
    before: object = None
    after: object = None
    after_unknown: object = False
    before_sensitive: object = False
    after_sensitive: object = False
    replace_paths: list[list[str | int]] = []
    importing: Importing | None = None


class ResourceChange(_Part):
    """The change of one object."""

    address: str
    previous_address: str | None = None
    module_address: str = ""
    mode: str = "managed"
    type: str
    name: str
    provider_name: str = ""
    deposed: str | None = None
    change: Change
    action_reason: str | None = None


class DeferredChange(_Part):
    """A change that Terraform puts off to a later plan."""

    reason: str = "unknown"
    resource_change: ResourceChange


class ActionInvocation(_Part):
    """An action of a provider that runs beside the changes (Terraform 1.14 and later)."""

    address: str = "an action"


class Output(_Part):
    """A root output in planned values or prior state."""

    sensitive: bool = False
    value: object = None


class Resource(_Part):
    """An object in planned values or prior state."""

    type: str = ""
    mode: str = "managed"
    values: object = None
    sensitive_values: object = False


class Module(_Part):
    """A module's objects, in planned values or prior state."""

    resources: list[Resource] = []
    child_modules: list[Module] = []


class Values(_Part):
    """Planned values, or the values of a state."""

    outputs: dict[str, Output] = {}
    root_module: Module = Module()


class State(_Part):
    """The state that the plan starts from."""

    values: Values = Values()


class Variable(_Part):
    """The value of a root variable. It carries no mark: the declaration does."""

    value: object = None


class VariableDeclaration(_Part):
    """A variable as the configuration declares it."""

    sensitive: bool = False
    ephemeral: bool = False
    default: object = None


class ModuleCall(_Part):
    """A call of a child module with its arguments."""

    expressions: dict[str, object] = {}
    module: ModuleConfiguration | None = None


class Provisioner(_Part):
    """A program that runs when an object is created or destroyed."""

    type: str = ""


class ConfiguredResource(_Part):
    """A resource block, and what it sets."""

    mode: str = "managed"
    type: str = ""
    name: str = ""
    expressions: dict[str, object] = {}
    provisioners: list[Provisioner] = []


class ConfiguredOutput(_Part):
    """An output as configured."""

    expression: object = None


class ModuleConfiguration(_Part):
    """A module as configured."""

    resources: list[ConfiguredResource] = []
    outputs: dict[str, ConfiguredOutput] = {}
    variables: dict[str, VariableDeclaration] = {}
    module_calls: dict[str, ModuleCall] = {}


class ProviderConfiguration(_Part):
    """A provider as configured."""

    expressions: dict[str, object] = {}


class Configuration(_Part):
    """The configuration inside the plan."""

    provider_config: dict[str, ProviderConfiguration] = {}
    root_module: ModuleConfiguration = ModuleConfiguration()


class CheckAddress(_Part):
    """The address of a check or of one instance of it."""

    kind: str = "check"
    to_display: str = ""


class CheckProblem(_Part):
    """Why a check failed."""

    message: str = ""


class CheckInstance(_Part):
    """The result of one instance of a check."""

    address: CheckAddress = CheckAddress()
    status: str = "unknown"
    problems: list[CheckProblem] = []


class Check(_Part):
    """The result of a check block, or of an object's own conditions."""

    address: CheckAddress = CheckAddress()
    status: str = "unknown"
    instances: list[CheckInstance] = []


class PlanDocument(_Part):
    """The whole document."""

    format_version: str
    terraform_version: str = ""
    timestamp: str = ""
    applyable: bool | None = None
    complete: bool | None = None
    errored: bool = False
    variables: dict[str, Variable] = {}
    planned_values: Values = Values()
    prior_state: State = State()
    configuration: Configuration | None = None
    resource_changes: list[ResourceChange] = []
    resource_drift: list[ResourceChange] = []
    deferred_changes: list[DeferredChange] = []
    action_invocations: list[ActionInvocation] = []
    deferred_action_invocations: list[object] = []
    output_changes: dict[str, Change] = {}
    checks: list[Check] = Field(default_factory=list)


class _Header(_Part):
    format_version: str


def parse(document: bytes) -> PlanDocument:
    """Read the document.

    Raises:
        EngineError: It is not the plan document of a known format. The line never quotes the
            document, since any part of it can be a secret.
    """
    try:
        plan = PlanDocument.model_validate_json(document)
    except ValidationError as error:
        _refuse_unknown_major(document)
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise EngineError(
            f"Terraform's plan could not be read: {fault['type']} at {_place(fault['loc'])}"
        ) from None
    _check_major(plan.format_version)
    return plan


def _refuse_unknown_major(document: bytes) -> None:
    # A later major may well have another shape: its number is the better answer then.
    with contextlib.suppress(ValidationError):
        _check_major(_Header.model_validate_json(document).format_version)


def _check_major(version: str) -> None:
    if version.partition(".")[0] != KNOWN_MAJOR:
        raise EngineError(
            f"Terraform's plan has format version {version[:20]!r}, and only {KNOWN_MAJOR}.x is"
            " known here",
            advice="use a Terraform version that the documentation names",
        )


def _place(location: tuple[int | str, ...]) -> str:
    """Name where the fault lies by our own field names: any other key may be a secret."""
    ours = {name for model in _Part.__subclasses__() for name in model.model_fields}
    parts = [str(part) if isinstance(part, int) or part in ours else "*" for part in location]
    return ".".join(parts) or "the top"
