"""What has to exist before Terraform starts, and the command that creates it.

Terraform finds out by itself, half a minute later and in words of its own: "no file exists", "S3
bucket does not exist".
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.identity import is_ours
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.wanted_bucket import bucket_of_backend

_NOT_THERE: Final = ("404", "NoSuchBucket")


def require_public_key(stack: Stack, values: Mapping[str, object]) -> None:
    """Refuse to start without the VM's public key, where the stack reads it from a file."""
    settings = stack.location.stacks.get(stack.name)
    if settings is None or settings.bootstrap != "native" or values.get("ssh_public_key"):
        return
    if settings.profile == "hardened" and not values.get("ssh_cidr_blocks"):
        return  # Session Manager only: no key pair is made
    name = values.get("vm_name")
    home = stack.location.environment.get("HOME")
    if not isinstance(name, str) or not home:
        return
    file = Path(home) / ".ssh" / f"{name}.pub"
    if not file.exists():
        raise UsageError(
            f"no public key for the VM: ssh_public_key is empty and {file} does not exist",
            field="ssh_public_key",
            fix=f"run biomodal-aws keygen {name}, or set ssh_public_key",
        )


def require_state_bucket(stack: Stack) -> None:
    """Refuse to start where the bucket of the state does not exist.

    No answer is no refusal: the backend may use another profile or role than this process.
    """
    named = bucket_of_backend(stack.location, stack.name, stack.settings)
    if not (named and named.bucket and is_ours(stack.location.environment)):
        return

    region = named.region or "us-east-1"
    try:
        Clients(open_session(region), region).s3().head_bucket(Bucket=named.bucket)
    except ClientError as error:
        if code_of(error) not in _NOT_THERE:
            return
    except (BotoCoreError, UsageError):
        return
    else:
        return
    raise UsageError(
        f"the state bucket {named.bucket} does not exist",
        field=f"backend of {stack.name}",
        fix=f"run biomodal-aws backend create --stack {stack.name}",
    )
