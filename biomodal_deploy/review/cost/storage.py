"""What a terabyte costs in the bucket, with and without the rules of its life cycle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from biomodal_deploy.plan.changes import Data
from biomodal_deploy.review.cost.prices import MONTH_HOURS, Prices
from biomodal_deploy.review.cost.resources import Lifecycle, Priced, Rule

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
