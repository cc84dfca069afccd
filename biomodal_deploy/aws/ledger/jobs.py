"""Jobs of an AWS Batch queue that are not over."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.ledger.counting import Patience
from biomodal_deploy.aws.ledger.model import Amount

WAITING: Final = ("SUBMITTED", "PENDING", "RUNNABLE")
WORKING: Final = ("STARTING", "RUNNING")
ACTIVE: Final = (*WAITING, *WORKING)


def count_jobs(clients: Clients, queue: str, patience: Patience) -> tuple[Amount, ...] | None:
    """Count a queue's jobs that are not over, by status; None where there is no such queue.

    Args:
        clients: How to ask.
        queue: The queue's ARN or name.
        patience: How long.

    Raises:
        ClientError: They cannot be listed.
        BotoCoreError: AWS cannot be reached.
    """
    found = []
    try:
        for status in ACTIVE:
            count, more = 0, False
            pages = clients.batch().get_paginator("list_jobs")
            for page in pages.paginate(jobQueue=queue, jobStatus=status):
                count += len(page["jobSummaryList"])
                patience.say(f"Counting the jobs of {queue.rpartition('/')[2]}: {count:,} so far")
                if page.get("nextToken") and patience.over:
                    more = True
                    break
            found.append(Amount(what=f"{status.lower()} jobs", count=count, more=more))
    except ClientError as error:
        if "does not exist" in str(error) or "not found" in str(error):
            return None
        raise
    return tuple(found)
