"""What `--output json` prints of projects, plans, applies and their history."""

from __future__ import annotations

from pydantic import BaseModel, Field, JsonValue

from biomodal_deploy.aws.ledger import Ledger, Leftovers
from biomodal_deploy.plan.changes import AttributeChange
from biomodal_deploy.plan.history import Entry
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.review.cost.estimate import Estimate
from biomodal_deploy.review.report.plan_json import PlanData


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


class SchemaFinding(BaseModel):
    """What Terraform says of the configuration.

    Attributes:
        severity: `error` or `warning`.
        construct: The path of the construct that it comes from.
        summary, detail: Terraform's own words.
    """

    severity: str
    path: str | None = Field(alias="construct")
    summary: str
    detail: str


class ValidateData(BaseModel):
    """Whether a stack fits its providers' schemas.

    Attributes:
        stack: The stack.
        valid: Whether there is no error.
        findings: Errors and warnings.
    """

    stack: str
    valid: bool
    findings: list[SchemaFinding]


class NewProject(BaseModel):
    """A project that was made.

    Attributes:
        project: Its folder.
        stack: Its stack.
        written: False under `--dry-run`.
        files: What was written, or would be.
        kept: What was there, and stays.
        settings: The stack's settings in `cdktf.json`.
        variables: The values in `terraform.tfvars`.
        missing: Variables that still need a value.
        notes: What a person should know.
        next: The next commands.
    """

    project: str
    stack: str
    written: bool
    files: list[str]
    kept: list[str]
    settings: dict[str, JsonValue]
    variables: dict[str, JsonValue]
    missing: list[str]
    notes: list[str]
    next: list[str]


class NewStack(BaseModel):
    """A stack that was added.

    Attributes:
        stack: The stack.
        written: False under `--dry-run`.
        settings: Its settings in `cdktf.json`.
        variables: Its values.
        var_file: Where they stand.
        var_file_text: The file's text.
        notes: What a person should know.
        next: The next commands.
    """

    stack: str
    written: bool
    settings: dict[str, JsonValue]
    variables: dict[str, JsonValue]
    var_file: str
    var_file_text: str
    notes: list[str]
    next: list[str]


class AdoptedData(PlanData):
    """The plan that adopts what exists.

    Attributes:
        adoption_file: What was written for it, from the project's folder.
        backup: The state as it was.
        adopted: What `cdktf.json` says of it now.
    """

    adoption_file: str | None
    backup: str | None
    adopted: dict[str, JsonValue]
