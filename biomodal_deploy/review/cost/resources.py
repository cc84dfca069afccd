"""What of a plan's resources has a price, read from their attributes, and what storage costs."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from biomodal_deploy.plan import HIDDEN_TEXT, Action, Plan, ResourceChange
from biomodal_deploy.plan.changes import Data
from biomodal_deploy.plan.redactor import UNKNOWN_TEXT
from biomodal_deploy.review.cost import MONTH_HOURS, Prices

_T = TypeVar("_T")
_M = TypeVar("_M", bound=BaseModel)


def _known(value: object) -> object:
    return None if value in (UNKNOWN_TEXT, HIDDEN_TEXT) else value


def _blocks(value: object) -> object:
    """Read nested blocks; none where they are not known before the apply."""
    return value if isinstance(value, list) else []


Known = Annotated[_T | None, BeforeValidator(_known)]
Blocks = Annotated[list[_T], BeforeValidator(_blocks)]


class _Read(BaseModel, frozen=True):
    pass


class Volume(_Read):
    """A disk: of a VM, of a launch template, or by itself (whose size is `size`)."""

    volume_size: Known[int] = None
    volume_type: Known[str] = None
    size: Known[int] = None
    type: Known[str] = None
    iops: Known[int] = None
    throughput: Known[int] = None


class Instance(_Read):
    """`aws_instance`."""

    instance_type: Known[str] = None
    monitoring: Known[bool] = None
    associate_public_ip_address: Known[bool] = None
    root_block_device: Blocks[Volume] = []
    ebs_block_device: Blocks[Volume] = []


class _Mapping(_Read):
    ebs: Blocks[Volume] = []


class Template(_Read):
    """`aws_launch_template`."""

    block_device_mappings: Blocks[_Mapping] = []

    @property
    def volumes(self) -> list[Volume]:
        """The disks of each host."""
        return [volume for mapping in self.block_device_mappings for volume in mapping.ebs]


class Hosts(_Read):
    """The hosts of a compute environment."""

    type: Known[str] = None
    min_vcpus: Known[int] = None
    max_vcpus: Known[int] = None
    bid_percentage: Known[int] = None
    instance_type: Blocks[str] = []


class Environment(_Read):
    """`aws_batch_compute_environment`."""

    state: Known[str] = None
    compute_resources: Blocks[Hosts] = []


class Endpoint(_Read):
    """`aws_vpc_endpoint`."""

    vpc_endpoint_type: Known[str] = None
    subnet_ids: Blocks[str] = []


class _Step(_Read):
    """When what it holds for goes on, to which class, or away."""

    days: Known[int] = None
    noncurrent_days: Known[int] = None
    storage_class: Known[str] = None


class _Filter(_Read):
    prefix: Known[str] = None


class Rule(_Read):
    """One rule of a bucket's life cycle."""

    id: Known[str] = None
    status: Known[str] = None
    prefix: Known[str] = None
    filter: Blocks[_Filter] = []
    expiration: Blocks[_Step] = []
    noncurrent_version_expiration: Blocks[_Step] = []
    transition: Blocks[_Step] = []

    @property
    def where(self) -> str:
        """The prefix that it holds for; empty for the whole bucket."""
        return next((each.prefix for each in self.filter if each.prefix), None) or self.prefix or ""


class Lifecycle(_Read):
    """`aws_s3_bucket_lifecycle_configuration`."""

    rule: Blocks[Rule] = []


MODELS: Final[dict[str, type[_Read]]] = {
    "aws_instance": Instance,
    "aws_ebs_volume": Volume,
    "aws_launch_template": Template,
    "aws_batch_compute_environment": Environment,
    "aws_vpc_endpoint": Endpoint,
    "aws_s3_bucket_lifecycle_configuration": Lifecycle,
    "aws_eip": _Read,
    "aws_kms_key": _Read,
    "aws_cloudwatch_metric_alarm": _Read,
    "aws_s3_bucket": _Read,
}
"""Every resource type that is priced, and what is read of it."""


@dataclass(frozen=True)
class Priced:
    """A resource that has a price.

    Attributes:
        refers_to: The resources that it mentions, without keys.
    """

    address: str
    type: str
    values: BaseModel
    refers_to: tuple[str, ...]

    def read(self, model: builtins.type[_M]) -> _M:
        """Return what was read, as what its type's model says."""
        if not isinstance(self.values, model):
            raise TypeError(f"{self.address} is no {model.__name__}")
        return self.values


def priced_before(plan: Plan) -> list[Priced]:
    """Return what costs something before the apply."""
    return _priced((each, each.before) for each in plan.resource_changes)


def priced_after(plan: Plan) -> list[Priced]:
    """Return what costs something after it; what Terraform only forgets goes on to."""
    forgotten = (Action.FORGET, Action.REPLACE_AND_FORGET)
    lasting = [each for each in plan.resource_changes if each.action in forgotten]
    return _priced(
        [*((each, each.after) for each in plan.resource_changes)]
        + [(each, each.before) for each in lasting]
    )


def _priced(found: Iterable[tuple[ResourceChange, dict[str, object] | None]]) -> list[Priced]:
    return [
        Priced(
            change.address, change.type, _read(MODELS[change.type], values or {}), change.refers_to
        )
        for change, values in found
        if change.managed
        and change.type in MODELS
        # What does not change is there, whether its attributes were kept or not.
        and (values is not None or change.action is Action.NO_OP)
    ]


def _read(model: type[_Read], values: dict[str, object]) -> _Read:
    try:
        return model.model_validate(values)
    except ValidationError:
        # A provider may write an attribute in another way some day: nothing is known of it then.
        return model()


_TB: Final = 1024


class Stored(Data):
    """What a terabyte (1,024 GB) costs that is kept in the bucket.

    Attributes:
        what: Which data: a prefix, former versions, or whatever no rule names.
        month: US dollars a month in the class that it is written to; None without a price.
        later: Where it goes: the day, the storage class and US dollars a month from then on.
        deleted_after: The day on which it is deleted; None where it stays.
        total: US dollars until it is deleted; None where it stays or a price is not known.
    """

    what: str
    month: float | None
    later: tuple[tuple[int, str, float | None], ...] = ()
    deleted_after: int | None = None
    total: float | None = None


def storage_of(found: Iterable[Priced], prices: Prices) -> Iterator[Stored]:
    """Yield what data costs, by rule of the bucket's life cycle, and where there is none."""
    found = list(found)
    rules = [
        rule
        for each in found
        if each.type == "aws_s3_bucket_lifecycle_configuration"
        for rule in each.read(Lifecycle).rule
        if rule.status == "Enabled"
    ]
    month = _terabyte(prices, "STANDARD")
    if rules or any(each.type == "aws_s3_bucket" for each in found):
        yield Stored(what="data that no rule names", month=month)
    for rule in rules:
        yield from _kept(rule, month, prices)


def _kept(rule: Rule, month: float | None, prices: Prices) -> Iterator[Stored]:
    where = rule.where or "the whole bucket"
    later = tuple(
        (each.days, each.storage_class, _terabyte(prices, each.storage_class))
        for each in sorted(rule.transition, key=lambda each: each.days or 0)
        if each.days is not None and each.storage_class
    )
    days = next((each.days for each in rule.expiration if each.days), None)
    if later or days:
        total = _until(days, month, later)
        yield Stored(what=where, month=month, later=later, deleted_after=days, total=total)
    former = next((each.noncurrent_days for each in rule.noncurrent_version_expiration), None)
    if former:
        yield Stored(
            what=f"former versions in {where}",
            month=month,
            deleted_after=former,
            total=_until(former, month, ()),
        )


def _until(
    days: int | None, month: float | None, later: tuple[tuple[int, str, float | None], ...]
) -> float | None:
    """Return what a terabyte costs from the day that it is written to the day it is deleted."""
    if days is None:
        return None
    total, since, rate = 0.0, 0, month
    for day, price in [*((day, price) for day, _, price in later if day < days), (days, None)]:
        if rate is None:
            return None
        total += rate * (day - since) * 24 / MONTH_HOURS
        since, rate = day, price
    return round(total, 4)


def _terabyte(prices: Prices, storage_class: str) -> float | None:
    price = prices.get(f"s3/{storage_class}")
    return None if price is None else round(price.amount * _TB, 4)
