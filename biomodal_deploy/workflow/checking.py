"""Everything that was sealed, computed anew before an apply."""

from __future__ import annotations

from pathlib import Path

from biomodal_deploy.engine.terraform import TerraformCli, conflicting_environment
from biomodal_deploy.errors import BundleRefused
from biomodal_deploy.plan.sealed import Bundle, Difference, raise_on, verify
from biomodal_deploy.workflow.aws import ask_identity, place_of
from biomodal_deploy.workflow.destination import check_sealed_destination
from biomodal_deploy.workflow.engine import initialize, open_engine, tell_dropped
from biomodal_deploy.workflow.lost_state import state_to_plan_from
from biomodal_deploy.workflow.readiness import facts_now
from biomodal_deploy.workflow.sealed_values import SealedValues, read_values
from biomodal_deploy.workflow.signals import Listener, Notice, Step
from biomodal_deploy.workflow.stack import Stack


def check(
    stack: Stack, bundle: Bundle, listen: Listener, *, expect_sha256: str | None
) -> tuple[TerraformCli, SealedValues]:
    """Return Terraform, ready to apply, where nothing differs from what was sealed.

    Args:
        stack: The stack, as it is now.
        bundle: The sealed plan.
        listen: Told of what goes on.
        expect_sha256: The digest that was approved elsewhere; then who applies may be another
            principal of the account than who planned.

    Returns:
        Terraform, and the values that the plan was made with.

    Raises:
        BundleRefused: Something differs.
        EngineError: Terraform or AWS does not say how things are.
    """
    listen(Step("Checking the sealed plan"))
    if expect_sha256 is not None:
        bundle.require(expect_sha256)
    sealed = bundle.manifest.facts
    # What is used or expired is refused first: its other differences explain nothing.
    raise_on(bundle, verify(bundle, sealed))
    if stack.history.was_started(bundle.id):
        raise BundleRefused("used", f"The plan {bundle.id} was applied before. Plan again.")
    if sealed.stack != stack.name:
        raise BundleRefused(
            "other_stack",
            f"The plan {bundle.id} is refused: it was planned with stack {sealed.stack}, and here "
            f"it is {stack.name}. Next: biomodal-aws apply --stack {sealed.stack}",
        )
    check_sealed_destination(stack, bundle)
    environment = stack.location.environment
    data_dir = Path(sealed.data_dir) if sealed.data_dir else None
    for conflict in conflicting_environment(
        environment, directory=stack.directory, workspace=sealed.workspace, data_dir=data_dir
    ):
        raise BundleRefused(
            "other_workspace" if conflict.name == "TF_WORKSPACE" else "other_data_dir",
            f"The plan {bundle.id} is for {conflict.name} {conflict.expected}, and here "
            f"{conflict.name} is {conflict.found}. Unset it, or plan again.",
        )
    values = read_values(stack, bundle)
    place = place_of(stack, values.values)
    identity = ask_identity(stack, place.region)
    engine = open_engine(
        stack.location,
        stack.directory,
        workspace=sealed.workspace,
        redact=values.redactor.text,
    )
    tell_dropped(engine, listen)
    # A runner that got the bundle from another one has nothing installed yet.
    # What is sealed of the lock file must not change on the way to the comparison.
    identity.result()  # without credentials, nothing that follows is worth waiting for
    initialize(stack, engine, listen, bundle.logs / "init.log", readonly_lock=True)
    # Of a plan that starts from no state: one that was there since, and is lost, looks the same.
    state = (
        engine.state_pull() if sealed.state else state_to_plan_from(stack, engine, listen).header
    )
    now = facts_now(
        stack,
        engine,
        state=state,
        var_files=[stack.location.project_dir / file.path for file in sealed.var_files],
        place=place,
        identity=identity,
    )
    differences = verify(bundle, now)
    if expect_sha256 is not None:
        differences = _handed_over(differences, listen)
    raise_on(bundle, differences)
    return engine, values


def _handed_over(differences: list[Difference], listen: Listener) -> list[Difference]:
    """Let another principal of the same account apply what was approved by its digest.

    That is how plans are handed over: one role reads and plans, another one writes.
    """
    for each in differences:
        if each.reason == "other_caller":
            listen(Notice(f"planned as {each.sealed}, and applied as {each.found}"))
    return [each for each in differences if each.reason != "other_caller"]
