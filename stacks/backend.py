"""Where a stack's state lives, as Terraform's backend block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cdktf
from cdktf import TerraformBackend

from biomodal_deploy.config import backends
from biomodal_deploy.config.backends import (
    LOCKING_SINCE,
    AssumeRole,
    Backend,
    CloudBackend,
    LocalBackend,
    PartialBackend,
    S3Backend,
)
from stacks.base import BaseStack

_Maker = Callable[[BaseStack], TerraformBackend]

# Each with placeholders for what cdktf insists on; the files say it, so it is taken out again.
_PARTIAL: Final[Mapping[str, tuple[_Maker, tuple[str, ...]]]] = {
    "s3": (lambda stack: cdktf.S3Backend(stack, bucket="", key=""), ("bucket", "key")),
    "http": (lambda stack: cdktf.HttpBackend(stack, address=""), ("address",)),
    "remote": (
        lambda stack: cdktf.RemoteBackend(
            stack, organization="", workspaces=cdktf.NamedRemoteWorkspace("")
        ),
        ("organization", "workspaces"),
    ),
    "gcs": (lambda stack: cdktf.GcsBackend(stack, bucket=""), ("bucket",)),
    "azurerm": (
        lambda stack: cdktf.AzurermBackend(
            stack, storage_account_name="", container_name="", key=""
        ),
        ("storage_account_name", "container_name", "key"),
    ),
}


def declare_backend(stack: BaseStack, backend: Backend) -> None:
    """Declare where a stack's state lives.

    Args:
        backend: Its stack's setting.
    """
    name = stack.node.id
    match backend:
        case LocalBackend():
            # Without a backend, cdktf writes the absolute path of this checkout into the JSON.
            cdktf.LocalBackend(stack, path=backends.local_path(name))
        case S3Backend():
            declared = cdktf.S3Backend(
                stack,
                bucket=backend.bucket,
                key=backend.key_of(name),
                region=backend.region,
                # Without a key, `encrypt = true` asks S3 for AES256, past the bucket's own default
                # (Terraform, internal/backend/remote-state/s3/client.go). Without `encrypt`, the
                # key is not used at all.
                encrypt=True if backend.kms_key_id else None,
                kms_key_id=backend.kms_key_id,
                profile=backend.profile,
                assume_role=_role(backend.assume_role) if backend.assume_role else None,
            )
            _lock_in_s3(stack, declared)
        case CloudBackend():
            cdktf.CloudBackend(
                stack,
                organization=backend.organization,
                workspaces=cdktf.NamedCloudWorkspace(backend.workspace_of(name)),
                hostname=backend.hostname,
            )
            # The first that saves a plan of a workspace's.
            stack.require_terraform(">= 1.6")
        case PartialBackend():
            _declare_partial(stack, backend)


def _declare_partial(stack: BaseStack, backend: PartialBackend) -> None:
    make, placeholders = _PARTIAL[backend.type]
    declared = make(stack)
    for placeholder in placeholders:
        declared.add_override(placeholder, None)
    if backends.locks_in_s3(backend):
        _lock_in_s3(stack, declared)


def _lock_in_s3(stack: BaseStack, declared: TerraformBackend) -> None:
    # cdktf 0.21 knows only the lock table, which Terraform has deprecated.
    declared.add_override("use_lockfile", True)
    major, minor, _ = LOCKING_SINCE
    stack.require_terraform(f">= {major}.{minor}")


def _role(role: AssumeRole) -> cdktf.S3BackendAssumeRoleConfig:
    return cdktf.S3BackendAssumeRoleConfig(
        role_arn=role.role_arn, session_name=role.session_name, external_id=role.external_id
    )
