"""What the sandbox's account holds before anyone's first apply, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEFAULT_REGION: Final = "us-east-1"
DEFAULT_ACCOUNT_ID: Final = "123456789012"
ACCOUNT_ALIAS: Final = "sandbox"
# Words and not key-shaped: nothing here can be mistaken for a credential, by people or scanners.
ACCESS_KEY_ID: Final = "sandbox"
SECRET_ACCESS_KEY: Final = "sandbox"  # noqa: S105


@dataclass(frozen=True, order=True)
class Item:
    """One thing in the account.

    Attributes:
        kind: What it is, for people: `EC2 instance`.
        identifier: Its id, name or ARN, whichever tells it from others.
    """

    kind: str
    identifier: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """The seeded account.

    Attributes:
        region: The region that is seeded; the others have a default VPC and nothing else.
        vpc_id: A VPC with DNS, beside the region's default one.
        subnet_ids: Public subnets in two zones, with a route to an internet gateway.
        private_subnet_id: A subnet that has no route out.
        image_id: The newest Ubuntu 22.04 LTS for amd64.
        baseline: Everything that is there before anyone's first apply.
    """

    endpoint: str
    region: str
    account_id: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    private_subnet_id: str
    image_id: str
    baseline: frozenset[Item]
