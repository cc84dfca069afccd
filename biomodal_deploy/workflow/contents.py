"""How much goes with a bucket or repository that is deleted with everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from biomodal_deploy.aws.identity import is_ours
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.plan import Plan
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
