"""What each command prints as `data` under `--output json`, as types.

`make docs` writes `docs/json.md` and `docs/json.schema.json` from them. A test closes the schemas
and runs the commands: a key that is missing here, or that a command lacks, fails it. To a shape
keys may be added; none is taken away.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field, JsonValue

from biomodal_deploy.aws.ledger.model import Ledger, Leftovers
from biomodal_deploy.cli.render.plans import PlansData
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.plan.changes import AttributeChange
from biomodal_deploy.plan.history import Entry
from biomodal_deploy.review.cost.estimate import Estimate
from biomodal_deploy.review.hardening import Difference
from biomodal_deploy.review.report.data import PlanData
from biomodal_deploy.workflow.sets.outcome import Problem


class SynthesizedStack(BaseModel):
    """One stack that was written.

    Attributes:
        name: The stack.
        directory: Its folder.
        resources: How many resources it has.
    """

    name: str
    directory: str
    resources: int


class SynthData(BaseModel):
    """What was synthesized.

    Attributes:
        seconds: How long it took.
        stacks: The stacks.
    """

    seconds: float
    stacks: list[SynthesizedStack]


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


class LockData(BaseModel):
    """One stack's provider lock file.

    Attributes:
        stack: The stack.
        path: The file, from the project's folder; null without providers.
        providers: Version by provider.
        platforms: What they are locked for.
        missing: Platforms whose providers were unavailable, and why.
        changed: Whether the file was written.
    """

    stack: str
    path: str | None
    providers: dict[str, str]
    platforms: list[str]
    missing: dict[str, str]
    changed: bool


class KeyData(BaseModel):
    """An SSH key pair.

    Attributes:
        private, public: Its files.
        made: Whether it was made now.
    """

    private: str
    public: str
    made: bool


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


class Approval(BaseModel):
    """One signature.

    Attributes:
        signer: Who signed; null where the key is nobody's.
        key: The key's fingerprint.
        counts: Whether it counts.
        problem: Why it does not.
    """

    signer: str | None
    key: str | None
    counts: bool
    problem: str | None


class ApprovalsData(BaseModel):
    """Who approved a sealed plan.

    Attributes:
        stack: The stack.
        plan: The sealed plan.
        sha256: Its digest.
        required: How many people have to.
        approvals: The signatures.
    """

    stack: str
    plan: str
    sha256: str
    required: int
    approvals: list[Approval]


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


class CheckData(BaseModel):
    """What one check found.

    Attributes:
        check: Its name.
        layer: What it is about; null where the checks of a command have no groups.
        title: It for people.
        verdict: `pass`, `warning`, `fail` or `unknown`.
        under_way: Whether time alone completes it.
        line: What was found.
        fix: What to do about it.
    """

    check: str
    layer: str | None
    title: str
    verdict: str
    under_way: bool
    line: str
    fix: str | None


class ReportData(BaseModel):
    """What the checks of the account found.

    Attributes:
        quick: Whether only the quick ones ran.
        seconds: How long they took.
        counts: How many of each verdict.
        checks: Each check.
    """

    quick: bool
    seconds: float
    counts: dict[str, int]
    checks: list[CheckData]


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


class ToolData(BaseModel):
    """Under `--toolchain`: one program.

    Attributes:
        name: What it is.
        path: Where it lies; null where there is none.
        version: Its version.
        source: Where it comes from.
        reason: Why this one.
    """

    name: str
    path: str | None
    version: str | None
    source: str
    reason: str


class StatusData(BaseModel):
    """The health of a stack.

    Attributes:
        stack: The stack.
        region: Where it is.
        ready: Whether all is well.
        under_way: Whether time alone completes what is not.
        waited_seconds: How long `--wait` took.
        counts: How many of each verdict.
        checks: Each check.
    """

    stack: str
    region: str
    ready: bool
    under_way: bool
    waited_seconds: float | None
    counts: dict[str, int]
    checks: list[CheckData]


class JobData(BaseModel):
    """A job that has not ended.

    Attributes:
        id: Its id.
        name: Its name.
        queue: The queue that it is in.
        state: Batch's word, such as `RUNNABLE`.
        since: When it started, or was submitted where it waits.
        reason: Why it waits; null where it runs.
        cancel: The command that cancels it.
    """

    id: str
    name: str
    queue: str
    state: str
    since: str
    reason: str | None
    cancel: str


class JobsData(BaseModel):
    """The jobs that run or wait in a stack's queues.

    Attributes:
        stack: The stack.
        region: Where it is.
        counts: How many jobs are in each state.
        jobs: Each job.
        problems: Queues that did not answer, and jobs that are left without their VM.
    """

    stack: str
    region: str
    counts: dict[str, int]
    jobs: list[JobData]
    problems: list[CheckData]


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
        certainty: `cause`, `family` or `code`.
        place: Where it is printed.
        why: Why it happens.
        fix: What to do about it.
        next: The next command.
        rivals: Other causes that fit as well.
        variables: The variables concerned.
        fields: What the error's text names.
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


class EjectedData(BaseModel):
    """A stack as plain Terraform.

    Attributes:
        stack: The stack.
        directory: The folder.
        files: What was written there.
        init: The command that begins there.
    """

    stack: str
    directory: str
    files: list[str]
    init: str


class StepData(BaseModel):
    """One step of the demo.

    Attributes:
        step: Its title.
        ok: Whether it held.
        seconds: How long it took.
        note: What it showed.
    """

    step: str
    ok: bool
    seconds: float
    note: str


class PartData(BaseModel):
    """One stack of a set.

    Attributes:
        stack: The stack.
        exit_status: As the command for it alone would have ended.
        seconds: How long it took.
        notices: What a person should know.
        data: What that command would have printed.
        error: Why it failed.
    """

    stack: str
    exit_status: int
    seconds: float
    notices: list[str]
    data: dict[str, JsonValue] | None
    error: Problem | None


class SetData(BaseModel):
    """Several stacks at once.

    Attributes:
        command: The command.
        seconds: How long it took.
        statuses: How many stacks ended with each exit status.
        stacks: Each stack.
    """

    command: str
    seconds: float
    statuses: dict[str, int]
    stacks: list[PartData]


# By command; what several types stand for depends on the options.
PAYLOADS: Final[dict[str, tuple[Any, ...]]] = {
    "init": (NewProject, NewStack, ExplainData),
    "demo": (list[StepData],),
    "doctor": (ReportData, RolesData, list[ToolData]),
    "plan": (PlanData, SetData),
    "plans": (PlansData,),
    "show": (PlanData,),
    "cost": (CostData,),
    "approve": (ApprovalsData,),
    "apply": (AppliedData, SetData),
    "destroy": (AppliedData,),
    "output": (dict[str, OutputValue],),
    "status": (StatusData,),
    "jobs": (JobsData,),
    "connect": (HostData,),
    "nextflow-config": (NextflowData,),
    "diagnose": (DiagnosisData,),
    "history": (HistoryData,),
    "drift": (DriftData, SetData),
    "backend create": (CreatedBucket,),
    "backend check": (CheckedBucket,),
    "backend policy": (BucketPolicy,),
    "backend migrate": (MigratedData,),
    "policy deployer": (DeployerData,),
    "policy check": (PolicyCheckData,),
    "policy vm": (list[VmPolicyData],),
    "keygen": (KeyData,),
    "synth": (SynthData,),
    "validate": (ValidateData,),
    "lock": (list[LockData],),
    "adopt": (AdoptedData,),
    "eject": (EjectedData,),
}
