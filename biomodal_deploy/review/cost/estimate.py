"""From a plan to what its environment costs.

A figure is exact or the most that it can be, and says which: an estimate that comes out lower than
the bill is worth nothing. What has no known price adds nothing, and the sum says that it lacks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final

from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.changes import Data
from biomodal_deploy.review.cost import MONTH_HOURS, STALE_DAYS, Price, Prices, vcpus_of
from biomodal_deploy.review.cost.resources import (
    Endpoint,
    Environment,
    Hosts,
    Instance,
    Priced,
    Stored,
    Template,
    Volume,
    priced_after,
    priced_before,
    storage_of,
)

NOT_COUNTED: Final = (
    "data transfer and NAT gateways",
    "requests to S3, and retrieval from its colder classes",
    "snapshots",
    "CPU credits of burstable types",
    "taxes, discounts and the free tier",
)

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-detailed-monitoring.html: detailed
# monitoring sends seven metrics of an instance, each charged as a custom one.
_DETAILED_METRICS: Final = 7
_PER_GB: Final = {
    "images": "container images, for each GB kept a month",
    "logs/written": "job logs, for each GB written",
    "logs/kept": "job logs, for each GB kept a month",
}
# What costs the same whatever it is set to.
_FLAT: Final = {
    "aws_eip": ("public IPv4 address", "address", MONTH_HOURS),
    "aws_kms_key": ("KMS key", "key", 1),
    "aws_cloudwatch_metric_alarm": ("alarm", "alarm", 1),
}
# What a gp3 volume has without a charge.
_GP3_IOPS, _GP3_THROUGHPUT = 3000, 125
# Canonical's Ubuntu 22.04 image, which the document asks for, is of the hvm-ssd kind: its root disk
# is gp2 where the configuration does not say otherwise.
_IMAGES_VOLUME: Final = "gp2"
# https://docs.aws.amazon.com/batch/latest/userguide/instance-type-compute-table.html: `optimal`
# stands for the same as `default_x86_64` since November 2025.
_X86: Final = ("m6i", "c6i", "r6i", "c7i")
_FAMILIES: Final = {
    "optimal": _X86,
    "default_x86_64": _X86,
    "default_arm64": ("m6g", "c6g", "r6g", "c7g"),
}


class Line(Data):
    """One thing that costs something.

    Attributes:
        what: What it is.
        address: The resource.
        quantity: How many units of the price.
        price: Its price; None where it is not known.
        amount: Quantity by price, in US dollars; None where the price is not known.
    """

    what: str
    address: str
    quantity: float
    price: Price | None
    amount: float | None


class Work(Data):
    """What a number of core hours costs, On-Demand, in the cheapest and the dearest family.

    Attributes:
        core_hours: How many hours of one vCPU.
        least, most: US dollars; None without a price. Spot is never dearer.
        spot: US dollars at Spot's present price in the dearest family and zone; None where it was
            not looked up.
    """

    core_hours: int
    least: float | None
    most: float | None
    spot: float | None = None


class Sums(Data):
    """What an environment costs in two figures; None where nothing of it has a price.

    Attributes:
        month: US dollars a month while idle.
        hour: US dollars in the busiest hour.
    """

    month: float = 0.0
    hour: float = 0.0


class Estimate(Data):
    """What a plan's environment costs.

    Attributes:
        region: Where.
        idle: What runs whether anyone works or not, each for a month.
        busiest: What Batch adds when every vCPU that it may have works, each for an hour.
        storage: What data costs, by rule of the bucket's life cycle.
        work: What computing costs.
        per_gb: What a gigabyte costs besides: job logs and container images.
        before: The sums of what is there now.
        after: The sums once the plan is applied.
        unpriced: What has no known price, and is in no sum.
        oldest: When the oldest price in use was looked up; None where there is none.
        not_counted: What is in no line at all.
    """

    region: str
    idle: tuple[Line, ...]
    busiest: tuple[Line, ...]
    storage: tuple[Stored, ...]
    work: Work | None
    per_gb: tuple[Line, ...]
    before: Sums
    after: Sums
    unpriced: tuple[str, ...]
    oldest: date | None
    not_counted: tuple[str, ...] = NOT_COUNTED

    def is_stale(self, today: date) -> bool:
        """Whether a price in use is older than 90 days."""
        return self.oldest is not None and today - self.oldest > timedelta(days=STALE_DAYS)

    @property
    def proposed_budget(self) -> int | None:
        """A monthly budget in US dollars: idle and the work at its dearest, rounded up to tens."""
        if self.unpriced or self.work is None or self.work.most is None:
            return None
        return int(-(-(self.after.month + self.work.most) // 10) * 10)


def estimate(plan: Plan, prices: Prices, *, core_hours: int = 1000) -> Estimate:
    """Return what a plan's environment costs, now and once it is applied.

    Args:
        core_hours: How many hours of one vCPU a month's work takes.
    """
    before, after = priced_before(plan), priced_after(plan)
    idle, busiest = tuple(idle_lines(after, prices)), tuple(_busiest(after, prices))
    lines = idle + busiest
    days = [line.price.as_of for line in lines if line.price]
    return Estimate(
        region=prices.region,
        idle=idle,
        busiest=busiest,
        storage=tuple(storage_of(after, prices)),
        work=_work(after, prices, core_hours),
        per_gb=tuple(_line(what, "", 1, prices.get(name)) for name, what in _PER_GB.items()),
        before=Sums(month=_sum(idle_lines(before, prices)), hour=_sum(_busiest(before, prices))),
        after=Sums(month=_sum(idle), hour=_sum(busiest)),
        unpriced=tuple(f"{line.what} ({line.address})" for line in lines if line.amount is None),
        oldest=min(days, default=None),
    )


def _sum(lines: Iterable[Line]) -> float:
    return round(sum(line.amount or 0.0 for line in lines), 4)


def _line(what: str, address: str, quantity: float, price: Price | None) -> Line:
    amount = None if price is None else round(quantity * price.amount, 4)
    return Line(what=what, address=address, quantity=quantity, price=price, amount=amount)


def idle_lines(found: list[Priced], prices: Prices) -> Iterator[Line]:
    """Yield what is paid for a month in which nobody works."""
    addresses = sum(each.type == "aws_eip" for each in found)
    for each in found:
        if each.type == "aws_instance":
            yield from _instance(each, each.read(Instance), prices, own_address=not addresses)
        elif each.type == "aws_ebs_volume":
            yield from _volume("volume", each.address, each.read(Volume), prices)
        elif each.type in _FLAT:
            what, name, quantity = _FLAT[each.type]
            yield _line(what, each.address, quantity, prices.get(name))
        elif each.type == "aws_vpc_endpoint":
            endpoint = each.read(Endpoint)
            if endpoint.vpc_endpoint_type not in (None, "Gateway"):
                hours = MONTH_HOURS * max(len(endpoint.subnet_ids), 1)
                yield _line("interface endpoint", each.address, hours, prices.get("endpoint"))
        elif each.type == "aws_batch_compute_environment":
            for hosts in _enabled(each):
                if hosts.min_vcpus:
                    hours = hosts.min_vcpus * MONTH_HOURS
                    price = dearest(hosts, prices)
                    yield _line("vCPUs that are never let go", each.address, hours, price)


def _instance(
    each: Priced, instance: Instance, prices: Prices, *, own_address: bool
) -> Iterator[Line]:
    kind = instance.instance_type
    price = prices.instance(kind) if kind else None
    yield _line(f"VM {kind or 'of a type not known yet'}", each.address, MONTH_HOURS, price)
    for volume in (*instance.root_block_device, *instance.ebs_block_device):
        yield from _volume("VM's volume", each.address, volume, prices)
    if instance.monitoring:
        yield _line("detailed monitoring", each.address, _DETAILED_METRICS, prices.get("metric"))
    if own_address and instance.associate_public_ip_address:
        yield _line("public IPv4 address", each.address, MONTH_HOURS, prices.get("address"))


def _volume(what: str, address: str, volume: Volume, prices: Prices) -> Iterator[Line]:
    kind = volume.volume_type or volume.type or _IMAGES_VOLUME
    size = volume.volume_size or volume.size
    price = prices.get(f"volume/{kind}") if size else None
    yield _line(f"{what}, {size or 'unknown'} GB {kind}", address, size or 0, price)
    if kind in ("io1", "io2") and volume.iops:
        yield _line(f"{what}'s IOPS", address, volume.iops, prices.get(f"{kind}-iops"))
    if kind == "gp3" and (more := (volume.iops or 0) - _GP3_IOPS) > 0:
        yield _line(f"{what}'s IOPS over {_GP3_IOPS:,}", address, more, prices.get("gp3-iops"))
    if kind == "gp3" and (more := (volume.throughput or 0) - _GP3_THROUGHPUT) > 0:
        what = f"{what}'s throughput over {_GP3_THROUGHPUT} MiB/s"
        yield _line(what, address, more, prices.get("gp3-throughput"))


def _enabled(each: Priced) -> list[Hosts]:
    environment = each.read(Environment)
    return [] if environment.state == "DISABLED" else environment.compute_resources


def _kinds(hosts: Hosts) -> tuple[str, ...]:
    """Return the families and types that the hosts may be of."""
    return tuple(kind for word in hosts.instance_type for kind in _FAMILIES.get(word, (word,)))


def dearest(hosts: Hosts, prices: Prices) -> Price | None:
    """Return the price of a vCPU in the dearest family; None where one of them has no price."""
    found = [prices.vcpu(kind) for kind in _kinds(hosts)]
    known = [price for price in found if price is not None]
    complete = known and len(known) == len(found)
    return max(known, key=lambda price: price.amount) if complete else None


def vcpu_ceiling(hosts: Hosts, prices: Prices) -> Price | None:
    """Return the most that a vCPU of these hosts costs an hour; of Spot hosts, their ceiling."""
    price = dearest(hosts, prices)
    if hosts.type == "SPOT" and price and hosts.bid_percentage:
        # https://docs.aws.amazon.com/batch/latest/userguide/spot_compute_environments.html
        share = hosts.bid_percentage / 100
        price = price.model_copy(update={"amount": round(price.amount * share, 6)})
    return price


def _busiest(found: list[Priced], prices: Prices) -> Iterator[Line]:
    """Yield what is paid for an hour in which all vCPUs that Batch may have are at work."""
    templates = {
        each.address: each.read(Template) for each in found if each.type == "aws_launch_template"
    }
    for each in (each for each in found if each.type == "aws_batch_compute_environment"):
        for hosts in _enabled(each):
            vcpus = hosts.max_vcpus or 0
            price = vcpu_ceiling(hosts, prices)
            spot = "Spot at its ceiling" if hosts.type == "SPOT" else "On-Demand"
            families = ", ".join(hosts.instance_type)
            yield _line(f"{vcpus} vCPUs {spot} ({families})", each.address, vcpus, price)
            count = _most_hosts(hosts)
            for address, template in templates.items():
                # Without an index: the reference in the configuration has none.
                if address.partition("[")[0] not in each.refers_to:
                    continue
                for volume in template.volumes:
                    yield from _host_volume(count, each.address, volume, prices)
            what = f"public addresses of {count} hosts, where given"
            yield _line(what, each.address, count, prices.get("address"))


def _most_hosts(hosts: Hosts) -> int:
    """Return how many hosts there are if each is of the smallest size that a family has."""
    smallest = min((vcpus_of(kind) or 2 for kind in _kinds(hosts)), default=2)
    return -(-(hosts.max_vcpus or 0) // smallest)


def _host_volume(count: int, address: str, volume: Volume, prices: Prices) -> Iterator[Line]:
    kind, size = volume.volume_type or _IMAGES_VOLUME, volume.volume_size
    price = prices.get(f"volume/{kind}")
    if price is not None:
        amount = round(price.amount / MONTH_HOURS, 9)
        price = price.model_copy(update={"amount": amount, "unit": "GB-hour"})
    what = f"volumes of {count} hosts, {size or 'unknown'} GB {kind} each"
    yield _line(what, address, count * (size or 0), price if size else None)


def families_of(found: Iterable[Priced]) -> frozenset[str]:
    """Return the families and types of which Batch may start hosts."""
    return frozenset(
        kind
        for each in found
        if each.type == "aws_batch_compute_environment"
        for hosts in _enabled(each)
        for kind in _kinds(hosts)
    )


def _work(found: list[Priced], prices: Prices, core_hours: int) -> Work | None:
    kinds = families_of(found)
    if not kinds:
        return None
    known = [price.amount for kind in kinds if (price := prices.vcpu(kind))]
    spot = [price.amount for kind in kinds if (price := prices.get(f"spot/{kind}"))]
    complete = len(known) == len(kinds)
    return Work(
        core_hours=core_hours,
        least=round(core_hours * min(known), 4) if complete else None,
        most=round(core_hours * max(known), 4) if complete else None,
        spot=round(core_hours * max(spot), 4) if len(spot) == len(kinds) else None,
    )
