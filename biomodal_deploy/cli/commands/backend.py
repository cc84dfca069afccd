"""`biomodal-aws backend`: a state that a team shares."""

from __future__ import annotations

import typer

from biomodal_deploy.cli.options import HERE, Format, NoCache, OutputFormat, ProjectDir, Stack

backend = typer.Typer(
    help="A state that a team shares, and the way there.",
    rich_markup_mode=None,
    add_completion=False,
)


@backend.callback()
def about() -> None:
    """Keep the words below it words of their own, also where there is only one."""


@backend.command()
def migrate(
    project_dir: ProjectDir = HERE,
    stack: Stack = None,
    no_cache: NoCache = False,
    output: OutputFormat = Format.TEXT,
) -> int:
    """Move a state to the backend that cdktf.json names.

    A private copy is made first, and the old state stays until the new one was read back: lineage,
    serial and contents. Stopped at any point, nothing is lost, and running it again goes on. It
    refuses where the new place holds another state. AWS resources are not touched.

    Example: biomodal-aws backend migrate --stack biomodal-aws
    """
    from biomodal_deploy.cli.result import Result, emit
    from biomodal_deploy.cli.session import session
    from biomodal_deploy.screen.backends import migrated_data, show_migrated
    from biomodal_deploy.workflow.migrating import migrate_state
    from biomodal_deploy.workflow.stack import fresh_stack

    with session(project_dir, output) as work:
        chosen = fresh_stack(work.location, stack, work.listen, use_cache=not no_cache)
        done = migrate_state(chosen, work.listen)
    return emit(
        Result(data=migrated_data(done), show=lambda console: show_migrated(console, done)), output
    )
