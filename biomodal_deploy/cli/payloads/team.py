"""What `--output json` prints of permissions and shared states."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from biomodal_deploy.aws.checks import CheckData
from biomodal_deploy.cli.payloads.plans import AppliedData
from biomodal_deploy.iam.check import Finding
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
