"""What only reads: outputs, and whether the configuration is valid."""

from __future__ import annotations

from dataclasses import dataclass

from biomodal_deploy.engine.terraform import OutputValue, State, TerraformCli, Validation
from biomodal_deploy.engine.terraform.events import Diagnostic
from biomodal_deploy.files import private_dir
from biomodal_deploy.workflow.engine import initialize, open_engine, workspace_of
from biomodal_deploy.workflow.lost_state import require_state
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.stack import Stack


@dataclass(frozen=True)
class Finding:
    """Something that Terraform says of the configuration.

    Attributes:
        diagnostic: Terraform's own words.
        construct: The path of the construct that it comes from, where the JSON says so.
    """

    diagnostic: Diagnostic
    construct: str | None


def read_outputs(stack: Stack, listen: Listener) -> dict[str, OutputValue]:
    """Return a stack's outputs, those of sensitive ones in clear.

    Raises:
        StateLost: There is no state, and there was one.
    """
    engine = _ready(stack, listen)
    listen(Step("Reading the outputs"))
    found = engine.output()
    if not found:
        require_state(stack, engine.workspace, engine.state_pull())
    return found


def read_state(stack: Stack, listen: Listener) -> State | None:
    """Return a stack's state, secrets in clear; None where nothing was ever applied.

    Raises:
        StateLost: There is no state, and there was one.
    """
    engine = _ready(stack, listen)
    listen(Step("Reading the state"))
    state = engine.whole_state()
    require_state(stack, engine.workspace, state if state and state.lineage else None)
    return state


def validate(stack: Stack, listen: Listener) -> tuple[Validation, tuple[Finding, ...]]:
    """Check a synthesized stack with Terraform and its providers' schemas."""
    engine = _ready(stack, listen)
    listen(Step("Validating"))
    validation = engine.validate()
    paths = stack.synthesized.construct_paths
    findings = tuple(
        Finding(diagnostic, paths.get(_subject(diagnostic)))
        for diagnostic in validation.diagnostics
    )
    return validation, findings


def _subject(diagnostic: Diagnostic) -> str:
    """Return the address that a diagnostic is about: `aws_instance.vm`."""
    if diagnostic.address:
        return diagnostic.address
    context = diagnostic.snippet.context if diagnostic.snippet else None
    # Terraform writes the block in JSON as `resource.aws_instance.vm`.
    return (context or "").removeprefix("resource.")


def _ready(stack: Stack, listen: Listener) -> TerraformCli:
    engine = open_engine(
        stack.location,
        stack.directory,
        workspace=workspace_of(stack),
    )
    logs = private_dir(stack.location.plans / stack.name / "logs")
    initialize(stack, engine, listen, logs / "init.log")
    return engine
