"""What `--output json` prints of plans, applies and their history."""

from __future__ import annotations

from pydantic import BaseModel, Field

from biomodal_deploy.aws.ledger.model import Ledger, Leftovers
from biomodal_deploy.plan.changes import AttributeChange
from biomodal_deploy.plan.history import Entry
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.review.cost.estimate import Estimate


class CostData(Estimate):
    """What a plan's environment costs.

    Attributes:
        stack: The stack.
        plan: The sealed plan.
        currency: `USD`.
        stale: Whether a price in use is older than 90 days.
        proposed_budget: A monthly budget that fits, in US dollars.
    """

    stack: str
    plan: str
    currency: str
    stale: bool
    budget: int | None = Field(alias="proposed_budget")


class ApprovalsData(ApprovalStatus):
    """Who approved a sealed plan.

    Attributes:
        stack: The stack.
        plan: The sealed plan.
        sha256: Its digest.
        required: How many people have to approve it.
        approvals: What each approval counts for.
        problem: Why they cannot be judged here.
    """

    stack: str
    plan: str
    sha256: str


class Completed(BaseModel):
    """One change that was made.

    Attributes:
        address: The resource.
        action: What was done.
        id: What the provider calls it.
    """

    address: str
    action: str
    id: str | None


class LedgerData(Ledger):
    """What a stack held before its destroy.

    Attributes:
        counts: How many of each fate.
    """

    counts: dict[str, int]


class LeftoversData(Leftovers):
    """What is left after a destroy.

    Attributes:
        bills: How many things still cost money.
        clean: Whether nothing is left.
    """

    billing: int = Field(alias="bills")
    is_clean: bool = Field(alias="clean")


class AppliedData(BaseModel):
    """What an apply or a destroy did.

    Attributes:
        sealed_plan: The sealed plan.
        stack: The stack.
        kind: What the plan was for.
        seconds: How long it took.
        completed: The changes, in order.
        interrupted: Whether it was stopped.
        ledger: Of a destroy: what the stack held.
        remains: Of a destroy: what is left.
    """

    sealed_plan: str
    stack: str
    kind: str
    seconds: float
    completed: list[Completed]
    interrupted: bool
    ledger: LedgerData | None = None
    remains: LeftoversData | None = None


class Drifted(BaseModel):
    """One resource that changed outside Terraform.

    Attributes:
        address: The resource.
        action: What happened to it.
        attributes: What of it changed.
    """

    address: str
    action: str
    attributes: list[AttributeChange]


class DriftData(BaseModel):
    """What changed outside Terraform.

    Attributes:
        stack: The stack.
        drift: What a plan would change back.
        computed: What AWS filled in.
    """

    stack: str
    drift: list[Drifted]
    computed: list[Drifted]


class HistoryData(BaseModel):
    """A stack's history.

    Attributes:
        entries: Its entries, up to a break of the chain.
        whole: Whether the chain is whole.
        broken_at: The line where it breaks.
        head: The digest of the last entry.
    """

    entries: list[Entry]
    whole: bool
    broken_at: int | None
    head: str | None
