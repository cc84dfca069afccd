"""What changed outside Terraform: a plan that is read and thrown away.

A whole plan and no refresh-only one: only a whole one says what the next plan would change back.
What somebody edited in the configuration since the apply is in it too, and is no drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.errors import EXIT_FINDINGS, BiomodalError
from biomodal_deploy.files import private_dir, scratch
from biomodal_deploy.plan import Plan, read_plan
from biomodal_deploy.plan.guards import enforce, judge_place
from biomodal_deploy.workflow.aws import ask_identity, place_of
from biomodal_deploy.workflow.destination import (
    check_destination,
    check_state_file,
    destination_now,
)
from biomodal_deploy.workflow.engine import initialize, open_engine, workspace_of
from biomodal_deploy.workflow.lost_state import require_state
from biomodal_deploy.workflow.prerequisites import require_public_key
from biomodal_deploy.workflow.signals import Listener, Step
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import Given, given_values


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
    stack: Stack,
    *,
    var_files: Sequence[Path],
    variables: Sequence[str],
    cwd: Path,
    listen: Listener,
) -> Plan:
    """Compare the state with what is really there; nothing is sealed, and nothing changes.

    Args:
        stack: The stack.
        var_files: `--var-file`, in order.
        variables: `--var`, in order.
        cwd: What relative paths start from.
        listen: Told of what goes on.

    Returns:
        The plan; what changed is its `drift`.

    Raises:
        UsageError: Variables are wrong.
        NotApplied: Nothing was applied yet.
        StateLost: There is no state, and there was one.
        GuardRefused: It is another account or region than the stack's.
        EngineError: Terraform failed.
    """
    given = given_values(stack, var_files, variables, cwd)
    require_public_key(stack, given.resolved.values)
    workspace = workspace_of(stack)
    _check_place(stack, workspace, given)
    engine = open_engine(
        stack.location,
        stack.directory,
        workspace=workspace,
        redact=given.redactor.text,
    )
    logs = private_dir(stack.location.plans / stack.name / "logs")
    # Beside the sealed plans and not in the system's folder: the plan file holds secrets.
    with scratch(logs, "drift") as folder:
        initialize(stack, engine, listen, logs / "init.log")
        _check_state(stack, engine)
        listen(Step("Looking for changes outside Terraform"))
        plan_file = folder / "plan.tfplan"
        engine.plan(
            plan_file,
            listen,
            logs / "drift.log",
            var_files=[given.write(folder)],
        )
        plan, _ = read_plan(engine.show_plan(plan_file), secrets=given.resolved.secrets)
        return plan


def _check_state(stack: Stack, engine: TerraformCli) -> None:
    """Refuse to compare with nothing: no state has no differences, whatever is out there."""
    header = engine.state_pull()
    require_state(stack, engine.workspace, header)
    if header is None:
        raise NotApplied(stack.name)


def _check_place(stack: Stack, workspace: str, given: Given) -> None:
    """Refuse to look in the wrong account, where everything would seem to be gone."""
    limits = stack.settings.bounds
    check_state_file(stack, workspace)
    place = place_of(stack, given.resolved.values)
    # Asked for without limits as well: credentials that do not work are named before Terraform is.
    identity = ask_identity(stack, place.region)
    now = destination_now(stack, workspace, place, identity)
    check_destination(stack, workspace, now, None)
    caller = identity.result()
    if limits.account_ids or limits.regions:
        account = caller.account if caller else None
        enforce(judge_place(limits, account=account, region=place.region))
