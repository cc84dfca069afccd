"""From a project on disk to what is checked: its settings, its variables, its state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from biomodal_deploy.aws.buckets import read_object
from biomodal_deploy.aws.checks import Unavailable, ask_once
from biomodal_deploy.aws.preflight.target import Target, target_from
from biomodal_deploy.aws.resources import owned_by
from biomodal_deploy.config.backends import LocalBackend, S3Backend, locks_in_s3
from biomodal_deploy.config.contract import Variable, variables_of
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.tfvars import DeclaredVariable
from biomodal_deploy.config.tfvars.types import parse_type
from biomodal_deploy.engine.terraform.local_state import (
    DEFAULT_WORKSPACE,
    state_object,
    state_path,
)
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.workflow.engine import workspace_of
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.lost_state import require_state
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import local_state_of
from biomodal_deploy.workflow.variables import resolve_for
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

    Args:
        location: The project.
        settings: The stack's settings.
        var_files: `--var-file`, in order.
        variables: `--var`, in order.
        cwd: What relative paths start from.

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
        {name: _declared(variable) for name, variable in contract.items()},
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
        UsageError: It is no state file.
        StateLost: missing, and something was applied.
    """
    stack = Stack(location=location, name=name, directory=location.output / "stacks" / name)
    workspace = workspace_of(stack)
    content = _content(stack, workspace)
    if content is None:
        return None
    owned = owned_by(content) if isinstance(content, dict) else frozenset()
    if not owned:
        # What the stack has made itself would be advised to be deleted.
        require_state(stack, workspace, None)
    return owned


def _content(stack: Stack, workspace: str) -> object:
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


def _declared(variable: Variable) -> DeclaredVariable:
    return DeclaredVariable(
        name=variable.name, type=parse_type(variable.type), required=variable.default is None
    )
