"""What `--output json` prints of a project and its stacks."""

from __future__ import annotations

from pydantic import BaseModel, Field, JsonValue

from biomodal_deploy.review.hardening import Difference
from biomodal_deploy.review.report.data import PlanData


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


class Checkov(BaseModel):
    """Checks of checkov.

    Attributes:
        documented_stack_failed, documented_plan_failed: How many the documented profile breaks.
        hardened_waived: How many the hardened one breaks on purpose.
    """

    documented_stack_failed: int
    documented_plan_failed: int
    hardened_waived: int


class ExplainData(BaseModel):
    """Under `--explain`: both profiles side by side.

    Attributes:
        differences: Each difference.
        checkov: What checkov says.
    """

    differences: list[Difference]
    checkov: Checkov


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
