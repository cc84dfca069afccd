"""How much goes with a bucket or repository that is deleted with everything in it."""

from __future__ import annotations

from collections.abc import Mapping

from biomodal_deploy.guards import emptied
from biomodal_deploy.identity import is_ours
from biomodal_deploy.plan import Plan


def count_contents(
    plan: Plan, region: str | None, environment: Mapping[str, str]
) -> dict[str, int]:
    """Count what emptied buckets and repositories hold, by address.

    One that cannot be counted is left out: the guard then says that the number is unknown.

    Args:
        plan: The plan.
        region: Where they are.
        environment: What Terraform finds its credentials in.
    """
    found = emptied(plan)
    # With the credentials of this process another account would be asked.
    if not found or not is_ours(environment):
        return {}
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    counts: dict[str, int] = {}
    for each in found:
        try:
            if each.kind == "aws_s3_bucket":
                s3 = boto3.client("s3", region_name=region)
                # Versions and delete markers too: with versioning on they are data as well.
                pages = s3.get_paginator("list_object_versions").paginate(Bucket=each.name)
                counts[each.address] = sum(len(page.get("Versions", ())) for page in pages)
            else:
                ecr = boto3.client("ecr", region_name=region)
                images = ecr.get_paginator("list_images").paginate(repositoryName=each.name)
                counts[each.address] = sum(len(page["imageIds"]) for page in images)
        except (BotoCoreError, ClientError):
            continue
    return counts
