"""From a project on disk to what is checked of the account, and the permissions that it needs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import JsonValue

from biomodal_deploy.aws.buckets import read_object
from biomodal_deploy.aws.checks import Unavailable, ask_once
from biomodal_deploy.aws.preflight.caller import ActionGroup, Needed, NeededActions
from biomodal_deploy.aws.preflight.target import Target, target_from
from biomodal_deploy.aws.resources import owned_by
from biomodal_deploy.config.backends import LocalBackend, S3Backend, locks_in_s3
from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.tfvars import DeclaredVariable
from biomodal_deploy.config.tfvars.types import parse_type
from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE, state_object, state_path
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.iam.evaluate import Request
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.lost_state import require_state
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import local_state_of
from biomodal_deploy.workflow.terraform_setup import workspace_of
from biomodal_deploy.workflow.variables import given_values, resolve_for
from biomodal_deploy.workflow.wanted_bucket import BucketOptions, wanted_bucket


def read_target(
    location: Location,
    settings: StackSettings,
    var_files: Sequence[Path] = (),
    variables: Sequence[str] = (),
    *,
    cwd: Path | None = None,
) -> Target:
    """Return what to check for a stack, from its variables; no synthesis is needed.

    Raises:
        UsageError: A variable is missing, unknown or wrong.
    """
    if settings.bootstrap == "prerequisites":
        raise UsageError(
            "makes what the checks look for",
            field="bootstrap",
            value=settings.bootstrap,
            fix="name another stack with --stack",
        )
    if settings.bootstrap == "state-bucket":
        raise UsageError(
            "makes a bucket for states, which has a check of its own",
            field="bootstrap",
            value=settings.bootstrap,
            fix="run biomodal-aws backend check",
        )
    contract = {
        variable.name: variable
        for variable in variables_of(
            settings.bootstrap,
            settings.profile,
            open_ssh=settings.open_ssh_waiver is not None,
        )
    }
    resolved = resolve_for(
        location,
        settings,
        {
            name: DeclaredVariable(
                name=name, type=parse_type(variable.type), required=variable.default is None
            )
            for name, variable in contract.items()
        },
        var_files=var_files,
        variables=variables,
        cwd=cwd,
        checks=lambda name, value: contract[name].broken_rule(value),
    )
    target = target_from(
        resolved.values, settings.bootstrap, settings.bounds, profile=settings.profile
    )
    return replace(target, kms_key=settings.kms_key_arn, bucket_key=settings.bucket_kms_key_arn)


def read_owned(location: Location, name: str) -> frozenset[str] | None:
    """Return what a stack's state holds; None where it cannot be read from here.

    Nothing has to be synthesized or initialized for it: in a fresh checkout, too, what the
    stack has made itself must not be called somebody else's.

    Raises:
        StateLost: missing, and something was applied.
    """
    stack = Stack.at(location, name)
    workspace = workspace_of(stack)
    content = _read_state(stack, workspace)
    if content is None:
        return None
    owned = owned_by(content) if isinstance(content, dict) else frozenset()
    if not owned:
        # What the stack has made itself would be advised to be deleted.
        require_state(stack, workspace, None)
    return owned


def _read_state(stack: Stack, workspace: str) -> object:
    """Return a state as data, an empty one where there is none; None where that is unknown."""
    backend = stack.settings.backend
    if isinstance(backend, LocalBackend):
        path = local_state_of(stack)
        if workspace != DEFAULT_WORKSPACE:
            path = stack.directory / state_path({}, workspace)
        try:
            return _parse(read_regular(path) if path.exists() else b"", str(path))
        except OSError as error:
            raise _unreadable(error, str(path)) from None
    if isinstance(backend, S3Backend) and (backend.profile or backend.assume_role):
        return None  # other credentials than those that the account is checked with
    if not locks_in_s3(backend):
        return None
    try:
        wanted = wanted_bucket(stack.location, BucketOptions(stack=stack.name))
        settings = {"bucket": wanted.bucket, "key": wanted.keys[stack.name]}
        place = state_object(settings, workspace)
        content = ask_once(
            wanted.region, lambda clients: read_object(clients, place.bucket, place.key)
        )
    except (Unavailable, UsageError):
        return None
    return _parse(content, str(place))


def _parse(content: bytes, where: str) -> object:
    try:
        return json.loads(content) if content.strip() else {}
    except ValueError as error:
        raise _unreadable(error, where) from None


def _unreadable(error: Exception, where: str) -> UsageError:
    return UsageError(
        f"cannot be read as a state file ({error})",
        field=where,
        fix="restore it from a backup, or a former version of it",
    )


def needed_by(directory: Path, values: Mapping[str, JsonValue]) -> NeededActions:
    """Return what tells the actions that a stack needs, once the account is known."""

    def needed(target: Target, account: str) -> Needed:  # noqa: ARG001 - the values hold it
        from biomodal_deploy.iam.permissions import StackPermissions
        from biomodal_deploy.iam.probes import wanted

        permissions = StackPermissions(directory, values, account)
        needs = permissions.needs
        requests = (each for need in needs.items for each in wanted(need, needs.place))
        return Needed(groups=group_requests(requests), gaps=needs.gaps)

    return needed


def read_needed(
    location: Location,
    name: str,
    var_files: Sequence[Path] = (),
    variables: Sequence[str] = (),
) -> NeededActions | None:
    """Return the same for a project's stack as it was last synthesized; None where never.

    Raises:
        UsageError: A variable is missing, unknown or wrong.
    """
    stack = Stack.at(location, name)
    if not (stack.directory / "cdk.tf.json").is_file():
        return None
    given = given_values(stack, var_files, variables, Path.cwd())
    values: dict[str, JsonValue] = json.loads(to_json(given.resolved.values))
    return needed_by(stack.directory, values)


@dataclass
class _Group:
    context: dict[str, tuple[str, ...]] = field(default_factory=dict)
    actions: set[str] = field(default_factory=set)

    def fits(self, request: Request) -> bool:
        """Return whether a request can be asked with the others.

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


def group_requests(requests: Iterable[Request]) -> tuple[ActionGroup, ...]:
    """Return few groups for many requests: each is a call of IAM's, and those are slow.

    Requests about one resource share a group where that tells no action anything that its
    policies may ask about.
    """
    by_resource: dict[str, list[_Group]] = {}
    for request in requests:
        groups = by_resource.setdefault(request.resource, [])
        group = next((each for each in groups if each.fits(request)), None)
        if group is None:
            group = _Group()
            groups.append(group)
        group.add(request)
    alike: dict[tuple[frozenset[str], tuple[tuple[str, tuple[str, ...]], ...]], list[str]] = {}
    for resource, groups in by_resource.items():
        for group in groups:
            key = (frozenset(group.actions), tuple(sorted(group.context.items())))
            alike.setdefault(key, []).append(resource)
    return tuple(
        # A key without values is known to be absent.
        ActionGroup(
            tuple(sorted(actions)),
            tuple(resources),
            {key: values for key, values in context if values},
        )
        for (actions, context), resources in alike.items()
    )


def _reads(action: str, keys: Iterable[str]) -> bool:
    from biomodal_deploy.iam import iam_reference

    known = iam_reference.action(action)
    return known is None or any(known.condition_key_known(key) for key in keys)
