"""A stack that adopted resources, and one that was ejected."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console
from rich.text import Text

from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_sealed_plan
from biomodal_deploy.workflow.adopting import Adopted
from biomodal_deploy.workflow.ejecting import Ejected


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
    data = sealed_plan_data(done.planned.sealed_plan, done.planned.plan, None)
    return {
        **data,
        "adoption_file": str(done.file.relative_to(project)) if done.file else None,
        "backup": str(done.backup) if done.backup else None,
        "adopted": dict(done.settings),
    }


def show_ejected(console: Console, done: Ejected) -> None:
    """Print what was written, and the commands that go on from there."""
    console.print(Text(f"{done.stack} is plain Terraform in {done.folder}:"))
    console.print(Text("  " + ", ".join(done.files)))
    console.print(Text(f"Next: cd {shlex.quote(str(done.folder))} && {done.init}"))
    console.print(
        Text("Both folders manage the same state now: go on from one of them.", style="warning")
    )
