"""The account preflight: what an apply will meet, asked beforehand and read-only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from biomodal_deploy.aws.checks import Check, Progress, ReportData, run_checks
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight.checks import all_checks
from biomodal_deploy.aws.preflight.checks.permissions import NeededActions
from biomodal_deploy.aws.preflight.checks.roles import VARIABLES
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target, target_from
from biomodal_deploy.aws.resources import owned_by

if TYPE_CHECKING:
    from boto3.session import Session


__all__ = ["owned_by", "run_preflight", "run_role_checks", "target_from"]

# `doctor` ends in 15 s whatever the network does; the rest is for starting and printing.
SECONDS: Final = 12.0
QUICK_SECONDS: Final = 6.0


def run_preflight(
    target: Target,
    session: Session,
    *,
    quick: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    owned: frozenset[str] | None = frozenset(),
    elsewhere: Mapping[str, str] = MappingProxyType({}),
    needed_actions: NeededActions | None = None,
    seconds: float | None = None,
) -> ReportData:
    """Check the account for what an apply of this stack will meet; nothing is changed.

    Args:
        quick: Ask only what is asked before every plan.
        owned: What the stack's state holds already, from `owned_by`: those names are not taken;
            None where it could not be read.
        elsewhere: What other states of the project hold, likewise, with whose each is.
        needed_actions: Returns what an apply calls; without it, that check is unknown.
    """
    limit = seconds if seconds is not None else QUICK_SECONDS if quick else SECONDS
    facts = Facts(target, Clients(session, target.region), owned, elsewhere)
    checks = [check for check in all_checks(facts, needed_actions) if check.quick or not quick]
    return _report(checks, facts, limit, on_progress, quick=quick)


def run_role_checks(session: Session, region: str) -> ReportData:
    """Check only for the roles that every stack needs and none creates.

    Args:
        region: Any region of the account's partition: roles are the same in all of them.
    """
    # These checks ask about the account alone, whatever is going to be deployed into it.
    nothing = Target(region=region, vpc_id="", subnet_id="", vm_name="", bootstrap="native")
    facts = Facts(nothing, Clients(session, region), frozenset())
    checks = [check for check in all_checks(facts) if check.name in VARIABLES]
    return _report(checks, facts, QUICK_SECONDS)


def _report(
    checks: Sequence[Check],
    facts: Facts,
    seconds: float,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    quick: bool = False,
) -> ReportData:
    started = time.monotonic()
    found = run_checks(checks, facts.clients, seconds, on_progress)
    return ReportData.of(found, quick=quick, seconds=time.monotonic() - started)
