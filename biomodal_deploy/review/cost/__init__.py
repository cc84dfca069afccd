"""What a plan's environment costs: idle, at its most, and for the data that it keeps.

Here stands what AWS charges, as dated facts: the package's table, and over it what a project
refreshed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from biomodal_deploy.config.contract import aws
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

PRICES_FILE: Final = "prices.json"
"""The project's own prices, which `cost --refresh` writes."""

STALE_DAYS: Final = 90
MONTH_HOURS: Final = 730
"""As AWS's own calculator counts: 365 days of 24 hours in 12 months."""

# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html: the size gives the
# number of vCPUs, in the families that the table prices by vCPU. c4.8xlarge, with 36, is the one
# exception that is known, and no family of its age is in the table.
_SIZE: Final = re.compile(r"(?P<family>[a-z0-9-]+)\.(?:(?P<times>\d*)x)?large")
_MOST: Final = 64 * 1024 * 1024

_Region = Annotated[str, StringConstraints(pattern=f"^{aws.REGION}$")]


class _Data(BaseModel, frozen=True, extra="forbid"):
    pass


class Price(_Data):
    """One price.

    Attributes:
        amount: US dollars for one unit.
        unit: `hour`, `vCPU-hour`, `GB-month`, `GB` or `month`.
        as_of: The day on which it was looked up.
        source: Where: AWS's page or API.
    """

    amount: float
    unit: str
    as_of: date
    source: str


class PriceGroup(_Data):
    """Prices that were looked up together."""

    as_of: date
    source: str
    unit: str
    prices: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]


class PriceFile(_Data):
    """A file of prices: groups by region."""

    regions: dict[_Region, tuple[PriceGroup, ...]]


class Prices:
    """The prices of one region."""

    def __init__(self, region: str, groups: tuple[PriceGroup, ...]) -> None:
        self.region = region
        self._prices: Mapping[str, Price] = {
            name: Price(amount=amount, unit=each.unit, as_of=each.as_of, source=each.source)
            for each in groups
            for name, amount in each.prices.items()
        }

    @classmethod
    def of(cls, region: str, project: Path | None = None) -> Self:
        """Return the prices of a region: the package's, and over them the project's."""
        groups = _packaged().regions.get(region, ())
        if project is not None:
            groups += read_price_file(project / PRICES_FILE).regions.get(region, ())
        return cls(region, groups)

    def get(self, name: str) -> Price | None:
        """Return a price, or None where it is not known: never zero."""
        return self._prices.get(name)

    def instance(self, kind: str) -> Price | None:
        """Return the On-Demand price of an instance type for an hour (Linux, shared)."""
        if found := self.get(f"instance/{kind}"):
            return found
        per_vcpu = self.get(f"vcpu/{kind.partition('.')[0]}")
        vcpus = vcpus_of(kind)
        if per_vcpu is None or vcpus is None:
            return None
        return per_vcpu.model_copy(
            update={"amount": round(per_vcpu.amount * vcpus, 6), "unit": "hour"}
        )

    def vcpu(self, kind: str) -> Price | None:
        """Return the price of a vCPU for an hour, in a family or in one instance type."""
        if found := self.get(f"vcpu/{kind.partition('.')[0]}"):
            return found
        whole, vcpus = self.get(f"instance/{kind}"), vcpus_of(kind)
        if whole is None or vcpus is None:
            return None
        return whole.model_copy(
            update={"amount": round(whole.amount / vcpus, 6), "unit": "vCPU-hour"}
        )


def vcpus_of(kind: str) -> int | None:
    """Return how many vCPUs an instance type has by its size; None where that does not say."""
    size = _SIZE.fullmatch(kind)
    if size is None:
        return None
    # t3.large has 2 vCPUs as m5.large has, t3.medium 2 as well: it is not asked for.
    return 2 if size["times"] is None else 4 * int(size["times"] or 1)


def read_price_file(path: Path) -> PriceFile:
    """Read a project's file of prices; an absent one holds none."""
    try:
        return PriceFile.model_validate_json(read_regular(path, _MOST))
    except FileNotFoundError:
        return PriceFile(regions={})
    except OSError as error:
        raise UsageError(
            f"the prices cannot be read ({error.strerror})",
            field=str(path),
            fix="make it a readable file",
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"not a file of prices: {place or 'the file'}: {first['msg']}",
            field=str(path),
            fix="remove it, and write it again with: biomodal-aws cost --refresh",
        ) from None


@cache
def _packaged() -> PriceFile:
    found = files("biomodal_deploy.review.cost").joinpath("prices.json")
    return PriceFile.model_validate_json(found.read_bytes())
