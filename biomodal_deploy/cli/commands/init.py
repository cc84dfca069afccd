"""`biomodal-aws init`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.next_steps import completed
from biomodal_deploy.cli.render import message_console, print_exactly
from biomodal_deploy.cli.render.init import (
    Picker,
    added_data,
    project_data,
    show_added,
    show_differences,
    show_draft,
    show_project,
)
from biomodal_deploy.cli.session import emit
from biomodal_deploy.config.json_schema import SETTINGS_SCHEMA
from biomodal_deploy.config.settings import PROJECT_FILE
from biomodal_deploy.config.tfvars import assignment
from biomodal_deploy.errors import EXIT_DONE, UsageError
from biomodal_deploy.review.hardening import EXPLAINED
from biomodal_deploy.vm.ssh_key import make_key
from biomodal_deploy.workflow.adding import (
    needs_key,
    next_steps,
    notes,
    prepare,
    prepare_project,
    project_steps,
)
from biomodal_deploy.workflow.init import Asker
from biomodal_deploy.workflow.init.answers import Given, backend_from
from biomodal_deploy.workflow.init.project import ProjectDraft, write_project
from biomodal_deploy.workflow.init.writing import write
from biomodal_deploy.workflow.location import project_folder

_NO: Final = ("", "0", "false", "no")
# Variables with an option of their own, in the order of the questions.
_OPTIONS: Final = {
    "region": "--region",
    "vpc_id": "--vpc-id",
    "subnet_id": "--subnet-id",
    "vm_name": "--vm-name",
    "instance_type": "--instance-type",
}


Bootstrap = Literal["module", "native", "prerequisites"]
Profile = Literal["documented", "hardened"]
Kind = Literal["local", "s3", "cloud", "partial"]


def init(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="In a project, the new stack's name; elsewhere the project's folder.",
        ),
    ] = None,
    eject_app: Annotated[
        bool,
        typer.Option("--eject-app", help="Copy the app's stacks into a new project, to edit them."),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Print the documented and hardened profiles side by side, and do nothing else.",
        ),
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", help="Print the JSON Schema of cdktf.json, for an editor, and nothing else."
        ),
    ] = False,
    no_key: Annotated[
        bool, typer.Option("--no-key", help="Make no SSH key for a new native project.")
    ] = False,
    bootstrap: Annotated[
        Bootstrap | None,
        typer.Option(
            "--bootstrap",
            help="How it is built. module: exactly the document, the private key in the state. "
            "native: the same, and can be rehearsed offline. Otherwise native for a new project, "
            "module for another stack.",
        ),
    ] = None,
    profile: Annotated[
        Profile | None, typer.Option("--profile", help="Its profile; otherwise documented.")
    ] = None,
    region: Annotated[str | None, typer.Option("--region", help="The AWS region.")] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", help="The AWS account that it may only be in; otherwise any."),
    ] = None,
    vpc_id: Annotated[str | None, typer.Option("--vpc-id", help="The VPC.")] = None,
    subnet_id: Annotated[
        str | None, typer.Option("--subnet-id", help="A subnet of that VPC.")
    ] = None,
    vm_name: Annotated[
        str | None, typer.Option("--vm-name", help="The VM's name; otherwise NAME.")
    ] = None,
    instance_type: Annotated[
        str | None, typer.Option("--instance-type", help="The VM's type; otherwise t3.large.")
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option("--var", help="Any other variable as NAME=VALUE. Repeatable. No secrets."),
    ] = None,
    backend: Annotated[
        Kind | None, typer.Option("--backend", help="Where its state lives; otherwise local.")
    ] = None,
    backend_config: Annotated[
        list[str] | None,
        typer.Option(
            "--backend-config",
            help="A setting of the backend as KEY=VALUE, such as bucket=NAME or "
            "assume_role.role_arn=ARN. Repeatable.",
        ),
    ] = None,
    copy_from: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="NAME",
            help="Copy the settings and values of another stack, but for the VM's name.",
        ),
    ] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Ask nothing, also on a terminal.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")
    ] = False,
    project_dir: opt.ProjectDir = opt.HERE,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Make a project here, or add a stack to the one that is.

    Without a project (cdktf.json) here or above, NAME is the folder to make one in, this one where
    it is left out: settings, values, scripts, README and the SSH key. In a project, NAME is a new
    stack's.

    On a terminal it asks, with lists from the account where the credentials can see them: regions,
    VPCs, subnets, instance types of the zone, key pairs. Each answer is checked by the documented
    rules at once. Everything can be given as an option instead. Where nobody can be asked (no
    terminal, CI, --no-input, --output json), AWS is not asked either, and everything that is
    missing is named in one line.

    Writes environments/NAME.tfvars, and adds to cdktf.json without touching the rest of it. What
    is there already is never overwritten. In a new project, values that are missing can be filled
    into terraform.tfvars later.

    Example: biomodal-aws init lab --bootstrap native --region eu-west-2
    """
    if explain:
        differences = EXPLAINED.differences
        return emit(EXPLAINED, lambda console: show_differences(console, differences), output)
    if schema:
        # The file itself: in an envelope no editor could use it.
        print_exactly(SETTINGS_SCHEMA.read_text(encoding="utf-8"))
        return EXIT_DONE
    settings = {"bootstrap": bootstrap, "profile": profile, "account": account}
    own = {
        "region": region,
        "vpc_id": vpc_id,
        "subnet_id": subnet_id,
        "vm_name": vm_name,
        "instance_type": instance_type,
    }
    given = Given(
        name=name,
        settings={key: value for key, value in settings.items() if value is not None},
        variables=_variables(own, var or []),
        backend=backend_from(backend, backend_config or []),
        options=_OPTIONS,
    )
    asker = _asker(output, no_input=no_input)
    if not (project_folder(project_dir) / PROJECT_FILE).exists():
        if copy_from:
            raise UsageError("no project here to copy from", field="--from", value=copy_from)
        folder = project_dir.absolute() / (name or "")
        project = prepare_project(
            folder, replace(given, name=None), asker=asker, eject_app=eject_app
        )
        return _make(project, output, dry_run=dry_run, key=not no_key)
    if eject_app:
        raise UsageError("only valid for a new project", field="--eject-app", fix="leave it out")
    found = prepare(project_dir, given, other=copy_from, asker=asker)
    lines, steps = notes(found), [completed(each) for each in next_steps(found)]
    if not dry_run:
        write(found)
    return emit(
        added_data(found, lines, steps, written=not dry_run),
        lambda console: (
            show_draft(console, found, lines)
            if dry_run
            else show_added(console, found, lines, steps)
        ),
        output,
    )


def _make(found: ProjectDraft, output: opt.Format, *, dry_run: bool, key: bool) -> int:
    lines = [f"{name} is there already, and stays as it is" for name in found.kept]
    lines.append(
        "The first plan writes locks/: commit it. biomodal-aws lock does so for all platforms"
    )
    steps = project_steps(found, Path.cwd())
    if not dry_run:
        write_project(found)
        if key and needs_key(found.answers):
            lines += _key_notes(str(found.answers.values["vm_name"]))
    return emit(
        project_data(found, lines, steps, written=not dry_run),
        lambda console: show_project(console, found, lines, steps, written=not dry_run),
        output,
    )


def _key_notes(name: str) -> list[str]:
    """Make the VM's key, and return what to know about it."""
    try:
        files = make_key(Path("~/.ssh").expanduser(), name)
    except (UsageError, OSError) as error:
        return [f"No SSH key was made ({str(error).rstrip('.')})"]
    made = "made" if files.made else "there already"
    return [f"The VM's SSH key is {made}: {files.private}"]


def _variables(own: dict[str, str | None], var: list[str]) -> dict[str, str]:
    given = {name: value for name, value in own.items() if value is not None}
    for text in var:
        name, value = assignment(text)
        if name in given:
            raise UsageError("duplicate variable", field=f"--var {name}", fix="give it once")
        given[name] = value
    return given


def _asker(output: opt.Format, *, no_input: bool) -> Asker | None:
    """Return who asks, where there is somebody to answer."""
    here = sys.stdin.isatty() and sys.stderr.isatty()
    if (
        no_input
        or output is opt.Format.JSON
        or not here
        or os.environ.get("CI", "").lower() not in _NO
    ):
        return None

    return Picker(message_console())
