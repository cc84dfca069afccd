"""Where a subnet's traffic to the internet goes, read from its VPC's route tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import RouteTableTypeDef, RouteTypeDef

WayOut: TypeAlias = Literal["internet", "nat", "other", "blackhole", "none"]


@dataclass(frozen=True)
class DefaultRoute:
    """Where the subnet's traffic to the internet goes.

    Attributes:
        table: The route table, or None where the VPC shows none.
    """

    table: str | None
    way: WayOut
    through: str = ""


def default_route_of(subnet: str, tables: Sequence[RouteTableTypeDef]) -> DefaultRoute:
    """Return a subnet's way out."""
    table = _table_of(tables, subnet)
    if table is None:
        return DefaultRoute(None, "none")
    to_all = [
        route
        for route in table.get("Routes", [])
        if route.get("DestinationCidrBlock") == "0.0.0.0/0"
    ]
    way, through = _way(to_all[0]) if to_all else ("none", "")
    return DefaultRoute(table["RouteTableId"], way, through)


def _table_of(tables: Sequence[RouteTableTypeDef], subnet: str) -> RouteTableTypeDef | None:
    """Return the subnet's own route table, else its VPC's main one."""
    main = None
    for table in tables:
        for link in table.get("Associations", []):
            if link.get("SubnetId") == subnet:
                return table
            if link.get("Main"):
                main = table
    return main


def _way(route: RouteTypeDef) -> tuple[WayOut, str]:
    through = next(
        (
            str(value)
            for key, value in route.items()
            if key.endswith(("GatewayId", "InstanceId", "InterfaceId", "ConnectionId", "Arn"))
        ),
        "",
    )
    if route.get("State") == "blackhole":
        return "blackhole", through
    if through.startswith("igw-"):
        return "internet", through
    return ("nat" if through.startswith("nat-") else "other"), through
