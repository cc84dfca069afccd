"""Ask AWS what a plan's environment costs, and keep the answer in the project."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.price_list import look_up
from biomodal_deploy.plan import Plan
from biomodal_deploy.review.cost import PRICES_FILE, PriceFile, PriceGroup, read_price_file
from biomodal_deploy.review.cost.estimate import families_of
from biomodal_deploy.review.cost.resources import Instance, priced_after, priced_before

_ALWAYS: Final = (
    "address",
    "alarm",
    "endpoint",
    "images",
    "key",
    "logs/kept",
    "logs/written",
    "metric",
    *(f"volume/{kind}" for kind in ("gp2", "gp3", "st1", "sc1")),
    *(f"s3/{name}" for name in ("STANDARD", "STANDARD_IA", "GLACIER_IR", "GLACIER")),
    "s3/DEEP_ARCHIVE",
)


def refresh(plan: Plan, clients: Clients, project: Path, today: date) -> Mapping[str, str]:
    """Look up the prices that a plan needs, write them to the project, say which were not found."""
    path = project / PRICES_FILE
    kept = dict(read_price_file(path).regions)
    found = look_up(clients, _names(plan))
    groups = [
        PriceGroup(as_of=today, source="AWS Price List API", unit=unit, prices=prices)
        for unit, prices in sorted(found.prices.items())
    ]
    if found.spot:
        source = "EC2 Spot price history"
        groups.append(PriceGroup(as_of=today, source=source, unit="vCPU-hour", prices=found.spot))
    kept[clients.region] = tuple(groups)
    text = PriceFile(regions=kept).model_dump_json(indent=2)
    files.replace(path, f"{text}\n".encode(), mode=files.public_mode())
    return found.missing


def _names(plan: Plan) -> set[str]:
    resources = priced_before(plan) + priced_after(plan)
    names = set(_ALWAYS)
    for kind in families_of(resources):
        family, _, size = kind.partition(".")
        names |= {f"instance/{kind}"} if size else {f"vcpu/{family}", f"spot/{family}"}
    for each in resources:
        if each.type == "aws_instance" and (own := each.read(Instance).instance_type):
            names.add(f"instance/{own}")
    return names
