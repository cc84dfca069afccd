"""What the account says beside a plan: the quick checks, and how much goes with what it deletes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.checks import CheckData, ReportData, Verdict
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.identity import is_ours
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.plan import Plan, PlanKind, ResourceChange
from biomodal_deploy.plan.consequences import ending_jobs
from biomodal_deploy.plan.guards import emptied
from biomodal_deploy.plan.impossible import MET_BY, Impossible, met_at
from biomodal_deploy.workflow.failed_runs import Unfinished, last_not_applied
from biomodal_deploy.workflow.importing import command, held_elsewhere, known_id
from biomodal_deploy.workflow.location import Notice
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.variables import PlanRequest

# Far more than they take. They refuse plans, so whether they are heard must not depend on how busy
# this machine is; a service that cannot be reached gives up by itself long before.
_SECONDS: Final = 90.0
_CHECKED: Final = ("module", "native")

# A guard's sentence is worth so long; the ledger of a destroy counts on.
_COUNTING_SECONDS: Final = 5.0


@dataclass
class AccountChecks:
    """The checks of one plan.

    Attributes:
        thread: Who asks; None where nothing is asked.
        found: The report, once it is there.
        refused: The checks that refuse the plan, as a notice would say them twice, and those that
            find what the plan imports: nobody should be advised to delete it.
    """

    stack: Stack
    thread: threading.Thread | None = None
    found: list[ReportData] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def refusals(self, plan: Plan) -> tuple[Impossible, ...]:
        """Return what AWS would refuse of a plan; waits for the checks."""
        met = [
            (finding, fix, change)
            for finding, fix in self.problems()
            if finding.verdict == "fail" and (change := met_at(plan, finding.check))
        ]
        elsewhere = held_elsewhere(self.stack.location, self.stack.name) if met else {}
        refusals = [
            Impossible(
                finding.check, change.address, finding.line, _or_take_over(change, fix, elsewhere)
            )
            for finding, fix, change in met
        ]
        imported = {each.type for each in plan.resource_changes if each.imported}
        self.refused = {each.check for each in refusals} | {
            check for check, kinds in MET_BY.items() if imported.intersection(kinds)
        }
        return tuple(refusals)

    def problems(self) -> Iterator[tuple[CheckData, str]]:
        """Yield what is wrong, or may be, with what to do about it; waits for the checks."""
        if self.thread:
            self.thread.join(_SECONDS)
        unfinished = last_not_applied(self.stack) if self.found else None
        for finding in self.found[0].checks if self.found else ():
            if finding.verdict in (Verdict.FAIL, Verdict.WARNING):
                yield finding, _fix(finding, unfinished)

    def report(self) -> None:
        """Report what was found, save for what refuses the plan."""
        problems = [each for each in self.problems() if each[0].check not in self.refused]
        if not self.found:
            self.stack.on_event(
                Notice("The quick checks of the account gave no answer: biomodal-aws doctor asks")
            )
            return
        for finding, fix in problems:
            self.stack.on_event(
                Notice(f"{finding.title}: {finding.line}{f'. Fix: {fix}' if fix else ''}")
            )
        counts = (f"{number} {verdict}" for verdict, number in self.found[0].counts.items())
        self.stack.on_event(
            Notice(f"Quick checks of the account: {', '.join(counts)} (all: biomodal-aws doctor)")
        )


def _or_take_over(change: ResourceChange, fix: str, elsewhere: Mapping[str, str]) -> str:
    """Offer to take over what has the name, where that alone is in the way."""
    id_ = known_id(change)
    if not id_ or f"{change.type}:{id_}" in elsewhere:
        return fix
    return f"{fix}; or take it over: {command(change.address, id_)}"


@contextmanager
def quick_checks(
    stack: Stack, request: PlanRequest, owned: frozenset[str]
) -> Iterator[AccountChecks]:
    """Ask the account what an apply would meet while the block runs, then report what was found.

    In notices, also where the block fails: a missing role may be why. What an apply of the
    plan would fail at is for the guards: `AccountChecks.refusals`.

    Args:
        stack: The stack; only those of this project's app are checked.
        request: What is planned; a destroy plan meets nothing new.
        owned: What the stack's state holds: those names are not taken by somebody else.
    """
    checks = AccountChecks(stack)
    settings = stack.location.stacks.get(stack.name)
    if settings is None or settings.bootstrap not in _CHECKED or request.kind is not PlanKind.APPLY:
        yield checks
        return
    checks.thread = threading.Thread(
        target=_check, args=(stack, request, owned, checks.found), daemon=True
    )
    checks.thread.start()
    try:
        yield checks
    finally:
        checks.report()


def _check(
    stack: Stack, request: PlanRequest, owned: frozenset[str], found: list[ReportData]
) -> None:
    # Here, beside Terraform: boto3 takes a while to import.
    from biomodal_deploy.aws.preflight import run_preflight
    from biomodal_deploy.workflow.preflight import read_target

    location = stack.location
    try:
        target = read_target(
            location, stack.settings, request.var_files, request.variables, cwd=request.cwd
        )
        session = open_session(target.region)
        found.append(
            run_preflight(
                target,
                session,
                quick=True,
                owned=owned,
                elsewhere=held_elsewhere(location, stack.name),
                seconds=_SECONDS,
            )
        )
    except BiomodalError:
        # What is wrong with values or credentials, the plan itself says.
        return


def _fix(finding: CheckData, unfinished: Unfinished | None) -> str:
    from biomodal_deploy.aws.preflight import Layer

    if unfinished and finding.layer == Layer.NAMES:
        # Advice to delete it would delete what that apply has just made.
        return (
            f"the apply of the plan {unfinished.name} may have created it"
            f" ({unfinished.use.sentence()}): do not delete it before that is clear"
        )
    return finding.fix or ""


def count_contents(
    plan: Plan, region: str | None, environment: Mapping[str, str]
) -> dict[str, int | str]:
    """Count what emptied buckets and repositories hold, by address, for a while.

    What was not counted to the end is a text that says so. One that cannot be counted is left
    out: the guard then says that the number is unknown.
    """
    found = emptied(plan)
    # With the credentials of this process another account would be asked.
    if not found or region is None or not is_ours(environment):
        return {}

    from biomodal_deploy.aws.ledger.counting import Patience, count_bucket, count_images

    counts: dict[str, int | str] = {}
    patience = Patience(_COUNTING_SECONDS, lambda _: None)
    for each in found:
        try:
            clients = Clients(open_session(region), region)
            if each.kind == "aws_s3_bucket":
                contents = count_bucket(clients, each.name, patience)
                # Former versions too: with versioning on they are data as well.
                number = contents.objects + contents.old_versions
                whole = contents.complete and contents.sees_versions
            else:
                images = count_images(clients, each.name, patience)
                if images is None:
                    continue
                number, whole = images.count, images.complete
        except (BotoCoreError, ClientError, BiomodalError):
            continue
        counts[each.address] = number if whole else f"at least {number:,}"
    return counts


def count_running(plan: Plan, region: str | None, environment: Mapping[str, str]) -> dict[str, int]:
    """Count the jobs at work in the queues and environments that a plan replaces or updates.

    What AWS does not say is left out.
    """
    ending = [change for change, _ in ending_jobs(plan) if (change.before or {}).get("arn")]
    if not ending or region is None or not is_ours(environment):
        return {}

    from biomodal_deploy.aws.ledger.counting import WORKING, Patience, count_jobs

    working = {f"{status.lower()} jobs" for status in WORKING}
    patience = Patience(_COUNTING_SECONDS, lambda _: None)
    counts: dict[str, int] = {}
    try:
        clients = Clients(open_session(region), region)
        queues = [
            queue
            for page in clients.batch().get_paginator("describe_job_queues").paginate()
            for queue in page["jobQueues"]
        ]
        for change in ending:
            arn = (change.before or {})["arn"]
            counts[change.address] = sum(
                amount.count
                for queue in queues
                if arn == queue["jobQueueArn"]
                or any(
                    arn == each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]
                )
                for amount in count_jobs(clients, queue["jobQueueArn"], patience) or ()
                if amount.what in working
            )
    except (BotoCoreError, ClientError, BiomodalError):
        return {}
    return counts
