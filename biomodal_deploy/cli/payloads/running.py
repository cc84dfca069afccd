"""What `--output json` prints of the account and the running stack."""

from __future__ import annotations

from pydantic import BaseModel, JsonValue

from biomodal_deploy.review.cost import Line


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
        cost_usd: What it has cost so far at most, its vCPUs at the dearest price of its queue's
            families; null where it does not run, or that is not known.
    """

    id: str
    name: str
    queue: str
    state: str
    since: str
    reason: str | None
    cancel: str
    cost_usd: float | None


class JobsData(BaseModel):
    """The jobs that run or wait in a stack's queues.

    Attributes:
        stack: The stack.
        region: Where it is.
        counts: How many jobs are in each state.
        cost_usd: What those that run have cost so far at most; null where one's is not known.
        jobs: Each job.
        problems: Queues that did not answer, and jobs that are left without their VM.
    """

    stack: str
    region: str
    counts: dict[str, int]
    cost_usd: float | None
    jobs: list[JobData]
    problems: list[CheckData]


class PowerData(BaseModel):
    """The VM after a stop or start.

    Attributes:
        stack: The stack.
        region: Where it is.
        instance_id: The VM.
        state: EC2's word for the state that it is in.
        changed: Whether it was told to stop or to start.
        waited_seconds: How long that took.
        address: Its public address, if it has one.
        problems: What speaks against a stop: jobs, Nextflow, what could not be looked at.
        costs: What costs on while it is stopped, for a month; null where AWS did not say.
    """

    stack: str
    region: str
    instance_id: str
    state: str
    changed: bool
    waited_seconds: float
    address: str | None
    problems: list[CheckData]
    costs: list[Line] | None


class SmokeData(BaseModel):
    """What the smoke job found.

    Attributes:
        stack: The stack.
        region: Where it is.
        queue: The queue that the job was submitted to.
        image: The job's image.
        cost_usd: About what it costs, at most; null where a price is not known.
        works: Whether every layer works.
        seconds: How long it took.
        counts: How many of each verdict.
        checks: Each layer, in the order in which a task needs them.
        left: Commands that remove what could not be removed.
    """

    stack: str
    region: str
    queue: str
    image: str
    cost_usd: float | None
    works: bool
    seconds: float
    counts: dict[str, int]
    checks: list[CheckData]
    left: list[str]


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
