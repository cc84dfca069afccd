"""The commands, in the order in which a person meets them; each is imported when it runs."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Annotated, Any, Final, NoReturn, cast

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from biomodal_deploy.cli import completion

# Each is the function or group of its name in the module of its name in `commands`. The help is
# here once more, for the list of commands: to read it from the modules would import them all.
# `--help` lists these, at most 20 (tests/biomodal_deploy/cli/test_commands.py) ...
GROUPS: Final = {
    "Start": {
        "init": "Make a project here, or add a stack to the one that is.",
        "demo": "Rehearse the whole job on a sandboxed AWS account.",
        "doctor": "Check the AWS account before an apply.",
    },
    "Deploy": {
        "plan": "Create a plan, check it, and save it as a sealed plan.",
        "plans": "List sealed plans: state, age and what each does.",
        "show": "Print a sealed plan, or write it as a report.",
        "cost": "Show what a plan's environment costs.",
        "approve": "Sign a sealed plan, as a person whose approval it needs.",
        "apply": "Apply a sealed plan, once, exactly as planned.",
        "destroy": "Show what will be destroyed, ask, and destroy it.",
    },
    "Run": {
        "output": "Print the stack's outputs.",
        "status": "Show the health of a stack.",
        "jobs": "List the jobs that run or wait in the stack's queues.",
        "connect": "Open a shell on the VM, or run one command there.",
        "nextflow-config": "Print or write Nextflow's configuration.",
        "diagnose": "Name the cause of an error, its fix, and the next command.",
    },
    "Team": {
        "history": "Print who planned and applied what, and when.",
        "drift": "Show what changed outside Terraform since the apply.",
        "backend": "A state that a team shares, and the way there.",
        "policy": "The permissions that stacks and the VM need.",
    },
}
# ... and these by name only; `help more` says what each does.
MORE: Final = {
    "vm": "Stop the VM while nothing runs, and start it again.",
    "smoke": "Run one tiny job, and name the layer that is broken.",
    "keygen": "Create the VM's SSH key pair on this machine.",
    "sandbox": "An AWS account on loopback, for rehearsals.",
    "synth": "Write each stack's Terraform JSON to cdktf.out/stacks.",
    "validate": "Check the stack against its providers' schemas.",
    "lock": "Write the provider lock files in locks/.",
    "adopt": "Plan to take over resources that exist already.",
    "eject": "Write a stack as plain Terraform that stands alone.",
}
COMMANDS: Final = {name: line for group in (*GROUPS.values(), MORE) for name, line in group.items()}


class _Grouped(TyperGroup):
    """The list of commands under its headings."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        widest = max(map(len, COMMANDS))
        more = {"help more": ", ".join(MORE)}
        for heading, group in {**GROUPS, "More": more}.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), line) for name, line in group.items()])


class _More(TyperCommand):
    """`help more`: the commands that the list names only."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(MORE.items()))

    def invoke(self, ctx: Any) -> None:
        """Print the same where it is run as a command."""
        typer.echo(self.get_help(ctx))


def command_line(words: Collection[str] = ()) -> TyperGroup:
    """Return the command line, with those of its commands imported that are to run."""
    app = typer.Typer(
        name="biomodal-aws",
        cls=_Grouped,
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="Exit status: 0 done or no changes, 1 Terraform failed, 2 needs attention, "
        "3 a guard refused, 4 a sealed plan is no longer valid, 64 bad usage or settings, "
        "130 interrupted.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_options)
    # Not `get_command`: an app without commands of its own has none.
    group = typer.main.get_group(app)
    for name, line in COMMANDS.items():
        group.add_command(_load(name) if name in words else TyperCommand(name, help=line))
    if "more" in words:
        group.add_command(
            _More("more", help="Commands that are needed less often.", rich_markup_mode=None)
        )
    return group


def _load(name: str) -> TyperCommand | TyperGroup:
    word = name.replace("-", "_")
    entry = getattr(import_module(f"biomodal_deploy.cli.commands.{word}"), word)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    if isinstance(entry, typer.Typer):
        app.add_typer(entry, name=name)
    else:
        app.command(name)(entry)
    # As Typer makes them; it types them as what it has of Click inside.
    command = cast(TyperCommand | TyperGroup, typer.main.get_group(app).commands[name])
    for each in command.commands.values() if isinstance(command, TyperGroup) else [command]:
        for option in each.params:
            if isinstance(option, TyperOption) and option.metavar is None:
                option.metavar = _metavar(option)
            elif isinstance(option, TyperArgument) and option.metavar is None:
                option.metavar = (option.name or "").upper()
    return command


def _metavar(option: TyperOption) -> str | None:
    """Return what stands for an option's value in its help; None to have Typer's choices."""
    kind, word = option.bare_type(), (option.name or "").upper()
    if "Path" in kind:
        return "DIR" if "DIR" in word else "FILE"
    if kind in ("int", "float"):
        return "N"
    return "NAME=VALUE" if word == "VAR" else word if kind in ("str", "list[str]") else None


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
    install_completion: Annotated[
        bool,
        typer.Option(
            "--install-completion",
            help="Complete commands, options, stacks and plans in your shell: bash, zsh or fish.",
            callback=lambda wanted: _print_and_exit(completion.install()) if wanted else None,
            is_eager=True,
        ),
    ] = False,
    show_completion: Annotated[
        bool,
        typer.Option(
            "--show-completion",
            help="Print the script that does so.",
            callback=lambda wanted: _print_and_exit(_script()) if wanted else None,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Stand up the documented AWS environment, and prove beforehand what will happen."""


def _print_version() -> None:
    # As long to import as the rest of `--help` takes, and rarely used.
    from importlib.metadata import version

    _print_and_exit(f"biomodal-aws {version('biomodal-aws')}")


def _script() -> str:
    return completion.SCRIPTS[completion.shell_of()].removesuffix("\n")


def _print_and_exit(text: str) -> NoReturn:
    typer.echo(text)
    raise typer.Exit
