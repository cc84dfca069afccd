"""What `--output json` prints of the account, permissions, shared states and the running stack."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from biomodal_deploy.aws.checks import CheckData
from biomodal_deploy.iam.check import Finding
from biomodal_deploy.review.report.plan_json import PlanData
from tests.support.payload_plans import AppliedData


class RolesData(BaseModel):
    """Under `--commands`: what makes the account's missing roles.

    Attributes:
        commands: The commands.
        variables: The same as variables of a `prerequisites` stack.
        checks: What was found.
    """

    commands: list[str]
    variables: dict[str, bool]
    checks: list[CheckData]


class IdleStopData(BaseModel):
    """The VM's idle stop.

    Attributes:
        stack: The stack.
        instance_id: The VM.
        minutes: After how many minutes without work it stops; 0 for never.
    """

    stack: str
    instance_id: str
    minutes: int


class HostData(BaseModel):
    """Under `--ssh-config`: the way to the VM.

    Attributes:
        host: Its name there.
        instance_id: The VM.
        address, port, user: Where SSH connects to.
        key: The private key's file.
        known_hosts: The file of its host key.
        text: The Host block.
    """

    host: str
    instance_id: str
    address: str
    port: int
    user: str
    key: str
    known_hosts: str
    text: str


class NextflowData(BaseModel):
    """Nextflow's configuration.

    Attributes:
        files: Each file's text by name.
        written: The files that `--out` changed.
    """

    files: dict[str, str]
    written: list[str]


class Rival(BaseModel):
    """Another cause that fits as well.

    Attributes:
        cause: Its id.
        title: It in a few words.
        fix: What to do about it.
    """

    cause: str
    title: str
    fix: str


class MissingPermission(BaseModel):
    """What IAM refused.

    Attributes:
        action, resource, caller: What, on what, to whom.
        origin: Where the statements come from.
        statements: The IAM statements that allow it.
    """

    action: str
    resource: str | None
    caller: str | None
    origin: str
    statements: list[dict[str, JsonValue]]


class DiagnosisFinding(BaseModel):
    """One error; without a known cause, the first keys only.

    Attributes:
        cause: The id of its cause; null where it is not known.
        error: Its text.
        line: Where it stands.
        count: How often.
        addresses: The resources concerned.
        title: The cause in a few words.
        certainty: `cause`, `family`, `code` or `general`.
        place: Where it is printed.
        why: Why it happens.
        fix: What to do about it.
        next: The next command.
        rivals: Other causes that fit as well.
        variables: The variables concerned.
        fields: What the error's text names.
        imports: By address, the id of what exists already under a resource's name.
        source: Where this is documented.
        missing: The permission that is missing.
    """

    cause: str | None
    error: str
    line: int | None
    count: int
    addresses: list[str]
    title: str | None = None
    certainty: str | None = None
    place: str | None = None
    why: str | None = None
    fix: str | None = None
    next: str | None = None
    rivals: list[Rival] | None = None
    variables: list[str] | None = None
    fields: dict[str, JsonValue] | None = None
    imports: dict[str, str] | None = None
    source: list[str] | None = None
    missing: MissingPermission | None = None


class Suspect(BaseModel):
    """A line that looks like an error and is none that is known.

    Attributes:
        line: Its number.
        text: It.
    """

    line: int
    text: str


class DiagnosisData(BaseModel):
    """What an error comes from.

    Attributes:
        read: What was read.
        stack: Whose log it is.
        verb: What Terraform was doing.
        since: What ended since then.
        lines: How many lines were read.
        binary: Whether it is no text.
        findings: The errors.
        suspects: Lines that look like errors.
        unread: How much was not read.
    """

    read: str
    stack: str | None
    verb: str | None
    since: str | None
    lines: int
    binary: bool
    findings: list[DiagnosisFinding]
    suspects: list[Suspect]
    unread: int


class PolicyDocument(BaseModel):
    """One IAM policy.

    Attributes:
        name: Its name.
        size: Its characters, as IAM counts them.
        document: The policy.
    """

    name: str
    size: int
    document: dict[str, JsonValue]


class DeployerData(BaseModel):
    """What deploying takes.

    Attributes:
        gaps: What could not be compiled.
        unbounded_roles: Roles that it may make without a permissions boundary.
        policies: The policies.
    """

    gaps: list[str]
    unbounded_roles: list[str]
    policies: list[PolicyDocument]


class PolicyCheckData(BaseModel):
    """A policy against what the stack needs.

    Attributes:
        gaps: What could not be compiled.
        findings: What is wrong.
    """

    gaps: list[str]
    findings: list[Finding]


class VmPolicyData(BaseModel):
    """One policy of the VM.

    Attributes:
        address: Its resource.
        document: The policy.
        findings: What is wrong with it.
    """

    address: str
    document: dict[str, JsonValue]
    findings: list[Finding]


class Bucket(BaseModel):
    """A bucket for states.

    Attributes:
        bucket, region, kms_key_id: The bucket.
        keys: The object that holds each stack's state.
    """

    bucket: str
    region: str
    kms_key_id: str | None
    keys: dict[str, str]


class CreatedBucket(Bucket):
    """A bucket that was planned, or made.

    Attributes:
        stack: The stack that makes it.
        state: That stack's own state.
        plan: The sealed plan.
        applied: What its apply did; null under `--plan-only`.
        policy: The least policy for who uses it.
        to_move: The stacks whose state is elsewhere still.
    """

    stack: str
    state: str
    plan: PlanData
    applied: AppliedData | None
    policy: dict[str, JsonValue]
    to_move: list[str]


class CheckedBucket(Bucket):
    """Whether a bucket is fit to keep states.

    Attributes:
        fit: Whether it is.
        checks: Each check.
    """

    fit: bool
    checks: list[CheckData]


class BucketPolicy(Bucket):
    """The least policy for who uses a state.

    Attributes:
        policy: The policy.
    """

    policy: dict[str, JsonValue]
