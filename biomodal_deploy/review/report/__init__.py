"""A sealed plan, told to a reviewer: as Markdown, as a page, as data.

Here stands a report as data: what stands in it, whatever it is written as. All of it comes from the
sealed plan, which is redacted, and from nothing that changes: no clock, no path, no use that was
made of the plan. The same sealed plan gives the same report, until somebody approves it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from biomodal_deploy.aws.ledger import FATES, Holding, Ledger, Leftovers
from biomodal_deploy.plan import Action, AttributeChange, Counts, OutputChange, PlanKind
from biomodal_deploy.plan.changes import Check, Data
from biomodal_deploy.plan.sealed.approvals import ApprovalStatus
from biomodal_deploy.review.report.access import Severity
from biomodal_deploy.review.report.access.comparison import AccessChange, Gain, gains_sentence
from biomodal_deploy.review.report.kinds import Area

REPORT_FORMAT: Final = 1


class Level(StrEnum):
    """How much care a plan needs.

    BLOCKED: it is refused. CAREFUL: something is lost, broadens access, or is not understood.
    ROUTINE: it has changes, and none of that. NOTHING: it has no changes.
    """

    BLOCKED = "blocked"
    CAREFUL = "careful"
    ROUTINE = "routine"
    NOTHING = "nothing"


class Verdict(Data):
    """The report in one line.

    Attributes:
        line: One sentence.
        points: What it rests on, the gravest first.
    """

    level: Level
    line: str
    points: tuple[str, ...] = ()


class Blocker(Data):
    """Why a plan cannot, or should not, be applied.

    Attributes:
        rule: The guard's word, `unknown-action` or `check`.
        refuses: Whether `apply` refuses the plan for it.
    """

    rule: str
    message: str
    address: str | None = None
    refuses: bool = True


class Setting(Data):
    """A value that a new resource is configured with; a policy has a line for each statement."""

    name: str
    lines: tuple[str, ...]


class Entry(Data):
    """What happens to one resource.

    Attributes:
        label: What people call its kind.
        actions: Terraform's own words, where the action is not known.
        cause: Why it is destroyed or replaced.
        forced_by: The attributes that force the replacement, with before and after.
        lost: What goes with it.
        contents: What the guard counted in it.
        consequence: What an update does to what runs, in words.
        settings: What a new one is configured with; values known only after the apply left out.
        attributes: Every attribute that changes.
    """

    address: str
    type: str
    label: str
    area: Area
    action: Action
    actions: tuple[str, ...] = ()
    construct_path: str = ""
    module: str = ""
    mode: str = "managed"
    previous_address: str | None = None
    imported: bool = False
    import_id: str | None = None
    deposed: str | None = None
    reason: str | None = None
    cause: str = ""
    forced_by: tuple[AttributeChange, ...] = ()
    replace_paths: tuple[str, ...] = ()
    lost: str = ""
    contents: str = ""
    consequence: str = ""
    settings: tuple[Setting, ...] = ()
    refers_to: tuple[str, ...] = ()
    attributes: tuple[AttributeChange, ...] = ()

    @property
    def moved(self) -> bool:
        """Whether the state knows it under another address so far."""
        return self.previous_address is not None


class Group(Data):
    """The creations and updates of one construct."""

    construct_path: str
    entries: tuple[Entry, ...]


class Drift(Data):
    """What changed outside Terraform.

    Attributes:
        entries: The resources that somebody should know of.
        filled_in: How many more AWS itself filled in.
        access: What it does to access.
    """

    entries: tuple[Entry, ...] = ()
    filled_in: int = 0
    access: tuple[AccessChange, ...] = ()


class Waived(Data):
    """A check of the configuration that is broken on purpose.

    Attributes:
        expired: Whether its day was over when the plan was made.
    """

    rule: str
    address: str
    reason: str
    owner: str
    expires: str
    expired: bool = False


class Fact(Data):
    """One line of the manifest."""

    name: str
    value: str


class Report(Data):
    """A sealed plan, told to a reviewer.

    Attributes:
        sealed_plan: The sealed plan's id.
        sha256: The digest that stands for all of it.
        place: Where it acts, who made it with what, and until when it may be applied.
        common_tags: Tags that every new resource gets.
        notices: What guards say short of a refusal.
        losses: Destroyed and replaced resources.
        unknown: Resources with an action that is not known here.
        groups: Creations and updates by construct.
        moved, imported, forgotten: What only the state's knowledge of changes; a resource that also
            changes stands in both places.
        deferred: What is put off to a later plan, and why.
        reads: Data sources that are read during the apply.
        unchanged: What stays as it is.
        apply: The commands that apply exactly this plan.
        ledger: Of a destroy plan: what the stack held.
        remains: Of a destroy plan that was applied: what is left.
        approvals: Who approved it; None where it needs no approvals.
    """

    report: int = REPORT_FORMAT
    sealed_plan: str
    sha256: str
    stack: str
    kind: PlanKind
    place: tuple[Fact, ...] = ()
    verdict: Verdict
    counts: Counts
    common_tags: str = ""
    blockers: tuple[Blocker, ...] = ()
    notices: tuple[Blocker, ...] = ()
    losses: tuple[Entry, ...] = ()
    unknown: tuple[Entry, ...] = ()
    access: tuple[AccessChange, ...] = ()
    groups: tuple[Group, ...] = ()
    moved: tuple[Entry, ...] = ()
    imported: tuple[Entry, ...] = ()
    forgotten: tuple[Entry, ...] = ()
    deferred: tuple[Fact, ...] = ()
    reads: tuple[Entry, ...] = ()
    unchanged: tuple[Entry, ...] = ()
    outputs: tuple[OutputChange, ...] = ()
    drift: Drift = Drift()
    checks: tuple[Check, ...] = ()
    waived: tuple[Waived, ...] = ()
    manifest: tuple[Fact, ...] = ()
    apply: tuple[str, ...] = ()
    ledger: Ledger | None = None
    remains: Leftovers | None = None
    approvals: ApprovalStatus | None = None

    @property
    def broadens(self) -> tuple[AccessChange, ...]:
        """The changes by which somebody gets more access."""
        return tuple(change for change in self.access if change.gains)

    @property
    def gains(self) -> tuple[Gain, ...]:
        """Every single gain of access, the gravest first."""
        order = list(Severity)
        found = (gain for change in self.access for gain in change.gains)
        return tuple(sorted(found, key=lambda gain: order.index(gain.severity)))

    @property
    def gains_sentence(self) -> str:
        """How many gains there are of each severity: `9 (2 high, 7 low)`; empty without any."""
        return gains_sentence(self.gains)

    @property
    def holdings(self) -> tuple[tuple[str, Holding], ...]:
        """What the stack holds, by what a destroy does to it: what stops it first."""
        if self.ledger is None:
            return ()
        return tuple(
            (fate.value.replace("-", " "), each) for fate in FATES for each in self.ledger.of(fate)
        )

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every resource that the plan acts on, once, the gravest first."""
        grouped = (entry for group in self.groups for entry in group.entries)
        found = (*self.losses, *self.unknown, *self.forgotten, *grouped, *self.moved)
        every = {(each.address, each.deposed): each for each in reversed((*found, *self.imported))}
        return tuple(reversed(every.values()))
