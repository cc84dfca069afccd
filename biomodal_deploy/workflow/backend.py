"""A deployment's backend before Terraform is initialized: what it lacks, what was left behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy.backends import (
    LOCKING_SINCE,
    LocalBackend,
    PartialBackend,
    credential_refusal,
    credentials_in,
    local_path,
)
from biomodal_deploy.errors import UsageError
from biomodal_deploy.terraform import TerraformCli
from biomodal_deploy.toolchain.tool import numbers
from biomodal_deploy.var_files.files import read_file, shown
from biomodal_deploy.words import counted
from biomodal_deploy.workflow.stack import Stack

_BACKEND_FILE: Final = "backend.config_files"


def config_files(stack: Stack) -> tuple[Path, ...]:
    """Return the files of a partial configuration, in order; none for another backend."""
    backend = stack.settings.backend
    if not isinstance(backend, PartialBackend):
        return ()
    return tuple(stack.location.project_dir / name for name in backend.config_files)


def check_config_files(stack: Stack) -> None:
    """Refuse a file of a partial configuration that cannot be read or that holds a credential.

    Terraform writes what it is told there into `.terraform`, and every plan file repeats it.

    Raises:
        UsageError: It is missing, malformed, or holds a credential.
    """
    for path in config_files(stack):
        # The same syntax as that of a variable file: plain values, and no blocks.
        found = read_file(path).attributes
        for name in credentials_in({name: each.value for name, each in found.items()}):
            raise credential_refusal(f"{shown(path)}: {name}")


def check_version(stack: Stack, engine: TerraformCli) -> None:
    """Refuse a Terraform that would leave a state in S3 unlocked.

    Raises:
        UsageError: It is too old.
    """
    version = numbers(engine.binary.version)
    settings = stack.synthesized.backend_settings("s3")
    if settings and settings.get("use_lockfile") and version and version < LOCKING_SINCE:
        wanted = ".".join(map(str, LOCKING_SINCE[:2]))
        raise UsageError(
            f"A state in S3 is locked by {wanted} or newer only",
            field=engine.binary.product,
            value=engine.binary.version,
            fix=f"install {wanted} or newer, or name one with BIOMODAL_TERRAFORM (`embedded` is "
            "the one that pip brought)",
        )


def check_nothing_left_behind(stack: Stack) -> None:
    """Refuse to work with a new backend while the old, local state still holds resources.

    Terraform itself warns only where `.terraform` remembers the old backend. In a fresh checkout
    or after `cdktf.out` was cleared it would plan to make everything a second time.

    Raises:
        UsageError: There is such a state.
    """
    if isinstance(stack.settings.backend, LocalBackend):
        return
    path = local_state_of(stack)
    if (count := resources_in(path)) != 0:
        holds = "a state that cannot be read" if count is None else counted(count, "resource")
        raise UsageError(
            f"The state is to be elsewhere now, and {shown(path)} still holds {holds}",
            field=f"backend of {stack.name}",
            value=stack.settings.backend.kind,
            fix=f"run biomodal-aws backend migrate --stack {stack.name}",
        )


def local_state_of(stack: Stack) -> Path:
    """Return where a deployment's state lies while its backend is local."""
    return (stack.directory / local_path(stack.name)).resolve()


def resources_in(state: Path) -> int | None:
    """Return how many resources a state file holds; None where it is no state.

    A file that is missing or empty holds none: Terraform leaves an empty one beside a lock.
    """
    try:
        content = state.read_bytes()
    except FileNotFoundError:
        return 0
    except OSError:
        return None
    if not content.strip():
        return 0
    try:
        document = json.loads(content)
    except ValueError:
        return None
    resources = document.get("resources") if isinstance(document, Mapping) else None
    return len(resources) if isinstance(resources, list) else None
