"""What only reads: outputs, whether the configuration is valid, what changed outside Terraform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biomodal_deploy.engine.terraform import OutputValue, State, TerraformCli, Validation
from biomodal_deploy.engine.terraform.events import Diagnostic
from biomodal_deploy.errors import EXIT_FINDINGS, BiomodalError
from biomodal_deploy.files import scratch
from biomodal_deploy.plan import Plan, read_plan
from biomodal_deploy.plan.guards import enforce, judge_place
from biomodal_deploy.workflow.backend_checks import require_public_key
from biomodal_deploy.workflow.destination import (
    check_destination,
    check_state_file,
    destination_now,
)
from biomodal_deploy.workflow.location import Step
from biomodal_deploy.workflow.lost_state import check_saved, require_state
from biomodal_deploy.workflow.plan_facts import ask_identity, locate
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.terraform_setup import initialize, open_engine, workspace_of
from biomodal_deploy.workflow.variables import Given, given_values


@dataclass(frozen=True)
class Finding:
    """Something that Terraform says of the configuration.

    Attributes:
        construct: The path of the construct that it comes from, where the JSON says so.
    """

    diagnostic: Diagnostic
    construct: str | None


def read_outputs(stack: Stack) -> dict[str, OutputValue]:
    """Return a stack's outputs, those of sensitive ones in clear.

    Raises:
        StateLost: There is no state, and there was one.
    """
    engine = _ready(stack)
    stack.on_event(Step("Reading the outputs"))
    found = engine.output()
    if not found:
        require_state(stack, engine.workspace, engine.state_pull())
    return found


def read_state(stack: Stack) -> State | None:
    """Return a stack's state, secrets in clear; None where nothing was ever applied.

    Raises:
        StateLost: There is no state, and there was one.
    """
    engine = _ready(stack)
    stack.on_event(Step("Reading the state"))
    state = engine.whole_state()
    require_state(stack, engine.workspace, state if state and state.lineage else None)
    return state


def validate(stack: Stack) -> tuple[Validation, tuple[Finding, ...]]:
    """Check a synthesized stack with Terraform and its providers' schemas."""
    engine = _ready(stack)
    stack.on_event(Step("Validating"))
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


def _ready(stack: Stack) -> TerraformCli:
    engine = open_engine(stack)
    initialize(stack, engine, stack.logs / "init.log")
    return engine


class NotApplied(BiomodalError):
    """Nothing was ever applied: neither a mistake nor health, and a nightly job has to name it."""

    exit_status = EXIT_FINDINGS
    code = "not_applied"

    def __init__(self, stack: str) -> None:
        super().__init__(
            f"{stack}: nothing is applied yet, so nothing was compared. "
            f"Next: biomodal-aws plan --stack {stack}, then biomodal-aws apply --stack {stack}"
        )


def find_drift(
    stack: Stack, *, var_files: Sequence[Path], variables: Sequence[str], cwd: Path
) -> Plan:
    """Compare the state with what is really there; nothing is sealed, and nothing changes.

    By a plan that is thrown away, and a whole one: only that says what the next plan would change
    back. What somebody edited in the configuration since the apply is in it too, and is no drift.

    Raises:
        NotApplied: Nothing was applied yet.
        StateLost: There is no state, and there was one.
    """
    given = given_values(stack, var_files, variables, cwd)
    require_public_key(stack, given.resolved.values)
    workspace = workspace_of(stack)
    _check_place(stack, workspace, given)
    engine = open_engine(stack, workspace=workspace, redact=given.redactor.text)
    logs = stack.logs
    # Beside the sealed plans and not in the system's folder: the plan file holds secrets.
    with scratch(logs, "drift") as folder:
        initialize(stack, engine, logs / "init.log")
        content = engine.state_content()
        check_saved(engine, content)
        header = engine.header_of(content)
        require_state(stack, engine.workspace, header)
        if header is None:  # no state has no differences, whatever is out there
            raise NotApplied(stack.name)
        stack.on_event(Step("Looking for changes outside Terraform"))
        plan_file = folder / "plan.tfplan"
        engine.plan(plan_file, stack.on_event, logs / "drift.log", var_files=[given.write(folder)])
        plan, _ = read_plan(engine.show_plan(plan_file), secrets=given.resolved.secrets)
        return plan


def _check_place(stack: Stack, workspace: str, given: Given) -> None:
    """Refuse to look in the wrong account, where everything would seem to be gone."""
    limits = stack.settings.bounds
    check_state_file(stack, workspace)
    place = locate(stack, given.resolved.values)
    # Asked for without limits as well: credentials that do not work are named before Terraform is.
    identity = ask_identity(stack, place.region)
    now = destination_now(stack, workspace, place, identity)
    check_destination(stack, workspace, now, None)
    caller = identity.result()
    if limits.account_ids or limits.regions:
        account = caller.account if caller else None
        enforce(judge_place(limits, account=account, region=place.region))
