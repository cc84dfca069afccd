"""How much goes with what a plan deletes or replaces: objects, images, jobs at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from biomodal_deploy.aws.identity import is_ours
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.consequences import ending_jobs
from biomodal_deploy.plan.guards import emptied

# A guard's sentence is worth so long; the ledger of a destroy counts on.
_SECONDS: Final = 5.0


def count_contents(
    plan: Plan, region: str | None, environment: Mapping[str, str]
) -> dict[str, int | str]:
    """Count what emptied buckets and repositories hold, by address, for a while.

    What was not counted to the end is a text that says so. One that cannot be counted is left
    out: the guard then says that the number is unknown.

    Args:
        plan: The plan.
        region: Where they are.
        environment: What Terraform finds its credentials in.
    """
    found = emptied(plan)
    # With the credentials of this process another account would be asked.
    if not found or region is None or not is_ours(environment):
        return {}
    from botocore.exceptions import BotoCoreError, ClientError

    from biomodal_deploy.aws.clients import Clients
    from biomodal_deploy.aws.ledger.counting import Patience, count_images
    from biomodal_deploy.aws.ledger.objects import count_bucket
    from biomodal_deploy.aws.session import open_session

    counts: dict[str, int | str] = {}
    patience = Patience(_SECONDS, lambda _: None)
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

    Args:
        plan: The plan.
        region: Where they are.
        environment: What Terraform finds its credentials in.
    """
    ending = [change for change, _ in ending_jobs(plan) if (change.before or {}).get("arn")]
    if not ending or region is None or not is_ours(environment):
        return {}
    from botocore.exceptions import BotoCoreError, ClientError

    from biomodal_deploy.aws.clients import Clients
    from biomodal_deploy.aws.ledger.counting import WORKING, Patience, count_jobs
    from biomodal_deploy.aws.session import open_session

    working = {f"{status.lower()} jobs" for status in WORKING}
    patience = Patience(_SECONDS, lambda _: None)
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
