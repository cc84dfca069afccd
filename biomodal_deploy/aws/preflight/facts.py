"""What several checks need to know, looked up once, whichever of them asks first.

Where a subnet's traffic to the internet goes is read from its VPC's route tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, unknown
from biomodal_deploy.aws.clients import Clients, Once
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.contract.aws import CANONICAL, IMAGE_NAME

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        FilterTypeDef,
        ImageTypeDef,
        InstanceTypeInfoTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SubnetTypeDef,
        VpcEndpointTypeDef,
    )


@dataclass(frozen=True)
class Caller:
    """Who the credentials belong to."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """The partition of the account."""
        return self.arn.split(":")[1]


@dataclass(frozen=True)
class Running:
    """A machine that counts against a quota."""

    type: str
    vcpus: int
    spot: bool


class Facts:
    """Everything that a check is given.

    Args:
        owned: What the stack's state holds already, from `owned_by`; None where it is unknown.
        elsewhere: What other states of the project hold, likewise, with whose each is.
    """

    def __init__(
        self,
        target: Target,
        clients: Clients,
        owned: frozenset[str] | None,
        elsewhere: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.target, self.clients, self.elsewhere = target, clients, elsewhere
        self.owned, self.state_is_known = owned or frozenset(), owned is not None
        self.caller = Once(self._caller)
        self.subnet = Once(self._subnet)
        self.default_route = Once(self._default_route)
        self.endpoints = Once(self._endpoints)
        self.gateways = Once(self._gateways)
        self.image = Once(self._image)
        self.instance_kind = Once(self._instance_kind)
        self.running = Once(lambda: running_in(clients))

    def command(self, service: str, verb: str, *words: str) -> str:
        """Return an `aws` command in the stack's region, fit for a shell."""
        return aws(service, verb, self.target.region, *words)

    def holds(self, kind: str, *ids: str) -> bool:
        """Return whether the stack's state holds a resource of this type with one of these ids."""
        return any(f"{kind}:{each}" in self.owned for each in ids)

    def holds_any(self, kind: str) -> bool:
        """Return whether the stack's state holds any resource of this type."""
        return any(each.startswith(f"{kind}:") for each in self.owned)

    def taken(self, line: str, whose: str, fix: str) -> Finding:
        """Return the finding that a name is in use, which may be this stack's own use of it.

        Args:
            whose: That it is not this stack's, for where its state says so.
        """
        if self.state_is_known:
            return failed(f"{line}{whose}", fix)
        return unknown(
            f"{line}; whether it is this stack's own is unknown, since its state was not read",
            "biomodal-aws plan reads the state, and then says whose it is",
        )

    def known_subnet(self) -> SubnetTypeDef:
        """Return the subnet."""
        if (subnet := self.subnet()) is None:
            raise Unavailable(f"there is no subnet {self.target.subnet_id}")
        return subnet

    def arn(self, service: str, resource: str, *, in_account: bool = True) -> str:
        """Return the ARN of a resource without a region, as IAM's and S3's are."""
        caller = self.caller()
        return (
            f"arn:{caller.partition}:{service}::{caller.account if in_account else ''}:{resource}"
        )

    def _caller(self) -> Caller:
        said = self.clients.sts().get_caller_identity()
        return Caller(account=said["Account"], arn=said["Arn"])

    def _subnet(self) -> SubnetTypeDef | None:
        ask = partial(self.clients.ec2().describe_subnets, SubnetIds=[self.target.subnet_id])
        said = or_none(ask, "NotFound")
        return said["Subnets"][0] if said else None

    def _default_route(self) -> DefaultRoute:
        pages = self.clients.ec2().get_paginator("describe_route_tables")
        found = pages.paginate(Filters=[self._in_vpc("vpc-id")])
        tables = [table for page in found for table in page["RouteTables"]]
        return default_route_of(self.target.subnet_id, tables)

    def _in_vpc(self, name: str) -> FilterTypeDef:
        return {"Name": name, "Values": [self.known_subnet()["VpcId"]]}

    def _endpoints(self) -> tuple[tuple[str, VpcEndpointTypeDef], ...]:
        """Return the VPC's endpoints, each with its service's last word or two (`ecr.api`)."""
        pages = self.clients.ec2().get_paginator("describe_vpc_endpoints")
        # `com.amazonaws.eu-west-2.ecr.api`, in China also `cn.com.amazonaws.cn-north-1.ecr.api`.
        mark = f".{self.target.region}."
        return tuple(
            (found["ServiceName"].rpartition(mark)[2], found)
            for page in pages.paginate(Filters=[self._in_vpc("vpc-id")])
            for found in page["VpcEndpoints"]
            # EC2 goes on showing deleted ones for a while.
            if found.get("State", "available").lower() in ("available", "pending")
        )

    def _gateways(self) -> tuple[str, ...]:
        said = self.clients.ec2().describe_internet_gateways(
            Filters=[self._in_vpc("attachment.vpc-id")]
        )
        return tuple(gateway["InternetGatewayId"] for gateway in said["InternetGateways"])

    def image_owner(self) -> str:
        """Return the account that the stack takes its image from."""
        # The module stack names the owner of the standard partition, as documented.
        partition = self.clients.partition if self.target.bootstrap == "native" else "aws"
        return CANONICAL.get(partition, CANONICAL["aws"])

    def _image(self) -> ImageTypeDef | None:
        describe = self.clients.ec2().describe_images
        chosen = self.target.hardened.ami_id if self.target.hardened else ""
        if chosen:
            said = or_none(lambda: describe(ImageIds=[chosen]), "InvalidAMIID")
            return _newest(said["Images"]) if said else None
        ubuntu = describe(
            Owners=[self.image_owner()],
            Filters=[
                {"Name": "name", "Values": [IMAGE_NAME]},
                {"Name": "virtualization-type", "Values": ["hvm"]},
            ],
        )
        return _newest(ubuntu["Images"])

    def _instance_kind(self) -> InstanceTypeInfoTypeDef | None:
        ask = partial(
            self.clients.ec2().describe_instance_types,
            # The type is a person's text; the stubs list the types of their own day.
            InstanceTypes=[self.target.instance_type],  # type: ignore[list-item]
        )
        said = or_none(ask, "InvalidInstanceType")
        return said["InstanceTypes"][0] if said else None


def running_in(clients: Clients) -> tuple[Running, ...]:
    """Return the machines that run in a region, whoever started them."""
    pages = clients.ec2().get_paginator("describe_instances")
    return tuple(
        Running(
            type=machine["InstanceType"],
            vcpus=machine["CpuOptions"]["CoreCount"] * machine["CpuOptions"]["ThreadsPerCore"],
            spot=machine.get("InstanceLifecycle") == "spot",
        )
        for page in pages.paginate(
            Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}],
            PaginationConfig={"PageSize": 1000},
        )
        for reservation in page["Reservations"]
        for machine in reservation["Instances"]
    )


def _newest(images: Sequence[ImageTypeDef]) -> ImageTypeDef | None:
    return max(images, key=lambda image: image.get("CreationDate", ""), default=None)


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
