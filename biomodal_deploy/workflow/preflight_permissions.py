"""What a synthesized stack's life cycle calls, compiled, as questions to IAM's simulator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from biomodal_deploy.aws.preflight.checks.permissions import Need, Needed, NeededActions
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.iam.evaluate import Request
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import given_values


def needed_by(directory: Path, values: Mapping[str, JsonValue]) -> NeededActions:
    """Return what tells the actions that a stack needs, once the account is known.

    Args:
        directory: The synthesized stack.
        values: Its variables' values.
    """

    def needed(target: Target, *, account: str) -> Needed:  # noqa: ARG001 - the values hold it
        from biomodal_deploy.iam.permissions import StackPermissions
        from biomodal_deploy.iam.probes import wanted

        permissions = StackPermissions(directory, values, account)
        needs = permissions.needs
        requests = (each for need in needs.items for each in wanted(need, needs.place))
        return Needed(needs=merged(requests), gaps=needs.gaps)

    return needed


def read_needed(
    location: Location,
    name: str,
    var_files: Sequence[Path] = (),
    variables: Sequence[str] = (),
    *,
    cwd: Path | None = None,
) -> NeededActions | None:
    """Return the same for a project's stack as it was last synthesized; None where never.

    Args:
        location: The project.
        name: The stack.
        var_files: `--var-file`, in order.
        variables: `--var`, in order.
        cwd: What relative paths start from.

    Raises:
        UsageError: A variable is missing, unknown or wrong.
    """
    stack = Stack(location=location, name=name, directory=location.output / "stacks" / name)
    if not (stack.directory / "cdk.tf.json").is_file():
        return None
    given = given_values(stack, var_files, variables, cwd or Path.cwd())
    values: dict[str, JsonValue] = json.loads(to_json(given.resolved.values))
    return needed_by(stack.directory, values)


@dataclass
class _Question:
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)
    actions: set[str] = field(default_factory=set)

    def fits(self, request: Request) -> bool:
        """Return whether a request can be asked in the same breath.

        That tells an action more than its own request would. So no key may differ, and none may
        be new to an action that AWS fills it in for: a policy could hang on it.
        """
        ours, theirs = self.context, request.context
        return (
            all(ours.get(key, value) == value for key, value in theirs.items())
            and not any(_reads(each, theirs.keys() - ours.keys()) for each in self.actions)
            and not _reads(request.action, ours.keys() - theirs.keys())
        )

    def add(self, request: Request) -> None:
        self.context.update(request.context)
        self.actions.add(request.action)


def merged(requests: Iterable[Request]) -> tuple[Need, ...]:
    """Return few questions for many requests: each is a call of IAM's, and those are slow.

    Requests about one resource share a question where that tells no action anything that its
    policies may ask about.
    """
    by_resource: dict[str, list[_Question]] = {}
    for request in requests:
        questions = by_resource.setdefault(request.resource, [])
        question = next((each for each in questions if each.fits(request)), None)
        if question is None:
            question = _Question()
            questions.append(question)
        question.add(request)
    alike: dict[tuple[frozenset[str], tuple[tuple[str, tuple[str, ...]], ...]], list[str]] = {}
    for resource, questions in by_resource.items():
        for question in questions:
            key = (frozenset(question.actions), tuple(sorted(question.context.items())))
            alike.setdefault(key, []).append(resource)
    return tuple(
        # A key without values is known to be absent.
        Need(
            tuple(sorted(actions)),
            tuple(resources),
            {key: values for key, values in context if values},
        )
        for (actions, context), resources in alike.items()
    )


def _reads(action: str, keys: Iterable[str]) -> bool:
    from biomodal_deploy.iam import facts

    known = facts.action(action)
    return known is None or any(known.condition_key_known(key) for key in keys)
