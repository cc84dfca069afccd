"""What `plan`, `drift` and `apply` share where they are given a set of deployments."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render.console import message_console, output_console
from biomodal_deploy.cli.render.many import SetProgress, set_data, show_notices, show_set
from biomodal_deploy.cli.result import Result, emit
from biomodal_deploy.cli.session import session
from biomodal_deploy.errors import EXIT_INTERRUPTED, Interrupted, UsageError
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.sets.choosing import choose_several
from biomodal_deploy.workflow.sets.jobs import default_jobs
from biomodal_deploy.workflow.sets.outcome import Outcome, worst
from biomodal_deploy.workflow.sets.part import Part
from biomodal_deploy.workflow.sets.running import run_parts
from biomodal_deploy.workflow.stack import synthesized_stacks


@dataclass(frozen=True, kw_only=True)
class SetRun:
    """A command for a set of deployments.

    Attributes:
        command: Its name.
        describe: What a result is in a few words.
        project_dir: The project.
        output: How it prints.
        jobs: How many at once; None for what this machine bears.
    """

    command: str
    describe: Callable[[Outcome], str]
    project_dir: Path
    output: Format
    jobs: int | None

    def synthesized(self, words: Sequence[str], stacks: Sequence[str], every: bool) -> int:
        """Synthesize once for all, then run a command for each deployment that is meant.

        Args:
            words: The command and its arguments.
            stacks: What `--stack` said.
            every: Whether `--all` said so.

        Raises:
            UsageError: A name or pattern fits no deployment.
            EngineError: The app command failed.
        """
        location = Location.of(self.project_dir)
        if location.deployments:
            # Before the app runs: a misspelt name should not wait for it.
            choose_several(stacks, list(location.deployments), every=every)
        with session(self.project_dir, self.output) as work:
            found = synthesized_stacks(work.location, work.listen).stacks
        names = choose_several(stacks, sorted(stack.name for stack in found), every=every)
        words = [*words, f"--project-dir={location.project_dir}"]
        return self.run([[Part(stack=name, words=words) for name in names]])

    def run(
        self,
        waves: Sequence[Sequence[Part]],
        *,
        done: Sequence[Outcome] = (),
        go_on: Callable[[Part, Sequence[Outcome]], Outcome | None] = lambda *_: None,
    ) -> int:
        """Run the parts, print the table, and return the set's exit status.

        Args:
            waves: The parts; those of a wave begin when all of the one before it have ended.
            done: Outcomes that are known already.
            go_on: Says for a part of a later wave why it must not begin, given what was before.

        Raises:
            Interrupted: It was asked to stop; all has ended, and the table is printed.
        """
        began = time.monotonic()
        outcomes = list(done)
        total = sum(map(len, waves))
        quiet = self.output is Format.JSON
        environment = Location.of(self.project_dir).environment
        with SetProgress(message_console(), total, self.describe, quiet=quiet) as progress:
            for wave in waves:
                held = {part.stack: reason for part in wave if (reason := go_on(part, outcomes))}
                outcomes += held.values()
                outcomes += run_parts(
                    [part for part in wave if part.stack not in held],
                    jobs=self.jobs or default_jobs(),
                    directory=Path.cwd(),
                    environment=environment,
                    listen=progress.listen,
                )
        outcomes.sort(key=lambda outcome: outcome.stack)
        if not quiet:
            show_notices(message_console(), outcomes)
        return self._report(outcomes, time.monotonic() - began)

    def _report(self, outcomes: Sequence[Outcome], seconds: float) -> int:
        status = worst(outcome.exit_status for outcome in outcomes)
        data = set_data(self.command, outcomes, seconds)
        if status != EXIT_INTERRUPTED:
            return emit(
                Result(
                    data=data,
                    show=lambda console: show_set(console, outcomes, self.describe),
                    exit_status=status,
                ),
                self.output,
            )
        if self.output is Format.TEXT:
            show_set(output_console(), outcomes, self.describe)
        stopped = sum(outcome.exit_status == EXIT_INTERRUPTED for outcome in outcomes)
        raise Interrupted(
            f"Stopped: {counted(stopped, 'deployment')} of {len(outcomes)} not done, as the table "
            "says; nothing is left running.",
            data=data,
        )


def option_words(option: str, values: Sequence[object] | None) -> list[str]:
    """Return a repeatable option as a command's words."""
    # In one word: a value may begin with a hyphen.
    return [f"{option}={value}" for value in values or ()]


def values_words(var_files: Sequence[Path] | None, variables: Sequence[str] | None) -> list[str]:
    """Return the values that every deployment of a set is given as a command's words.

    Raises:
        UsageError: A file is no regular one: a pipe can be read once, and each of them reads it.
    """
    files = [path.expanduser().absolute() for path in var_files or ()]
    for path in files:
        if not path.is_file():
            raise UsageError(
                "It is no file that every deployment of a set can read",
                field="--var-file",
                value=str(path),
                fix="name a regular file",
            )
    return [*option_words("--var-file", files), *option_words("--var", variables)]


def refuse_for_sets(options: dict[str, bool], why: str) -> None:
    """Refuse options that are for one deployment alone.

    Raises:
        UsageError: One of them was given.
    """
    for option, given in options.items():
        if given:
            raise UsageError(why, field=option, fix="name one deployment with --stack")
