"""Options that several commands share, so that they read and behave alike."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a command prints its result."""

    TEXT = "text"
    JSON = "json"


ProjectDir = Annotated[
    Path,
    typer.Option(
        "--project-dir",
        envvar="BIOMODAL_PROJECT_DIR",
        help="The project: the folder that holds cdktf.json.",
    ),
]
Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        envvar="BIOMODAL_STACK",
        help="The stack. Required only if cdktf.json has several.",
    ),
]
Stacks = Annotated[
    list[str] | None,
    typer.Option(
        "--stack",
        envvar="BIOMODAL_STACK",
        help="The stack. Required only if cdktf.json has several. Several names, with "
        "commas or repeated, and patterns such as 'prod-*' select several.",
    ),
]
Every = Annotated[
    bool, typer.Option("--all", help="Every stack, a few at a time: one table at the end.")
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        min=1,
        max=32,
        help="How many stacks at once; default: one per processor, at least 2, at most 4, and "
        "no more than fit in memory at 1 GiB each.",
    ),
]
Part = Annotated[
    bool,
    typer.Option(
        "--part",
        hidden=True,
        help="One of a set: the stack as it was last synthesized, and progress for a program.",
    ),
]
Plan = Annotated[
    str | None,
    typer.Argument(
        metavar="PLAN",
        help="A sealed plan's id or folder; default: the stack's newest unused one.",
    ),
]
OutputFormat = Annotated[
    Format, typer.Option("--output", "-o", help="Text for people, JSON for programs.")
]
VarFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--var-file",
        help="A file of variables, after the project's own terraform.tfvars. Repeatable; "
        "later files win.",
    ),
]
Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--var",
        help="One variable as NAME=VALUE, over every file. Repeatable. Not for secrets: "
        "other users of this machine can read a command's arguments.",
    ),
]
AllowDestroy = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-destroy",
        metavar="ADDRESS",
        help="A protected resource that the plan may delete, replace or forget. Repeatable.",
    ),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="CHECK",
        help="A check whose refusal is let through, by the name that the refusal gives. "
        "Repeatable.",
    ),
]
AccountMoved = Annotated[
    str | None,
    typer.Option(
        "--account-moved",
        metavar="ACCOUNT",
        help="The account of today's credentials, where the last apply went to another account, "
        "region or endpoint and the state is to belong here from now on.",
    ),
]
Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm",
        metavar="STACK",
        help="The stack's name, if there is no terminal to type it at.",
    ),
]
Full = Annotated[
    bool,
    typer.Option("--full", help="Every attribute, and every resource of many alike."),
]
ReadonlyLock = Annotated[
    bool,
    typer.Option(
        "--readonly-lock",
        envvar="BIOMODAL_READONLY_LOCK",
        help="Fail if the provider lock file in locks/ does not match, as with CI=true.",
    ),
]
Sarif = Annotated[
    Path | None,
    typer.Option("--sarif", help="Also write what was found to this file, for code scanning."),
]
Junit = Annotated[
    Path | None,
    typer.Option("--junit", help="Also write what was found to this file, as a forge's tests."),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST[:PORT]",
        help="Connect to the VM's SSH server here instead of at its public address: the private "
        "address, or the local end of a tunnel.",
    ),
]
SessionManager = Annotated[
    bool, typer.Option("--ssm", help="Go through AWS Session Manager: no open port is needed.")
]

HERE = Path()


def only(stacks: list[str] | None) -> str | None:
    """Return the one name that `--stack` gives where no set is meant."""
    return next((name for given in stacks or () for name in [given.strip(", ")] if name), None)
