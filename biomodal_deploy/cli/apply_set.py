"""`biomodal-aws apply` of a set of sealed plans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from biomodal_deploy.cli.many import SetRun, option_words
from biomodal_deploy.cli.options import Format
from biomodal_deploy.cli.render.described import describe_apply
from biomodal_deploy.errors import EXIT_DONE, UsageError
from biomodal_deploy.plan.sealed import Bundle
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.sets.bundles import Chosen, check_digests, named, newest_of
from biomodal_deploy.workflow.sets.choosing import choose_several
from biomodal_deploy.workflow.sets.outcome import Outcome, Problem
from biomodal_deploy.workflow.sets.part import Part
from biomodal_deploy.workflow.stack import last_stacks


def apply_set(
    names: Sequence[str],
    stacks: Sequence[str],
    *,
    every: bool,
    digests: Sequence[str],
    confirm: Sequence[str],
    project_dir: Path,
    output: Format,
    jobs: int | None,
) -> int:
    """Apply several sealed plans, each exactly as `apply` does alone.

    What makes the account's roles goes first: where that fails, the deployments of the same
    account that need them do not begin.

    Args:
        names: The sealed plans; the newest unused one of each stack where there are none.
        stacks: What `--stack` said.
        every: Whether `--all` said so.
        digests: What was approved.
        confirm: Stacks that may lose something.
        project_dir: The project.
        output: How to print.
        jobs: How many at once.

    Raises:
        UsageError: Names and sets are mixed, or a plan cannot be applied with others.
        BundleRefused: A sealed plan is not there, not whole, or not approved.
        Interrupted: It was asked to stop.
    """
    location = Location.of(project_dir)
    chosen = _chosen(location, names, stacks, every=every)
    check_digests(chosen, digests)
    run = SetRun(
        command="apply",
        describe=describe_apply,
        project_dir=project_dir,
        output=output,
        jobs=jobs,
    )
    first = [each for each in chosen.bundles if _makes_roles(location, each)]
    others = [each for each in chosen.bundles if each not in first]
    waves = [[_part(location, each, confirm) for each in wave] for wave in (first, others) if wave]
    done = [
        Outcome(stack=stack, exit_status=EXIT_DONE, data={"bundle": None, "reason": reason})
        for stack, reason in chosen.idle.items()
    ]

    def held(part: Part, before: Sequence[Outcome]) -> Outcome | None:
        return _held(location, part, before)

    return run.run(waves, done=done, go_on=held)


def _chosen(
    location: Location, names: Sequence[str], stacks: Sequence[str], *, every: bool
) -> Chosen:
    if names and (stacks or every):
        raise UsageError(
            "Sealed plans are named, so no deployments are",
            field="--all" if every else "--stack",
            fix="leave it out, or leave the names out",
        )
    if names:
        return named(location, names)
    known = [stack.name for stack in last_stacks(location)]
    return newest_of(location, choose_several(stacks, known, every=every))


def _makes_roles(location: Location, bundle: Bundle) -> bool:
    return location.settings(bundle.manifest.facts.stack).bootstrap == "prerequisites"


def _part(location: Location, bundle: Bundle, confirm: Sequence[str]) -> Part:
    stack = bundle.manifest.facts.stack
    words = [
        "apply",
        str(bundle.path.absolute()),
        # What was chosen, and not what another command may put in its place meanwhile.
        f"--expect-sha256={bundle.sha256}",
        f"--project-dir={location.project_dir}",
    ]
    return Part(
        stack=stack, words=[*words, *option_words("--confirm", [stack] * (stack in confirm))]
    )


def _held(location: Location, part: Part, before: Sequence[Outcome]) -> Outcome | None:
    account = location.settings(part.stack).account
    for outcome in before:
        settings = location.settings(outcome.stack)
        alike = account is None or settings.account in (account, None)
        if outcome.exit_status and settings.bootstrap == "prerequisites" and alike:
            line = f"Not begun: {outcome.stack} makes the roles that it needs, and was not applied."
            return Outcome(
                stack=part.stack,
                exit_status=outcome.exit_status,
                problem=Problem(code="not_begun", message=line),
            )
    return None
