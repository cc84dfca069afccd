"""The commands, in the order in which a person meets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from biomodal_deploy.cli.commands.apply import apply
from biomodal_deploy.cli.commands.backend import backend
from biomodal_deploy.cli.commands.connect import connect
from biomodal_deploy.cli.commands.demo import demo
from biomodal_deploy.cli.commands.destroy import destroy
from biomodal_deploy.cli.commands.diagnose import diagnose
from biomodal_deploy.cli.commands.doctor import doctor
from biomodal_deploy.cli.commands.drift import drift
from biomodal_deploy.cli.commands.explain import explain
from biomodal_deploy.cli.commands.history import history
from biomodal_deploy.cli.commands.init import init
from biomodal_deploy.cli.commands.keygen import keygen
from biomodal_deploy.cli.commands.lock import lock
from biomodal_deploy.cli.commands.nextflow_config import nextflow_config
from biomodal_deploy.cli.commands.output import output
from biomodal_deploy.cli.commands.plan import plan
from biomodal_deploy.cli.commands.policy import policy
from biomodal_deploy.cli.commands.prerequisites import prerequisites
from biomodal_deploy.cli.commands.report import report
from biomodal_deploy.cli.commands.sandbox import sandbox
from biomodal_deploy.cli.commands.show import show
from biomodal_deploy.cli.commands.ssh_config import ssh_config
from biomodal_deploy.cli.commands.status import status
from biomodal_deploy.cli.commands.synth import synth
from biomodal_deploy.cli.commands.validate import validate

COMMANDS: Final = (
    demo,
    init,
    doctor,
    explain,
    prerequisites,
    keygen,
    synth,
    lock,
    validate,
    plan,
    show,
    report,
    apply,
    output,
    status,
    connect,
    ssh_config,
    nextflow_config,
    drift,
    destroy,
    diagnose,
    history,
)

GROUPS: Final = {"backend": backend, "policy": policy, "sandbox": sandbox}


def everything() -> TyperGroup:
    """Return the command line with all of its commands."""
    return _made_of(COMMANDS, GROUPS)


def meant_by(arguments: Sequence[str]) -> TyperGroup:
    """Return the command line as far as some words reach: each command costs its share to make.

    Args:
        arguments: The words after the program's name.

    Returns:
        A group with the one command that the first word names; all of them where it names none,
        so that help and suggestions know every one.
    """
    word = arguments[0] if arguments else ""
    commands = [each for each in COMMANDS if each.__name__.replace("_", "-") == word]
    groups = {name: each for name, each in GROUPS.items() if name == word}
    return _made_of(commands, groups) if commands or groups else everything()


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print this program's version.",
            callback=lambda wanted: _print_version() if wanted else None,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Stand up the documented AWS environment, and prove beforehand what will happen."""


def _print_version() -> None:
    from importlib.metadata import version

    typer.echo(f"biomodal-aws {version('biomodal-aws')}")
    raise typer.Exit


def _made_of(
    commands: Iterable[Callable[..., int]], groups: Mapping[str, typer.Typer]
) -> TyperGroup:
    app = typer.Typer(
        name="biomodal-aws",
        epilog="Exit status: 0 done or no changes, 1 Terraform failed, 2 something to look at, "
        "3 a guard refused, 4 a sealed plan does not hold, 64 bad usage or settings, "
        "130 interrupted.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    for command in commands:
        app.command()(command)
    for name, group in groups.items():
        app.add_typer(group, name=name)
    # Not `get_command`: of an app with one command it makes that command, and no group.
    return typer.main.get_group(app)
