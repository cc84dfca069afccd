"""A stack's backend before Terraform is initialized: what it lacks, what was left behind."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.identity import is_ours
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.config.backends import LOCKING_SINCE, LocalBackend, PartialBackend, local_path
from biomodal_deploy.config.credentials import (
    credential_refusal,
    credentials_in,
    refuse_credentials,
)
from biomodal_deploy.config.settings import OUTDIR_VARIABLE, SCRATCH_VARIABLE
from biomodal_deploy.config.tfvars.files import read_file, shown
from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE, state_path
from biomodal_deploy.engine.toolchain.tool import numbers
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.plan.sealed import SealedPlan, sealed_plans
from biomodal_deploy.workflow.journal import read_journal
from biomodal_deploy.workflow.location import Notice, refuse_outside_scratch
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import holdings, local_state_of
from biomodal_deploy.workflow.wanted_bucket import bucket_of_backend

# Settings that would lead an S3 backend past the sandbox's own endpoint.
_ENDPOINTS: Final = frozenset({"endpoint", "endpoints"})
_NOT_THERE: Final = ("404", "NoSuchBucket")
_NEVER_OFF: Final = {
    "use_lockfile": ("locked", "it is true where it is left out"),
    "encrypt": ("encrypted", "the bucket's own encryption holds where it is left out"),
}
_MOVED: Final = {
    "role_arn": "assume_role = { role_arn = ... }",
    "session_name": "assume_role = { session_name = ... }",
    "external_id": "assume_role = { external_id = ... }",
    "assume_role_duration_seconds": "assume_role = { duration = ... }",
    "assume_role_policy": "assume_role = { policy = ... }",
    "assume_role_policy_arns": "assume_role = { policy_arns = ... }",
    "assume_role_tags": "assume_role = { tags = ... }",
    "assume_role_transitive_tag_keys": "assume_role = { transitive_tag_keys = ... }",
}


def config_files(stack: Stack) -> tuple[Path, ...]:
    """Return the files of a partial configuration, in order; none for another backend."""
    backend = stack.settings.backend
    if not isinstance(backend, PartialBackend):
        return ()
    return tuple(stack.location.project_dir / name for name in backend.config_files)


def check_config_files(stack: Stack) -> None:
    """Refuse a file of a partial configuration that cannot be read or that holds a credential.

    Terraform writes what it is told there, or in the backend block of another app, into
    `.terraform`, and every plan file repeats it.

    Raises:
        UsageError: missing, malformed, or holds a credential.
    """
    refuse_credentials(stack.synthesized.backend, f"{stack.name}: terraform.backend")
    written: dict[str, object] = {}
    for path in config_files(stack):
        # The same syntax as that of a variable file: plain values, and no blocks.
        found = read_file(path).attributes
        for name in credentials_in({name: each.value for name, each in found.items()}):
            raise credential_refusal(f"{shown(path)}: {name}")
        if stack.settings.backend.kind == "partial" and stack.settings.backend.type == "s3":
            _check_s3_file(path, {name: each.value for name, each in found.items()})
            written |= {name: each.value for name, each in found.items()}
    if written.get("kms_key_id") and not written.get("encrypt"):
        raise UsageError(
            "Terraform uses the key only where encrypt = true is set too",
            field=f"{shown(config_files(stack)[-1])}: kms_key_id",
            value=written["kms_key_id"],
            fix="add encrypt = true beside it",
        )


def _check_s3_file(path: Path, settings: Mapping[str, object]) -> None:
    """Refuse what leaves a state in S3 unlocked or unencrypted, and names Terraform has dropped."""
    for name, (what, otherwise) in _NEVER_OFF.items():
        if str(settings.get(name, "")).lower() in ("false", "0"):
            raise UsageError(
                f"the state must be {what}",
                field=f"{shown(path)}: {name}",
                value=False,
                fix=f"remove it: {otherwise}",
            )
    for name in settings:
        if place := _MOVED.get(name):
            raise UsageError(
                f"Terraform's S3 backend takes this inside {place.partition(' ')[0]}",
                field=f"{shown(path)}: {name}",
                fix=f"write {place}",
            )


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
    """Refuse to work with a new backend while the old one's state is still to be moved.

    Terraform itself warns only where `.terraform` remembers the old backend. In a fresh checkout
    or after `cdktf.out` was cleared it would plan to make everything a second time.

    Raises:
        UsageError: A local state still holds resources, or a move was begun and not finished.
    """
    if read_journal(stack):
        raise UsageError(
            "Moving the state was begun, and is not finished",
            field=f"backend of {stack.name}",
            fix=f"run biomodal-aws backend migrate --stack {stack.name}, which goes on",
        )
    if isinstance(stack.settings.backend, LocalBackend):
        _check_output_folder(stack)
        return
    path = local_state_of(stack)
    if holds := holdings(path):
        raise UsageError(
            f"The state is to be elsewhere now, and {shown(path)} still holds {holds}",
            field=f"backend of {stack.name}",
            value=stack.settings.backend.kind,
            fix=f"run biomodal-aws backend migrate --stack {stack.name}",
        )


def check_rehearsed(stack: Stack) -> None:
    """Refuse a rehearsal on a state that is not its own.

    Stacks get one of their own with the scratch copy. The backends of another app are as it
    writes them.

    Raises:
        UsageError: It is a rehearsal, and the state would be another one's.
    """
    environment = stack.location.environment
    block = stack.synthesized.backend
    if SCRATCH_VARIABLE not in environment or not isinstance(block, dict):
        return
    for kind, settings in block.items():
        found = settings if isinstance(settings, dict) else {}
        field = f"backend of {stack.name}"
        if kind == "local":
            for name in ("path", "workspace_dir"):
                path = stack.directory / str(found.get(name) or "")
                refuse_outside_scratch(path, environment, f"{field}: {name}")
        elif kind != "s3" or _ENDPOINTS.intersection(found):
            raise UsageError(
                "the sandbox cannot stand in for this backend, and a rehearsal must not change a "
                "real state",
                field=field,
                value=kind,
                fix="use a local backend for the rehearsal",
            )


def warn_state_in_output(stack: Stack, workspace: str) -> None:
    """Say where a state lies in the output folder: whoever clears that would lose it unwarned."""
    settings = stack.synthesized.backend_settings("local")
    if workspace == DEFAULT_WORKSPACE or settings is None or settings.get("workspace_dir"):
        return
    # Terraform takes the backend's path for the workspace `default` alone.
    folder = shown(stack.directory / state_path({}, workspace).parent)
    stack.on_event(
        Notice(
            f"The state of the workspace {workspace} lies in {folder}: do not clear "
            "the output folder, or use a stack of its own in place of the workspace"
        )
    )


def _check_output_folder(stack: Stack) -> None:
    # A local state lies beside the output folder: another folder means another state.
    here = local_state_of(stack)
    if here.exists():
        return
    usual = (stack.location.project_dir / "state" / here.name).resolve()
    back = f"leave {OUTDIR_VARIABLE} and `output` of cdktf.json out"
    for state, how in {**_states_of_plans(stack), usual: back}.items():
        if state == here or not (holds := holdings(state)):
            continue
        raise UsageError(
            f"With this output folder the state would be {here}, and {shown(state)} holds {holds}",
            field=OUTDIR_VARIABLE,
            value=str(stack.location.output),
            fix=f"{how}, or copy the state there",
        )


def _states_of_plans(stack: Stack) -> dict[Path, str]:
    """Return where earlier plans had their local states, and how to go back there."""
    states = {}
    for path in sealed_plans(stack.location.plans, stack.name):
        with suppress(SealedPlanRefused):
            directory = stack.location.project_dir / SealedPlan.load(path).manifest.facts.directory
            output = directory.resolve().parents[1]
            state = (directory / local_path(stack.name)).resolve()
            states[state] = f"set {OUTDIR_VARIABLE} to {output} as for the plan {path.name}"
    return states


def require_public_key(stack: Stack, values: Mapping[str, object]) -> None:
    """Refuse to start without the VM's public key, where the stack reads it from a file.

    Raises:
        UsageError: The file does not exist.
    """
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

    Raises:
        UsageError: S3 says that there is no such bucket.
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
