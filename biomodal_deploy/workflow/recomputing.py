"""Everything that was sealed, values included, computed again before an apply."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from biomodal_deploy.config.credentials import holds_private_key
from biomodal_deploy.config.tfvars import Value, read_declared
from biomodal_deploy.config.tfvars.values import VALUES_FILE, texts
from biomodal_deploy.engine.terraform import TerraformCli, conflicting_environment
from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import Redactor
from biomodal_deploy.plan.sealed import Difference, SealedPlan, raise_on, sha256, verify
from biomodal_deploy.plan.sealed.files import read_private
from biomodal_deploy.workflow.destination import check_sealed_destination
from biomodal_deploy.workflow.location import Listener, Notice, Step
from biomodal_deploy.workflow.lost_state import check_saved, state_to_plan_from
from biomodal_deploy.workflow.plan_facts import ask_identity, facts_now, locate
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.terraform_setup import initialize, open_engine, warn_dropped_variables
from biomodal_deploy.workflow.variables import redactor_for

_MOST_BYTES: Final = 50_000_000


def check(
    stack: Stack, sealed_plan: SealedPlan, *, expect_sha256: str | None
) -> tuple[TerraformCli, SealedValues]:
    """Return Terraform, ready to apply, where nothing differs from what was sealed.

    Args:
        expect_sha256: The digest that was approved elsewhere; then who applies may be another
            principal of the account than who planned.

    Returns:
        Terraform, and the values that the plan was made with.
    """
    stack.on_event(Step("Checking the sealed plan"))
    if expect_sha256 is not None:
        sealed_plan.require(expect_sha256)
    sealed = sealed_plan.manifest.facts
    # What is used or expired is refused first: its other differences explain nothing.
    raise_on(sealed_plan, verify(sealed_plan, sealed))
    if stack.history.was_started(sealed_plan.id):
        raise SealedPlanRefused(
            "used", f"The plan {sealed_plan.id} was applied before. Plan again."
        )
    if sealed.stack != stack.name:
        raise SealedPlanRefused(
            "other_stack",
            f"The plan {sealed_plan.id} is refused: it was planned with stack {sealed.stack}, and "
            f"here it is {stack.name}. Next: biomodal-aws apply --stack {sealed.stack}",
        )
    check_sealed_destination(stack, sealed_plan)
    environment = stack.location.environment
    data_dir = Path(sealed.data_dir) if sealed.data_dir else None
    for conflict in conflicting_environment(
        environment, directory=stack.directory, workspace=sealed.workspace, data_dir=data_dir
    ):
        raise SealedPlanRefused(
            "other_workspace" if conflict.name == "TF_WORKSPACE" else "other_data_dir",
            f"The plan {sealed_plan.id} is for {conflict.name} {conflict.expected}, and here "
            f"{conflict.name} is {conflict.found}. Unset it, or plan again.",
        )
    values = read_values(stack, sealed_plan)
    place = locate(stack, values.values)
    identity = ask_identity(stack, place.region)
    engine = open_engine(stack, workspace=sealed.workspace, redact=values.redactor.text)
    warn_dropped_variables(engine, stack.on_event)
    # A runner that got the sealed plan from another one has nothing installed yet.
    # What is sealed of the lock file must not change on the way to the comparison.
    identity.result()  # without credentials, nothing that follows is worth waiting for
    initialize(stack, engine, sealed_plan.logs / "init.log", readonly_lock=True)
    # Of a plan that starts from no state: one that was there since, and is lost, looks the same.
    if sealed.state:
        content = engine.state_content()
        check_saved(engine, content)
        state = engine.header_of(content)
    else:
        state = state_to_plan_from(stack, engine).header
    now = facts_now(
        stack,
        engine,
        state=state,
        var_files=[stack.location.project_dir / file.path for file in sealed.var_files],
        place=place,
        identity=identity,
    )
    differences = verify(sealed_plan, now)
    if expect_sha256 is not None:
        differences = _handed_over(differences, stack.on_event)
    raise_on(sealed_plan, differences)
    return engine, values


def _handed_over(differences: list[Difference], on_event: Listener) -> list[Difference]:
    """Let another principal of the same account apply what was approved by its digest.

    That is how plans are handed over: one role reads and plans, another one writes.
    """
    for each in differences:
        if each.reason == "other_caller":
            on_event(Notice(f"planned as {each.sealed}, and applied as {each.found}"))
    return [each for each in differences if each.reason != "other_caller"]


@dataclass(frozen=True)
class SealedValues:
    """What a plan was made with.

    Attributes:
        redactor: Knows those of sensitive variables.
    """

    values: Mapping[str, Value]
    redactor: Redactor


def read_values(stack: Stack, sealed_plan: SealedPlan) -> SealedValues:
    """Read a sealed plan's values.

    Raises:
        SealedPlanRefused: They were changed after they were sealed.
    """
    content = read_private(sealed_plan.path / VALUES_FILE, _MOST_BYTES)
    if sha256(content) != sealed_plan.manifest.variables_sha256:
        raise SealedPlanRefused(
            "edited_values",
            f"The plan {sealed_plan.id} is refused: {VALUES_FILE} was changed after it was sealed. "
            f"Next: biomodal-aws plan --stack {stack.name}",
        )
    # We wrote it, and the digest says that nobody else did. No float: every digit is kept.
    values: dict[str, Value] = json.loads(content, parse_float=Decimal)
    declared = read_declared(stack.directory)
    sensitive = {name for name, variable in declared.items() if variable.sensitive}
    secrets = (
        text
        for name, value in values.items()
        for text in texts(value)
        if name in sensitive or holds_private_key(text)
    )
    return SealedValues(values, redactor_for(secrets))
