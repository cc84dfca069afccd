"""What `plan`, `drift` and `apply` share where they are given a set of stacks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render import message_console, output_console
from biomodal_deploy.cli.render.sets import SetProgress, show_notices, show_set
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import EXIT_DONE, EXIT_INTERRUPTED, Interrupted, UsageError
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.sets import Problem, SetData, StackOutcome, worst
from biomodal_deploy.workflow.sets.choosing import (
    Chosen,
    check_digests,
    choose_several,
    named,
    newest_of,
)
from biomodal_deploy.workflow.sets.running import Part, default_jobs, run_parts
from biomodal_deploy.workflow.stack import last_stacks, synthesized_stacks


@dataclass(frozen=True, kw_only=True)
class SetRun:
    """A command for a set of stacks.

    Attributes:
        jobs: How many at once; None for what this machine bears.
        on_end: Given all outcomes, before the list is printed.
    """

    command: str
    describe: Callable[[StackOutcome], str]
    project_dir: Path
    output: Format
    jobs: int | None
    on_end: Callable[[Sequence[StackOutcome]], None] = lambda _: None

    def synthesized(self, words: Sequence[str], stacks: Sequence[str], every: bool) -> int:
        """Synthesize once for all, then run a command for each stack that is meant."""
        location = Location.of(self.project_dir)
        if location.stacks:
            # Before the app runs: a misspelt name should not wait for it.
            choose_several(stacks, list(location.stacks), every=every)
        with session(self.project_dir, self.output) as work:
            found = synthesized_stacks(work.location).stacks
        names = choose_several(stacks, sorted(stack.name for stack in found), every=every)
        words = [*words, f"--project-dir={location.project_dir}"]
        return self.run([[Part(stack=name, words=words) for name in names]])

    def run(
        self,
        waves: Sequence[Sequence[Part]],
        *,
        done: Sequence[StackOutcome] = (),
        go_on: Callable[[Part, Sequence[StackOutcome]], StackOutcome | None] = lambda *_: None,
    ) -> int:
        """Run the parts, print the list, and return the set's exit status.

        Args:
            waves: The parts; those of a wave begin when all of the one before it have ended.
            done: Outcomes that are known already.
            go_on: Says for a part of a later wave why it must not begin, given what was before.
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
                    on_event=progress.on_event,
                )
        outcomes.sort(key=lambda outcome: outcome.stack)
        if not quiet:
            show_notices(message_console(), outcomes)
        self.on_end(outcomes)
        return self._report(outcomes, time.monotonic() - began)

    def _report(self, outcomes: Sequence[StackOutcome], seconds: float) -> int:
        status = worst(outcome.exit_status for outcome in outcomes)
        counts = Counter(outcome.exit_status for outcome in outcomes)
        data = SetData(
            command=self.command,
            seconds=round(seconds, 1),
            statuses={str(status): counts[status] for status in sorted(counts)},
            stacks=tuple(outcomes),
        )
        if status != EXIT_INTERRUPTED:
            return emit(
                data,
                lambda console: show_set(console, outcomes, self.describe),
                self.output,
                status,
            )
        if self.output is Format.TEXT:
            show_set(output_console(), outcomes, self.describe)
        stopped = sum(outcome.exit_status == EXIT_INTERRUPTED for outcome in outcomes)
        raise Interrupted(
            f"Stopped: {counted(stopped, 'stack')} of {len(outcomes)} not done, as the list "
            "says; nothing is left running.",
            data=data.model_dump(mode="json"),
        )


def apply_set(
    run: SetRun,
    names: Sequence[str],
    stacks: Sequence[str],
    *,
    every: bool,
    digests: Sequence[str],
    confirm: Sequence[str],
) -> int:
    """Apply several sealed plans, each exactly as `apply` does alone.

    What makes the account's roles goes first: where that fails, the stacks of the same
    account that need them do not begin.
    """
    location = Location.of(run.project_dir)
    chosen = _chosen(location, names, stacks, every=every)
    check_digests(chosen, digests)
    waves: list[list[Part]] = [[], []]
    for each in chosen.sealed_plans:
        settings = location.settings(each.manifest.facts.stack)
        wave = waves[0] if settings.bootstrap == "prerequisites" else waves[1]
        wave.append(_part(location, each, confirm, approved=bool(digests)))
    done = [
        StackOutcome(
            stack=stack, exit_status=EXIT_DONE, data={"sealed_plan": None, "reason": reason}
        )
        for stack, reason in chosen.idle.items()
    ]
    return run.run([wave for wave in waves if wave], done=done, go_on=partial(_held, location))


def option_words(option: str, values: Sequence[object] | None) -> list[str]:
    """Return a repeatable option as a command's words."""
    # In one word: a value may begin with a hyphen.
    return [f"{option}={value}" for value in values or ()]


def values_words(var_files: Sequence[Path] | None, variables: Sequence[str] | None) -> list[str]:
    """Return the values that every stack of a set is given as a command's words."""
    files = [path.expanduser().absolute() for path in var_files or ()]
    for path in files:
        if not path.is_file():
            raise UsageError(
                "not a regular file; each stack of the set reads it",
                field="--var-file",
                value=str(path),
                fix="name a regular file, not a pipe",
            )
    return [*option_words("--var-file", files), *option_words("--var", variables)]


def refuse_for_sets(options: dict[str, bool], why: str) -> None:
    """Refuse options that are for one stack alone."""
    for option, given in options.items():
        if given:
            raise UsageError(why, field=option, fix="name one stack with --stack")


def _chosen(
    location: Location, names: Sequence[str], stacks: Sequence[str], *, every: bool
) -> Chosen:
    if names and (stacks or every):
        raise UsageError(
            "cannot be used with the names of sealed plans",
            field="--all" if every else "--stack",
            fix="leave it out, or leave the names out",
        )
    if names:
        return named(location, names)
    known = [stack.name for stack in last_stacks(location)]
    return newest_of(location, choose_several(stacks, known, every=every))


def _part(
    location: Location, sealed_plan: SealedPlan, confirm: Sequence[str], *, approved: bool
) -> Part:
    stack = sealed_plan.manifest.facts.stack
    # What was chosen, and not what another command may put in its place meanwhile. Only a digest
    # that somebody approved lets another caller apply the plan.
    option = "--expect-sha256" if approved else "--chosen-sha256"
    words = [
        "apply",
        str(sealed_plan.path.absolute()),
        f"{option}={sealed_plan.sha256}",
        f"--project-dir={location.project_dir}",
    ]
    return Part(
        stack=stack, words=[*words, *option_words("--confirm", [stack] * (stack in confirm))]
    )


def _held(location: Location, part: Part, before: Sequence[StackOutcome]) -> StackOutcome | None:
    accounts = set(location.settings(part.stack).account)
    for outcome in before:
        settings = location.settings(outcome.stack)
        alike = not (accounts and settings.account) or accounts & set(settings.account)
        if outcome.exit_status and settings.bootstrap == "prerequisites" and alike:
            line = f"Not begun: {outcome.stack} makes the roles that it needs, and was not applied."
            return StackOutcome(
                stack=part.stack,
                exit_status=outcome.exit_status,
                error=Problem(code="not_begun", message=line),
            )
    return None
