"""Where a stack's state belongs: what the last apply changed, against where a plan would go now.

A state describes one account and region. Planned anywhere else, everything in it seems to be gone:
Terraform would create it all again there, and forget what it made.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from biomodal_deploy.aws.identity import Identity
from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.config.settings import OUTDIR_VARIABLE
from biomodal_deploy.engine.terraform.locks import state_path
from biomodal_deploy.errors import GuardRefused, UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.history import Entry, Event
from biomodal_deploy.plan.sealed import Facts, SealedPlan
from biomodal_deploy.workflow.plan_facts import AwsLocation
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import holdings, parse_state, resources_in

OPTION: Final = "--account-moved"
_AWS_ITSELF: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where an apply goes.

    Attributes:
        account: The AWS account; None for a stack of something else.
        partition: `aws`, or `aws-cn` and the like.
        endpoints: What stands in for AWS; empty where it is AWS itself.
        state: The file of a local state, relative to the project where it is inside.
    """

    account: str | None = None
    partition: str | None = None
    region: str | None = None
    endpoints: str = ""
    state: str | None = None

    def __str__(self) -> str:
        words = [f"account {self.account}", self.partition, self.region, self.endpoints]
        return ", ".join(word for word in words if word and word != "aws")

    def is_elsewhere(self, other: Destination) -> bool:
        """Whether what is in one of the two cannot be seen from the other."""
        if self.account is None or other.account is None:
            return False
        ours = (self.account, self.partition, self.region, self.endpoints)
        return ours != (other.account, other.partition, other.region, other.endpoints)


def destination_now(
    stack: Stack, workspace: str, place: AwsLocation, identity: Future[Identity | None]
) -> Destination:
    """Return where a plan that is made now would go.

    Raises:
        EngineError: AWS does not say who is calling.
    """
    caller = identity.result()
    state = _state_file(stack, workspace)
    if caller is None:
        return Destination(state=state)
    return Destination(
        account=caller.account,
        partition=_partition(caller.caller),
        region=place.region,
        endpoints=_stand_ins([place.endpoint, *place.endpoints.values()]),
        state=state,
    )


def destination_of(stack: Stack, facts: Facts) -> Destination:
    """Return where a sealed plan goes; that nothing differs today is checked before it runs."""
    state = _state_file(stack, facts.workspace)
    return replace(_sealed(facts), state=state)


def record(destination: Destination, workspace: str) -> dict[str, str | int | bool | None]:
    """Return it as details of the history's entry for an apply that begins."""
    return {"workspace": workspace, **asdict(destination)}


def check_state_file(stack: Stack, workspace: str) -> None:
    """Refuse a local state beside which the one of the last apply lies elsewhere.

    Raises:
        UsageError: That one still holds resources, and is no earlier version of this one.
        SealedPlanRefused: The history is broken.
    """
    before = last_destination(stack, workspace)
    here = _state_file(stack, workspace)
    if before is None or before.state is None or here in (None, before.state):
        return
    project = stack.location.project_dir
    there, ours = project / before.state, project / str(here)
    holds = holdings(there)
    if holds is None or _continues(ours, there):
        return
    raise UsageError(
        f"the last apply wrote its state to {there}, which still holds {holds}; with this output "
        f"folder the state would be {ours}",
        field=OUTDIR_VARIABLE,
        value=str(stack.location.output),
        fix=f"set {OUTDIR_VARIABLE} as for the last apply, or move the state to {ours}",
    )


def check_destination(stack: Stack, workspace: str, now: Destination, moved: str | None) -> None:
    """Refuse to go anywhere but where the last apply went.

    Args:
        workspace: Terraform's workspace, which has a state of its own.
        moved: The account that was named as the one the state belongs to from now on.

    Raises:
        UsageError: Another account was named than today's.
        GuardRefused: It is elsewhere.
        SealedPlanRefused: The history is broken.
    """
    if moved is not None and moved != now.account:
        raise UsageError(
            f"the credentials are those of account {now.account}",
            field=OPTION,
            value=moved,
            fix="name that account, or use other credentials",
        )
    before = last_destination(stack, workspace)
    if before is None or moved is not None or not now.is_elsewhere(before):
        return
    state = stack.location.project_dir / now.state if now.state else None
    if state and state.exists() and resources_in(state) == 0:
        return
    raise GuardRefused(
        f"{stack.name}: the last apply went to {before}, and here it would go to {now}, where "
        "nothing that the state describes can be found. Fix: use the credentials, region and "
        "endpoints of the last apply; if the stack has moved, plan again with "
        f"{OPTION} {now.account}"
    )


def check_sealed_destination(stack: Stack, sealed_plan: SealedPlan) -> None:
    """Refuse a sealed plan that goes elsewhere than the last apply, unless it was made to.

    Raises:
        GuardRefused: It goes elsewhere.
        SealedPlanRefused: The history is broken.
    """
    facts = sealed_plan.manifest.facts
    now = destination_of(stack, facts)
    allowed = any(
        entry.event is Event.PLAN
        and entry.sealed_plan == sealed_plan.id
        and entry.details.get("account_moved") == facts.account
        for entry in stack.history.whole()
    )
    check_destination(stack, facts.workspace, now, facts.account if allowed else None)


def last_destination(stack: Stack, workspace: str) -> Destination | None:
    """Return where a workspace was last applied; None where nothing is left, or it is unknown.

    Raises:
        SealedPlanRefused: The history is broken.
    """
    done: dict[str | None, object] = {}
    for entry in reversed(stack.history.whole()):
        if entry.event is Event.RESULT and entry.details.get("ok") is True:
            done[entry.sealed_plan] = entry.details.get("resources")
        if entry.event is not Event.APPLY_START:
            continue
        if entry.details.get("workspace") != workspace:
            continue
        # How much is left is unknown where the state could not be read.
        nothing = None if entry.details.get("kind") == PlanKind.DESTROY else 0
        if entry.sealed_plan in done and done[entry.sealed_plan] in (0, nothing):
            return None
        return _recorded(entry)
    return None


def _recorded(entry: Entry) -> Destination:
    found = {key: value for key, value in entry.details.items() if isinstance(value, str)}
    names = ("account", "partition", "region", "endpoints", "state")
    return Destination(**{name: found[name] for name in names if name in found})


def _sealed(facts: Facts) -> Destination:
    if facts.account is None:
        return Destination()
    return Destination(
        account=facts.account,
        partition=_partition(facts.caller or ""),
        region=facts.region_name,
        endpoints=_stand_ins([facts.endpoint, *facts.endpoints.values()]),
    )


def _partition(arn: str) -> str:
    return arn.split(":")[1] if arn.startswith("arn:") else "aws"


def _stand_ins(settings: Iterable[str | None]) -> str:
    """Return the addresses among them that are not AWS itself, without credentials."""
    found = set()
    for parts in (urlsplit(each or "") for each in settings):
        if parts.netloc and not (parts.hostname or "").endswith(_AWS_ITSELF):
            found.add(without_userinfo(f"{parts.scheme}://{parts.netloc}"))
    return " ".join(sorted(found))


def _state_file(stack: Stack, workspace: str) -> str | None:
    """Return the file of a local state; None for one elsewhere."""
    settings = stack.synthesized.backend_settings("local")
    if settings is None and stack.synthesized.backend:
        return None
    file = (stack.directory / state_path(settings or {}, workspace)).resolve()
    project = stack.location.project_dir.resolve()
    return str(file.relative_to(project) if file.is_relative_to(project) else file)


def _continues(ours: Path, theirs: Path) -> bool:
    """Whether a state is the same as another, or a later version of it."""
    with suppress(OSError, UsageError):
        here, there = (parse_state(read_regular(each), str(each)) for each in (ours, theirs))
        if here and there and here.lineage == there.lineage:
            return here.serial >= there.serial
    return False
