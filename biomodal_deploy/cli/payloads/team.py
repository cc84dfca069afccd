"""What `--output json` prints of permissions and shared states."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from biomodal_deploy.cli.payloads.plans import AppliedData
from biomodal_deploy.cli.payloads.running import CheckData
from biomodal_deploy.review.report.data import PlanData


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


class PolicyFinding(BaseModel):
    """What is wrong with a policy.

    Attributes:
        fault: What kind.
        action: The IAM action.
        resources: On what.
        phases: When it is needed.
        addresses: For which resources of the stack.
        detail: In words.
    """

    fault: str
    action: str
    resources: list[str]
    phases: list[str]
    addresses: list[str]
    detail: str


class PolicyCheckData(BaseModel):
    """A policy against what the stack needs.

    Attributes:
        gaps: What could not be compiled.
        findings: What is wrong.
    """

    gaps: list[str]
    findings: list[PolicyFinding]


class VmPolicyData(BaseModel):
    """One policy of the VM.

    Attributes:
        address: Its resource.
        document: The policy.
        findings: What is wrong with it.
    """

    address: str
    document: dict[str, JsonValue]
    findings: list[PolicyFinding]


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


class MigratedData(BaseModel):
    """Where a state is now.

    Attributes:
        stack: The stack.
        moved: Whether it was elsewhere.
        source, target: From where, to where.
        lineage, serial, resources: What names the state, and how much it holds.
        backup: The copy that was made first.
    """

    stack: str
    moved: bool
    source: str | None
    target: str
    lineage: str | None
    serial: int | None
    resources: int | None
    backup: str | None
