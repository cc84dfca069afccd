"""What an apply did, or would do to what exists already; and a stack that was ejected."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import Line, print_lines
from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.plan_view import place_lines
from biomodal_deploy.cli.render.sealed_plans import (
    sealed_plan_data,
    show_leftovers,
    show_sealed_plan,
)
from biomodal_deploy.config.backends import STACK_PREFIX
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.review.report import Fact
from biomodal_deploy.review.report.plan_json import destroy_data
from biomodal_deploy.review.report.verdict import place_of
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.adopting import Adopted
from biomodal_deploy.workflow.applying import Applied
from biomodal_deploy.workflow.ejecting import Ejected


def show_applied(console: Console, applied: Applied) -> None:
    """Print how many changes were made, what is left after a destroy, and where to go on."""
    count = counted(len(applied.run.completed), "change")
    line = Text("Done: ", style="good").append(
        f"{count} made in {applied.seconds:.0f} s.", style="default"
    )
    console.print(line)
    if applied.run.interrupted:
        console.print("It was asked to stop, and had nothing left to do.", style="warning")
    manifest = applied.sealed_plan.manifest
    if manifest.facts.stack.startswith(STACK_PREFIX):
        console.print(completed("Next: biomodal-aws backend policy"), style="quiet")
    elif manifest.kind is PlanKind.APPLY:
        print_lines(console, _outputs(applied))
        stack = shlex.quote(manifest.facts.stack)
        step = completed(f"Next: biomodal-aws status --wait --stack {stack}")
        console.print(step, soft_wrap=True)
    if applied.remains:
        show_leftovers(console, applied.remains)


def show_start(console: Console, sealed_plan: SealedPlan) -> None:
    """Print what is about to be applied, and where."""
    manifest = sealed_plan.manifest
    title = f"Apply to {manifest.facts.stack}: {manifest.counts.sentence()}"
    here = ("account", "region", "endpoint")
    place = [fact for fact in place_of(manifest) if fact.name in here]
    print_lines(console, place_lines(title, [Fact(name="plan", value=sealed_plan.id), *place]))


def _outputs(applied: Applied) -> Iterator[Line]:
    outputs = {name: value for name, value in applied.run.outputs.items() if value is not None}
    if outputs:
        yield Line(Text("Outputs:", style="bold"))
    for name in sorted(outputs):
        value = outputs[name]
        text = value if isinstance(value, str) else json.dumps(value)
        yield Line(Text.assemble("  ", (f"{name}: ", "quiet"), text), 4)


def applied_data(applied: Applied) -> dict[str, object]:
    """Return what an apply did, as data for programs; of a destroy also what was and is left."""
    return {
        "sealed_plan": applied.sealed_plan.id,
        "stack": applied.sealed_plan.manifest.facts.stack,
        "kind": str(applied.sealed_plan.manifest.kind),
        "seconds": round(applied.seconds, 1),
        "completed": [
            {"address": each.address, "action": each.action, "id": each.id}
            for each in applied.run.completed
        ],
        "interrupted": applied.run.interrupted,
        **destroy_data(applied.ledger, applied.remains),
    }


def show_adopted(console: Console, done: Adopted, project: Path, *, full: bool) -> None:
    """Print the plan, and what was written on the way to it."""
    sealed, plan = done.planned.sealed_plan, done.planned.plan
    show_sealed_plan(
        console, sealed, plan, None, full=full, cost=cost_summary(plan, sealed.manifest, project)
    )
    for setting, value in done.settings.items():
        console.print(Text(f"cdktf.json: adopted.{setting} is {value!r} now"))
    if done.backup:
        console.print(Text(f"The state as it was: {done.backup}", style="quiet"))
    if done.file:
        console.print(
            Text(f"Review and commit {done.file.relative_to(project)}, and delete it after apply.")
        )


def adopted_data(done: Adopted, project: Path) -> dict[str, object]:
    """Return the adoption as data for programs: the plan's, and what was written."""
    data = sealed_plan_data(done.planned.sealed_plan, done.planned.plan)
    return {
        **data,
        "adoption_file": str(done.file.relative_to(project)) if done.file else None,
        "backup": str(done.backup) if done.backup else None,
        "adopted": dict(done.settings),
    }


def show_ejected(console: Console, done: Ejected) -> None:
    """Print what was written, and the commands that go on from there."""
    console.print(Text(f"{done.stack} is plain Terraform in {done.directory}:"))
    console.print(Text("  " + ", ".join(done.files)))
    console.print(Text(f"Next: cd {shlex.quote(str(done.directory))} && {done.init}"))
    console.print(
        Text("Both folders manage the same state now: go on from one of them.", style="warning")
    )
