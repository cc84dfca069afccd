"""`biomodal-aws cache`."""

from __future__ import annotations

import typer

from biomodal_deploy.cli.options import Format, OutputFormat

cache = typer.Typer(
    help="What is kept to make synthesis fast.", rich_markup_mode=None, add_completion=False
)


@cache.callback()
def about() -> None:
    """Keep `clear` a word of its own: a group of one command would lose it."""


@cache.command()
def clear(output: OutputFormat = Format.TEXT) -> int:
    """Remove what the user's cache directory holds.

    Synthesized output and sliced AWS bindings. The next synthesis makes them anew, which takes a
    few seconds.

    Example: biomodal-aws cache clear
    """
    from biomodal_deploy.cli.result import Result, emit
    from biomodal_deploy.engine.synthesis import clear_cache

    freed = clear_cache()
    return emit(
        Result(
            data={"freed_bytes": freed},
            show=lambda console: console.print(f"{freed / 1_000_000:.1f} MB freed"),
        ),
        output,
    )
