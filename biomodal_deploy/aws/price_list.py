"""What AWS's Price List API and its history of Spot prices say that things cost in a region.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html: each
product comes as a JSON text of its own, with its terms. Reading them takes `pricing:GetProducts`,
and for Spot `ec2:DescribeSpotPriceHistory`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from pydantic import BaseModel, Field, ValidationError

from biomodal_deploy.aws.checks import Unavailable, run_all
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.errors import EngineError

SECONDS: Final = 60.0
_SPOT_SIZE, _SPOT_VCPUS = "4xlarge", 16
_LINUX: Final = {
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "tenancy": "Shared",
    "capacitystatus": "Used",
}
_S3_CLASSES: Final = {
    "STANDARD": "Standard",
    "STANDARD_IA": "Standard - Infrequent Access",
    "ONEZONE_IA": "One Zone - Infrequent Access",
    "GLACIER_IR": "Glacier Instant Retrieval",
    "GLACIER": "Amazon Glacier",
    "DEEP_ARCHIVE": "Glacier Deep Archive",
}


class _Dimension(BaseModel):
    begin: str = Field(default="0", alias="beginRange")
    amounts: dict[str, float] = Field(default_factory=dict, alias="pricePerUnit")


class _Term(BaseModel):
    dimensions: dict[str, _Dimension] = Field(default_factory=dict, alias="priceDimensions")


class _Terms(BaseModel):
    on_demand: dict[str, _Term] = Field(default_factory=dict, alias="OnDemand")


class _Product(BaseModel):
    attributes: dict[str, str] = Field(default_factory=dict)


class Offer(BaseModel):
    """One product of the price list with its terms, as far as they are read."""

    product: _Product
    terms: _Terms = _Terms()

    @property
    def usage(self) -> str:
        """The usage type, such as `EU-PublicIPv4:InUseAddress`."""
        return self.product.attributes.get("usagetype", "")

    @property
    def amount(self) -> float | None:
        """US dollars for a unit, before any discount for quantity; None where it has none."""
        found = [
            dimension.amounts["USD"]
            for term in self.terms.on_demand.values()
            for dimension in term.dimensions.values()
            if dimension.begin == "0" and dimension.amounts.get("USD")
        ]
        return max(found, default=None)


@dataclass(frozen=True)
class _Question:
    service: str
    filters: Mapping[str, str]
    unit: str
    usage: str = ""
    by_vcpu: bool = False


@dataclass(frozen=True)
class Found:
    """What was looked up.

    Attributes:
        spot: US dollars for a Spot vCPU-hour by name: the dearest zone now.
    """

    prices: dict[str, dict[str, float]] = field(default_factory=dict)
    spot: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def look_up(clients: Clients, names: Iterable[str]) -> Found:
    """Ask AWS for prices in the clients' region.

    Args:
        names: Names of prices: `instance/TYPE`, `vcpu/FAMILY`, `spot/FAMILY`, `volume/TYPE`,
            `s3/CLASS`, `address`, `endpoint`, `metric`, `alarm`, `key`, `images`, `logs/written`,
            `logs/kept`.

    Raises:
        EngineError: AWS gave no price at all.
    """
    names = sorted(set(names))
    found = Found()
    failure: Unavailable | None = None
    jobs = [partial(_price, clients, name) for name in names]
    for number, answer in run_all(jobs, clients, SECONDS):
        name = names[number]
        if isinstance(answer, Unavailable):
            found.missing[name] = answer.line
            # Spot is the lesser part of it: what stops the price list itself is told.
            failure = answer if failure is None or not name.startswith("spot/") else failure
        elif answer is None:
            found.missing[name] = "AWS's price list has none"
        elif name.startswith("spot/"):
            found.spot[name] = answer
        else:
            found.prices.setdefault(_question(name).unit, {})[name] = answer
    if failure and len(found.missing) == len(names):
        raise EngineError(f"no price was found: {failure.line}", advice=failure.fix)
    return found


def _question(name: str) -> _Question:
    kind, _, which = name.partition("/")
    if kind in ("instance", "vcpu"):
        by_vcpu = kind == "vcpu"
        size = f"{which}.{_SPOT_SIZE}" if by_vcpu else which
        unit = "vCPU-hour" if by_vcpu else "hour"
        return _Question("AmazonEC2", {"instanceType": size, **_LINUX}, unit, by_vcpu=by_vcpu)
    if kind == "volume":
        filters = {"productFamily": "Storage", "volumeApiName": which}
        return _Question("AmazonEC2", filters, "GB-month", "EBS:VolumeUsage")
    if kind == "s3":
        filters = {"productFamily": "Storage", "volumeType": _S3_CLASSES.get(which, which)}
        return _Question("AmazonS3", filters, "GB-month", "TimedStorage")
    return {
        "address": _Question("AmazonVPC", {}, "hour", "PublicIPv4:InUseAddress"),
        "endpoint": _Question("AmazonVPC", {}, "hour", "VpcEndpoint-Hours"),
        "metric": _Question("AmazonCloudWatch", {}, "month", "CW:MetricMonitorUsage"),
        "alarm": _Question("AmazonCloudWatch", {}, "month", "CW:AlarmMonitorUsage"),
        "logs/written": _Question("AmazonCloudWatch", {}, "GB", "DataProcessing-Bytes"),
        "logs/kept": _Question("AmazonCloudWatch", {}, "GB-month", "TimedStorage-ByteHrs"),
        "images": _Question("AmazonECR", {}, "GB-month", "TimedStorage-ByteHrs"),
        "key": _Question("awskms", {}, "month", "KMS-Keys"),
    }[name]


def _price(clients: Clients, name: str) -> float | None:
    if name.startswith("spot/"):
        return _spot(clients, name.removeprefix("spot/"))
    question = _question(name)
    # Where several match, the dearest: an estimate must not come out below the bill.
    found = [
        amount / _vcpus(offer) if question.by_vcpu else amount
        for offer in _offers(clients, question)
        if question.usage in offer.usage and (amount := offer.amount) is not None
    ]
    return round(max(found), 9) if found else None


def _vcpus(offer: Offer) -> int:
    said = offer.product.attributes.get("vcpu", "")
    return int(said) if said.isdecimal() and int(said) else _SPOT_VCPUS


def _offers(clients: Clients, question: _Question) -> Iterator[Offer]:
    filters = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value}
        for name, value in {"regionCode": clients.region, **question.filters}.items()
    ]
    pages = clients.pricing().get_paginator("get_products")
    for page in pages.paginate(ServiceCode=question.service, Filters=filters):
        for text in page["PriceList"]:
            try:
                yield Offer.model_validate_json(text)
            except ValidationError:
                continue  # of another shape: it has no price that could be read


def _spot(clients: Clients, family: str) -> float | None:
    said = clients.ec2().describe_spot_price_history(
        InstanceTypes=[f"{family}.{_SPOT_SIZE}"],  # type: ignore[list-item]  # AWS checks it
        ProductDescriptions=["Linux/UNIX"],
        StartTime=datetime.now(UTC),
    )
    found = [float(each["SpotPrice"]) for each in said["SpotPriceHistory"]]
    return round(max(found) / _SPOT_VCPUS, 9) if found else None
