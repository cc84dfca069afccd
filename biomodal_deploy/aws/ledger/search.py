"""What a search of the account needs: the deployment's names, and how to ask by id and by tag.

What is known by its id is this deployment's for certain. Tags are weaker: the documented one says
`environment = development`, and other deployments may say the same. Such a find counts as ours
only where its `Name` is the deployment's too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.ledger.subject import Subject

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, TagTypeDef

# Of volumes and network interfaces: what is attached to nothing.
UNUSED: Final[FilterTypeDef] = {"Name": "status", "Values": ["available"]}


@dataclass(frozen=True)
class Search:
    """A search of one account for what is left of one deployment.

    Attributes:
        subject: The deployment, as its destroy plan knew it.
        clients: How to ask.
    """

    subject: Subject
    clients: Clients

    @property
    def region(self) -> str:
        """Where it is searched."""
        return self.clients.region

    def tagged(self) -> list[FilterTypeDef]:
        """Return the filter for the deployment's tag; empty where it is not known."""
        if self.subject.tag is None:
            return []
        key, value = self.subject.tag
        return [{"Name": f"tag:{key}", "Values": [value]}]

    def is_named(self, tags: Sequence[TagTypeDef]) -> bool:
        """Say whether tags name this very deployment, and not only something that it shares."""
        # The whole name: `lab-2` may be another deployment than `lab`.
        name = next((each.get("Value") for each in tags if each.get("Key") == "Name"), None)
        return name is not None and name == self.subject.vm_name


def ec2_command(search: Search, verb: str, *words: str) -> str:
    """Return a command of the AWS CLI for EC2, in the search's region."""
    return aws("ec2", verb, search.region, *words)
