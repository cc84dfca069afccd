"""Which permissions a stack needs, compiled from what it will make.

block   a resource or data block of the synthesized stack, its names evaluated as far as they are
        known before a plan (`expressions.py`, `stack.py`)
grant   what Terraform calls for a kind of block, in which phase: `plan`, `apply` (it is created),
        `update`, `destroy`; on which resources, under which condition (`data/services`, read by
        `catalog.py`)
need    a grant filled in with a block's names: one action on its ARNs (`needs.py`)
policy  needs that share resources and conditions, as IAM's JSON or Terraform (`policies.py`), or
        the other way round: whether given policies allow each need (`check.py`, `evaluate.py`)
place   where a stack goes: partition, region and account, which every ARN begins with
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

from biomodal_deploy.config.contract.aws import ACCOUNT, ACCOUNT_RULE, principals
from biomodal_deploy.errors import UsageError

_ACCOUNT: Final = re.compile(ACCOUNT)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One account in one region.

    Attributes:
        partition: `aws`, `aws-cn`, `aws-us-gov` and so on; it follows from the region.
    """

    partition: str
    region: str
    account: str

    @classmethod
    def of(cls, region: str, account: str) -> Self:
        """Return the place, its partition found from the region.

        Raises:
            UsageError: No partition has such a region, or the account id is none.
        """
        if not _ACCOUNT.fullmatch(account):
            raise UsageError(
                ACCOUNT_RULE,
                field="account",
                value=account,
                fix="ask AWS: aws sts get-caller-identity",
            )
        for partition, pattern in _partitions():
            if pattern.fullmatch(region):
                return cls(partition=partition, region=region, account=account)
        raise UsageError(
            "No AWS partition has such a region",
            field="region",
            value=region,
            fix="give one of: aws account list-regions",
        )

    @property
    def domain(self) -> str:
        """The end of the services' names in `kms:ViaService`, as the catalog's data read it."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def principals(self, service: str) -> tuple[str, ...]:
        """Return the names by which IAM knows a service here: China has a second one."""
        return principals(self.partition, service)


@cache
def _partitions() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return AWS's partitions and how their regions read, as the AWS SDK knows them."""
    from botocore.loaders import Loader

    data = Loader(include_default_search_paths=True).load_data("partitions")
    return tuple((each["id"], re.compile(each["regionRegex"])) for each in data["partitions"])
