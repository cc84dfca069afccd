"""What is in an ECR repository."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.ledger.counting import Patience
from biomodal_deploy.aws.ledger.model import Amount


@dataclass(frozen=True)
class Images:
    """What was counted in a repository.

    Attributes:
        count: Images, those without a tag included.
        bytes: Their sizes; layers that images share are counted for each.
        complete: Whether it was counted to the end.
    """

    count: int
    bytes: int
    complete: bool

    def amounts(self) -> tuple[Amount, ...]:
        """Return it in numbers."""
        more = not self.complete
        return (
            Amount(what="images", count=self.count, more=more),
            Amount(what="bytes", count=self.bytes, more=more),
        )

    def words(self) -> str:
        """Return it for people."""
        return ", ".join(each.words() for each in self.amounts())


def count_images(clients: Clients, name: str, patience: Patience) -> Images | None:
    """Count what a repository holds, for a while; None where there is none of that name.

    Raises:
        ClientError: It cannot be listed.
        BotoCoreError: AWS cannot be reached.
    """
    count = size = 0
    complete = True
    pages = clients.ecr().get_paginator("describe_images").paginate(repositoryName=name)
    try:
        for page in pages:
            for image in page["imageDetails"]:
                count += 1
                size += image.get("imageSizeInBytes", 0)
            patience.say(f"Counting the images of {name}: {count:,} so far")
            if page.get("nextToken") and patience.over:
                complete = False
                break
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            return None
        raise
    return Images(count, size, complete)
