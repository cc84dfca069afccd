"""`biomodal-aws approve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from biomodal_deploy import files
from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.sealed_plans import show_approvals
from biomodal_deploy.cli.session import emit, meant_plan
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.sealed import signing_key
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus, add, judge_approvals
from biomodal_deploy.plan.sealed.approvals import approve as sign_plan
from biomodal_deploy.plan.sealed.signing import MOST_BYTES
from biomodal_deploy.workflow.approving import spent_plans
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.plans import stack_meant
from biomodal_deploy.workflow.stack import recorded_stack


def approve(
    plan: opt.Plan = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            help="Your SSH key: a private key, or the public key of one that the agent or a "
            "hardware token holds; default: the key that Git signs with.",
        ),
    ] = None,
    add_file: Annotated[
        Path | None,
        typer.Option("--add", help="Sign nothing: put an approval that was made elsewhere here."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write the approval to this file as well, to hand it on."),
    ] = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Sign a sealed plan, as a person whose approval it needs.

    Look at it first: biomodal-aws show. The signature covers the plan's digest, its stack, account,
    region, kind and expiry, and counts for this plan alone. Who may sign, and how many have to,
    stands in the stack's settings (approvals). apply checks it at the last moment.

    Example: biomodal-aws approve --key ~/.ssh/id_ed25519
    """
    location = Location.of(project_dir)
    meant = stack_meant(location, stack, plan)
    chosen = recorded_stack(location, meant)
    sealed_plan = meant_plan(location, chosen.name, plan, meant)
    if add_file is not None:
        add(sealed_plan, _read(add_file), chosen.settings.approvals)
    else:
        content = sign_plan(sealed_plan, key or _key_of(location.project_dir))
        if out is not None:
            files.replace(out, content, mode=files.public_mode())
    status, policy = ApprovalStatus(required=0), chosen.settings.approvals
    if policy:
        spent = spent_plans(chosen.history)
        status = judge_approvals(sealed_plan, policy, location.project_dir, spent)

    def show(console: Console) -> None:
        console.print(f"{sealed_plan.id} of {chosen.name}")
        if policy:
            show_approvals(console, status)
        else:
            console.print(
                "Signed; the stack's settings ask for no approvals, so it counts for nothing"
            )

    data = {"stack": chosen.name, "plan": sealed_plan.id, "sha256": sealed_plan.sha256}
    return emit({**data, **status.model_dump(mode="json")}, show, output)


def _key_of(project: Path) -> Path:
    named = signing_key(project)
    if named is None or named.startswith(("key::", "ssh-")):
        raise UsageError(
            "Git signs with no SSH key here, so the key has to be named",
            field="--key",
            fix="add --key ~/.ssh/id_ed25519, or set git's gpg.format to ssh and user.signingkey",
        )
    return Path(named).expanduser()


def _read(path: Path) -> bytes:
    try:
        return files.read_regular(path, MOST_BYTES)
    except OSError as error:
        raise UsageError(
            f"the approval cannot be read ({error.strerror})",
            field="--add",
            value=str(path),
            fix="name the file that `biomodal-aws approve --out FILE` wrote",
        ) from None
