"""One stack's settings, as a typed, frozen object.

The app takes from it what to synthesize; the workflow takes what to guard. One model holds both, so
that a misspelt key is found whichever program runs first.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from biomodal_deploy.config import backends
from biomodal_deploy.config.backends import Backend, Frozen, LocalBackend, S3Backend, StateBucket
from biomodal_deploy.config.contract import aws

_NAME: Final = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
_ACCOUNT: Final = f"^{aws.ACCOUNT}$"
_REGION: Final = f"^{aws.REGION}$"
# No absolute path and no ~: the file is shared by people whose folders differ.
_PROJECT_FILE: Final = r"^[^/~\x00\n]"
_REMOTE: Final = rf"^s3://{aws.BUCKET}(/[A-Za-z0-9!_.*'()-]+)*/?$"
_KMS_KEY_ARN: Final = f"^{aws.KMS_KEY_ARN}$"
_BUCKET: Final = f"^{aws.BUCKET}$"
PATTERNS: Final = {
    _NAME: "A stack's name has lower-case letters, digits and single hyphens between them, "
    "and starts with a letter",
    _ACCOUNT: aws.ACCOUNT_RULE,
    **backends.PATTERNS,
    _REMOTE: "It is a bucket and a prefix in it: s3://lab-history/biomodal",
    _KMS_KEY_ARN: aws.KMS_KEY_ARN_RULE,
    _PROJECT_FILE: "The path of a file starts from the project's folder",
}

# A stack's name is a directory, part of an address on screen, and a state file's name.
StackName = Annotated[str, StringConstraints(pattern=_NAME, max_length=63)]

PROTECTED_KINDS: Final = (
    "aws_s3_bucket",
    "aws_ecr_repository",
    "aws_eip",
    "aws_key_pair",
    "aws_iam_role",
    "aws_instance",
)


_KmsKeyArn = Annotated[str, StringConstraints(pattern=_KMS_KEY_ARN)]


def _listed(given: object) -> object:
    # One alone needs no list around it.
    if given is None:
        return ()
    return given if isinstance(given, list | tuple) else (given,)


_Account = Annotated[str, StringConstraints(pattern=_ACCOUNT)]
_Accounts = Annotated[
    tuple[_Account, ...],
    # Not strict: once listed, what was a JSON array is a list.
    Field(strict=False),
    BeforeValidator(_listed, json_schema_input_type=_Account | tuple[_Account, ...] | None),
]
_Region = Annotated[str, StringConstraints(pattern=_REGION)]
_Regions = Annotated[
    tuple[_Region, ...],
    Field(strict=False),
    BeforeValidator(_listed, json_schema_input_type=_Region | tuple[_Region, ...] | None),
]


class Limits(Frozen):
    """What a plan of this stack must stay within.

    Attributes:
        max_deletes: The most resources one plan may delete, a destroy plan excepted.
        max_monthly_usd: The most US dollars a month that what it plans may cost while idle.
        max_hourly_usd: The most US dollars that its busiest hour may cost.
    """

    max_deletes: Annotated[int, Field(ge=0)] | None = None
    max_monthly_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    max_hourly_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class Bounds(Limits):
    """The limits, with where the stack may be.

    Attributes:
        account_ids: AWS accounts it may touch; empty for any.
        regions: AWS regions it may touch; empty for any.
    """

    account_ids: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class Approvals(Frozen, populate_by_name=True):
    """Whose signatures a plan needs before it is applied.

    Attributes:
        required: How many people.
        signers: The file of who may sign, relative to the project, as OpenSSH's `allowed_signers`.
        revoked: Public keys, or a key revocation list, that no longer count.
        principals: Whose approvals count; everyone's in the file where empty.
        not_author: Whether who made the plan, or wrote its commit, cannot approve it.
        carry_over: Whether the approval of a plan counts for another one that means the same, such
            as a pull request's for that of the branch it was merged into.
        needed: For which plans: those that lose something, those that widen access, or any.
    """

    required: Annotated[int, Field(ge=1, le=20)] = 1
    signers: Annotated[str, StringConstraints(pattern=_PROJECT_FILE)] = "allowed_signers"
    revoked: Annotated[str, StringConstraints(pattern=_PROJECT_FILE)] | None = None
    principals: tuple[str, ...] = Field(default=(), alias="from")
    not_author: bool = True
    carry_over: bool = False
    needed: tuple[Literal["destroy", "access", "any"], ...] = Field(default=("any",), alias="for")

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.principals and len(set(self.principals)) < self.required:
            raise PydanticCustomError(
                "approvals", "approvals.from names fewer people than approvals.required"
            )
        return self


class Adopted(Frozen):
    """What a stack keeps of the resources that it adopted: AWS can change none of it.

    The upstream module takes the first alone; the others are for a native stack.

    Attributes:
        ssh_description: The description of the VM's security group.
        batch_description: The description of the Batch hosts' security group.
        bucket: The name of the data bucket.
        key_pair: Whether the key pair was imported, so that its public key is unknown.
    """

    ssh_description: Annotated[str, StringConstraints(min_length=1)] | None = None
    batch_description: Annotated[str, StringConstraints(min_length=1)] | None = None
    bucket: Annotated[str, StringConstraints(pattern=_BUCKET)] | None = None
    key_pair: bool = False


class _Remote(Frozen):
    remote: Annotated[str, StringConstraints(pattern=_REMOTE)]
    region: Annotated[str, StringConstraints(pattern=_REGION)] | None = None

    @property
    def bucket(self) -> str:
        return self.remote.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """What every key begins with: empty, or with a slash at its end."""
        path = self.remote.removeprefix("s3://").partition("/")[2].strip("/")
        return f"{path}/" if path else ""

    def region_or(self, *regions: str | None) -> str:
        """Return the bucket's region; where left out, the first of the stack's that is known."""
        return next(filter(None, (self.region, *regions)), "us-east-1")


class RemoteHistory(_Remote):
    """Where it is written down, off this machine, that a plan was applied.

    Attributes:
        remote: A bucket, and a prefix in it: `s3://lab-history/biomodal`.
        region: The bucket's region; the stack's where left out.
        retain_days: For how many days S3 lets nobody delete it: the bucket needs object lock.
    """

    retain_days: Annotated[int, Field(ge=1, le=3650)] | None = None


class PlanStore(_Remote):
    """Where sealed plans go from the machine that plans to the one that applies.

    Attributes:
        remote: A bucket, and a prefix in it: `s3://lab-plans/biomodal`.
        region: The bucket's region; the stack's where left out.
        kms_key_arn: The KMS key that they are encrypted with; Amazon S3's own where left out.
    """

    kms_key_arn: _KmsKeyArn | None = None


class StackSettings(Frozen):
    """One stack with its settings and state.

    Attributes:
        bootstrap: `module` calls the documented upstream module; `native` builds the same
            environment from this project's constructs; `prerequisites` makes the account's roles
            that either needs; `state-bucket` makes a bucket for the states of others.
        profile: `documented` keeps to the document; `hardened` changes what
            `biomodal-aws init --explain` lists.
        var_files: Files of variables, relative to the project, after its automatic ones and before
            `--var-file`; later files win.
        account: The AWS account it is in, or a list of those that it may be in; any where empty.
        region: The AWS region it is in, or a list as for account. One alone is the variable
            `region` where nothing else gives one.
        open_ssh_waiver: Why the hardened profile may open port 22 to everyone. Without a reason
            it cannot.
        kms_key_arn: The KMS key that the native hardened profile encrypts everything with: bucket,
            volumes, repository, logs, and the state in S3 where its backend names no key.
        bucket_kms_key_arn: The KMS key of the bucket that use_existing_bucket_url names.
        protected: Resource types whose delete, replacement or removal from state needs
            `--allow-destroy`.
        limits: Account, region and number of deletes.
        approvals: Whose signatures a plan needs; none where left out.
        history: Where claims on plans are kept off this machine; nowhere where left out.
        plan_store: Where sealed plans go from the machine that plans to the one that applies.
        plan_hours: How many hours a sealed plan may be applied.
        backend: Where the state lives.
        state_bucket: What a `state-bucket` stack makes.
        adopted: What `biomodal-aws adopt` found and AWS cannot change.
    """

    bootstrap: Literal["module", "native", "prerequisites", "state-bucket"] = "module"
    profile: Literal["documented", "hardened"] = "documented"
    var_files: tuple[Annotated[str, StringConstraints(pattern=_PROJECT_FILE)], ...] = ()
    account: _Accounts = ()
    region: _Regions = ()
    open_ssh_waiver: Annotated[str, StringConstraints(min_length=10)] | None = None
    kms_key_arn: _KmsKeyArn | None = None
    bucket_kms_key_arn: _KmsKeyArn | None = None
    protected: tuple[str, ...] = PROTECTED_KINDS
    limits: Limits = Limits()
    approvals: Approvals | None = None
    history: RemoteHistory | None = None
    plan_store: PlanStore | None = None
    plan_hours: Annotated[float, Field(gt=0, le=24 * 30)] = 24
    backend: Backend = LocalBackend()
    state_bucket: StateBucket | None = None
    adopted: Adopted = Adopted()

    @model_validator(mode="after")
    def _is_what_it_says(self) -> Self:
        if self.bootstrap == "prerequisites" and self.profile == "hardened":
            raise PydanticCustomError(
                "profile", "The prerequisites have no hardened profile: they are roles only"
            )
        self._check_state_bucket()
        self._check_keys()
        if self.open_ssh_waiver and self.profile != "hardened":
            raise PydanticCustomError(
                "profile", "open_ssh_waiver lifts a rule of the hardened profile only"
            )
        return self

    def _check_state_bucket(self) -> None:
        made = self.state_bucket
        if (self.bootstrap == "state-bucket") != (made is not None):
            raise PydanticCustomError(
                "state_bucket", "A state-bucket stack, and no other, has a state_bucket"
            )
        if made is None:
            return
        if self.home_region is None or self.profile == "hardened":
            raise PydanticCustomError(
                "state_bucket", "A state-bucket stack has one region, and no hardened profile"
            )
        if isinstance(self.backend, S3Backend) and self.backend.bucket == made.bucket:
            raise PydanticCustomError(
                "state_bucket", "Its own state cannot be in the bucket that it makes"
            )

    def _check_keys(self) -> None:
        if self.bucket_kms_key_arn and self.bootstrap not in ("module", "native"):
            raise PydanticCustomError(
                "kms", "bucket_kms_key_arn is for a stack that uses an existing data bucket"
            )
        if self.kms_key_arn is None:
            return
        if (self.bootstrap, self.profile) != ("native", "hardened"):
            raise PydanticCustomError(
                "kms", "kms_key_arn is an option of the native hardened profile only"
            )
        place = aws.key_region(self.kms_key_arn)
        if self.region and place not in self.region:
            raise PydanticCustomError(
                "kms",
                "kms_key_arn is a key in {place}, and a key serves one region",
                {"place": place},
            )
        backend = self.backend
        if isinstance(backend, S3Backend) and not backend.kms_key_id and backend.region != place:
            raise PydanticCustomError(
                "kms",
                "kms_key_arn is a key in {place}, and the state's bucket is in {region}: name a "
                "key of that region in backend.kms_key_id",
                {"place": place, "region": backend.region},
            )

    @property
    def state_backend(self) -> Backend:
        """Where the state lives, encrypted with the stack's key where it names no other."""
        backend = self.backend
        if self.kms_key_arn and isinstance(backend, S3Backend) and not backend.kms_key_id:
            return backend.model_copy(update={"kms_key_id": self.kms_key_arn})
        return backend

    @property
    def home_region(self) -> str | None:
        """The one region that it is in; None where it may be in several, or any."""
        return self.region[0] if len(self.region) == 1 else None

    @property
    def bounds(self) -> Bounds:
        """The limits that hold: a stack that says where it is may be nowhere else."""
        return Bounds(**self.limits.model_dump(), account_ids=self.account, regions=self.region)
