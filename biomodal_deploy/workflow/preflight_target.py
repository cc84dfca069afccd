"""From a project on disk to what is checked: its settings, its variables, its state."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from biomodal_deploy.aws.preflight.target import Target, target_from
from biomodal_deploy.aws.resources import owned_by
from biomodal_deploy.config.contract import Variable, variables_of
from biomodal_deploy.config.settings import Deployment
from biomodal_deploy.config.tfvars import DeclaredVariable
from biomodal_deploy.config.tfvars.type_syntax import parse_type
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.engine import DEFAULT_WORKSPACE
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.lost_state import require_state
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.synthesized import read_stack
from biomodal_deploy.workflow.variables import resolve_for


def read_target(
    location: Location,
    deployment: Deployment,
    var_files: Sequence[Path] = (),
    variables: Sequence[str] = (),
    *,
    cwd: Path | None = None,
) -> Target:
    """Return what to check for a deployment, from its variables; no synthesis is needed.

    Args:
        location: The project.
        deployment: The deployment's settings.
        var_files: `--var-file`, in order.
        variables: `--var`, in order.
        cwd: What relative paths start from.

    Raises:
        UsageError: A variable is missing, unknown or wrong.
    """
    if deployment.bootstrap == "prerequisites":
        raise UsageError(
            "It makes what the checks look for",
            field="bootstrap",
            value=deployment.bootstrap,
            fix="name another deployment with --stack",
        )
    if deployment.bootstrap == "state-bucket":
        raise UsageError(
            "It makes a bucket for states, which has a check of its own",
            field="bootstrap",
            value=deployment.bootstrap,
            fix="run biomodal-aws backend check",
        )
    contract = {
        variable.name: variable
        for variable in variables_of(
            deployment.bootstrap,
            deployment.profile,
            open_ssh=deployment.open_ssh_waiver is not None,
        )
    }
    resolved = resolve_for(
        location,
        deployment,
        {name: _declared(variable) for name, variable in contract.items()},
        var_files=var_files,
        variables=variables,
        cwd=cwd,
        checks=lambda name, value: contract[name].broken_rule(value),
    )
    return target_from(
        resolved.values, deployment.bootstrap, deployment.bounds, profile=deployment.profile
    )


def read_owned(location: Location, deployment: str) -> frozenset[str]:
    """Return what a deployment's state holds, where it lies on this machine; else nothing.

    Raises:
        UsageError: It is no state file.
        StateLost: It is missing, and something was applied.
    """
    directory = location.output / "stacks" / deployment
    if not (directory / "cdk.tf.json").exists():
        return frozenset()
    match read_stack(directory).backend:
        case {"local": {"path": str(path)}}:
            owned = _read_state(directory / path)
            if not owned:
                # What the deployment has made itself would be advised to be deleted.
                stack = Stack(location=location, name=deployment, directory=directory)
                require_state(stack, DEFAULT_WORKSPACE, None)
            return owned
    return frozenset()


def _read_state(path: Path) -> frozenset[str]:
    try:
        state = json.loads(path.read_bytes())
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"It cannot be read as a state file ({error})",
            field=str(path),
            fix="restore it from the backup beside it",
        ) from None
    return owned_by(state) if isinstance(state, dict) else frozenset()


def _declared(variable: Variable) -> DeclaredVariable:
    return DeclaredVariable(
        name=variable.name, type=parse_type(variable.type), required=variable.default is None
    )
