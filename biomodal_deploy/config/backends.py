"""Where a stack's state lives, as typed, frozen settings without credentials.

What stands here reaches the synthesized JSON, Terraform's `.terraform` folder and every plan file.
So it names a bucket, a workspace, a role, and never a key or a token: those come from the
environment, a profile or a role. A bucket that keeps states has its settings here too.

Sources: Amazon S3 user guide, "General purpose bucket naming rules"; AWS KMS developer guide,
"Key identifiers (KeyId)".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from biomodal_deploy.config.contract import aws
from biomodal_deploy.errors import UsageError

LOCKING_SINCE: Final = (1, 10, 0)
"""The first Terraform, and OpenTofu, that locks an S3 state without a table beside it."""

_BUCKET: Final = f"^{aws.BUCKET}$"
_REGION: Final = f"^{aws.REGION}$"
_KEY: Final = r"^[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*$"
_ROLE: Final = rf"^arn:aws[a-z-]*:iam::{aws.ACCOUNT}:role/[A-Za-z0-9_+=,.@/-]+$"
_WORD: Final = r"^[A-Za-z0-9_-]+$"
_HOST: Final = r"^[A-Za-z0-9.-]+(:[0-9]+)?$"
_KMS_KEY: Final = (
    rf"^(arn:aws[a-z-]*:kms:[a-z0-9-]+:{aws.ACCOUNT}:(key/{aws.KMS_KEY_ID}|alias/[A-Za-z0-9/_-]+)"
    rf"|{aws.KMS_KEY_ID}|alias/[A-Za-z0-9/_-]+)$"
)
_KMS_KEY_RULE: Final = "A KMS key is written as its id, its ARN, or its alias (alias/NAME)"
PATTERNS: Final = {
    _BUCKET: "A bucket's name has 3 to 63 lower-case letters, digits, hyphens and dots",
    _REGION: aws.REGION_RULE,
    _KEY: "A key is a path of letters, digits and !_.*'()- without a slash at either end",
    _ROLE: "A role is written as its ARN: arn:aws:iam::123456789012:role/NAME",
    _WORD: "A name has letters, digits, hyphens and underscores",
    _HOST: "A host name is written without https:// and without a path",
    _KMS_KEY: _KMS_KEY_RULE,
}


class Frozen(BaseModel, frozen=True, extra="forbid", strict=True):
    """Settings: nothing in them is unknown, and no text is taken for a number."""


def _inside_the_project(path: str) -> str:
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise ValueError("A file of a partial configuration lies in the project's folder")
    return path


_Text = Annotated[str, StringConstraints(min_length=1)]
_File = Annotated[_Text, AfterValidator(_inside_the_project)]


def _not_reserved(name: str) -> str:
    if problem := aws.bucket_name_problem(name):
        raise ValueError(problem)
    return name


class LocalBackend(Frozen):
    """A file on this machine: `state/NAME.tfstate` beside `cdktf.out`."""

    kind: Literal["local"] = "local"


class AssumeRole(Frozen):
    """A role that the state is read and written with.

    Attributes:
        role_arn: The role.
        session_name: What its sessions are called in CloudTrail.
        external_id: What the role's trust asks for; no secret.
    """

    role_arn: Annotated[str, StringConstraints(pattern=_ROLE)]
    session_name: Annotated[str, StringConstraints(pattern=_WORD, max_length=64)] | None = None
    external_id: _Text | None = None


class S3Backend(Frozen):
    """An S3 bucket, always locked by S3 itself, and encrypted as the bucket is by default.

    Attributes:
        bucket: The bucket.
        key: The object; `NAME/terraform.tfstate` where None.
        region: The bucket's region, which need not be the stack's.
        kms_key_id: The KMS key to encrypt with; the bucket's default encryption where None.
        profile: The profile of the AWS configuration that has access.
        assume_role: The role that has access.
    """

    kind: Literal["s3"]
    bucket: Annotated[str, StringConstraints(pattern=_BUCKET), AfterValidator(_not_reserved)]
    key: Annotated[str, StringConstraints(pattern=_KEY, max_length=1000)] | None = None
    region: Annotated[str, StringConstraints(pattern=_REGION)]
    kms_key_id: _Text | None = None
    profile: _Text | None = None
    assume_role: AssumeRole | None = None

    def key_of(self, stack: str) -> str:
        """Return the object that holds a stack's state."""
        return self.key or f"{stack}/terraform.tfstate"


class CloudBackend(Frozen):
    """A workspace of HCP Terraform or Terraform Enterprise.

    Attributes:
        organization: The organization.
        workspace: The workspace's name; the stack's name where None.
        hostname: Where Terraform Enterprise runs; `app.terraform.io` where None.
    """

    kind: Literal["cloud"]
    organization: Annotated[str, StringConstraints(pattern=_WORD)]
    workspace: Annotated[str, StringConstraints(pattern=_WORD, max_length=90)] | None = None
    hostname: Annotated[str, StringConstraints(pattern=_HOST)] | None = None

    def workspace_of(self, stack: str) -> str:
        """Return the workspace that holds a stack's state."""
        return self.workspace or stack


class PartialBackend(Frozen):
    """A backend whose settings stand in files of their own, passed with `-backend-config`.

    Attributes:
        type: The kind of backend that the files complete.
        config_files: The files, relative to the project; later ones win.
    """

    kind: Literal["partial"]
    type: Literal["s3", "http", "remote", "gcs", "azurerm"] = "s3"
    # Not strict: once spelled out, what was a JSON array is a list.
    config_files: Annotated[tuple[_File, ...], Field(min_length=1, strict=False)]


def _spelled_out(given: object) -> object:
    # "local" has nothing more to say; another word alone is a kind that lacks the rest.
    return {"kind": given} if isinstance(given, str) else given


_Backend: TypeAlias = Annotated[
    LocalBackend | S3Backend | CloudBackend | PartialBackend, Field(discriminator="kind")
]
Backend: TypeAlias = Annotated[
    _Backend, BeforeValidator(_spelled_out, json_schema_input_type=Literal["local"] | _Backend)
]

KINDS: Final[Mapping[str, type[BaseModel]]] = {
    "local": LocalBackend,
    "s3": S3Backend,
    "cloud": CloudBackend,
    "partial": PartialBackend,
}


def local_path(stack: str) -> str:
    """Return a local state's path, relative to the synthesized stack's directory.

    Outside the throw-away output folder, and the same text on every machine.
    """
    return f"../../../state/{stack}.tfstate"


def locks_in_s3(backend: Backend) -> bool:
    """Whether its state is locked by S3 itself, which old versions of Terraform cannot."""
    return isinstance(backend, S3Backend) or (
        isinstance(backend, PartialBackend) and backend.type == "s3"
    )


def place_of_state(backend: Backend, stack: str) -> tuple[str, ...]:
    """Return what two stacks must not share; empty where only Terraform knows it."""
    match backend:
        case S3Backend():
            return ("s3", backend.bucket, backend.key_of(stack))
        case CloudBackend():
            host = backend.hostname or "app.terraform.io"
            return ("cloud", host, backend.organization, backend.workspace_of(stack))
        case PartialBackend():
            return ("partial", backend.type, *backend.config_files)
        case _:
            return ()


def refuse_shared(backends: Iterable[tuple[str, Backend]], source: str) -> None:
    """Refuse two stacks with one state: each would delete what the other has made."""
    owners: dict[tuple[str, ...], str] = {}
    for name, backend in backends:
        place = place_of_state(backend, name)
        if not place:
            continue
        if first := owners.get(place):
            raise UsageError(
                f"also the state of {first} ({':'.join(place)})",
                field=f"{source}: context.stacks.{name}.backend",
                fix="give each stack a key, workspace or file of its own",
            )
        owners[place] = name


STACK_PREFIX: Final = "state-bucket-"
_LONGEST_STACK: Final = 63


def new_bucket_name_problem(name: str) -> str | None:
    """Return the rule that a new bucket's name breaks, or None."""
    if not re.fullmatch(aws.BUCKET, name):
        return (
            "A bucket's name has 3 to 63 lower-case letters, digits and hyphens, and a letter or "
            "digit at both ends"
        )
    if "." in name:
        # AWS's certificate is for one label: over TLS, such a name is reached by detours only.
        kind = "is an IP address" if _is_address(name) else "has a dot"
        return f"The name {kind}, which AWS advises against: TLS to it cannot be verified"
    return aws.bucket_name_problem(name)


def kms_key_problem(key: str) -> str | None:
    """Return the rule that the name of a KMS key breaks, or None."""
    return None if re.fullmatch(_KMS_KEY, key) else _KMS_KEY_RULE


def stack_of(bucket: str) -> str:
    """Return the name of the stack that makes a bucket, where cdktf.json has none.

    Two buckets never share one.
    """
    name = STACK_PREFIX + re.sub("-+", "-", bucket.replace(".", "-"))
    if name.removeprefix(STACK_PREFIX) == bucket and len(name) <= _LONGEST_STACK:
        return name
    digest = hashlib.sha256(bucket.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_STACK - 9].rstrip('-')}-{digest}"


def _nameable(name: str) -> str:
    if problem := new_bucket_name_problem(name):
        raise ValueError(problem)
    return name


class StateBucket(Frozen):
    """A bucket for states.

    Attributes:
        bucket: Its name.
        kms_key_id: The KMS key that it encrypts with by default; Amazon S3's own where None.
        keep_days: For how many days former versions of a state are kept.
        tags: Its tags.
    """

    bucket: Annotated[str, AfterValidator(_nameable)]
    kms_key_id: Annotated[str, StringConstraints(pattern=_KMS_KEY)] | None = None
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 90
    tags: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=128)],
        Annotated[str, StringConstraints(max_length=256)],
    ] = Field(default_factory=dict)


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except ValueError:
        return False
    return True
