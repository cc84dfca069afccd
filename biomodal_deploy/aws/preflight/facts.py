"""What several checks need to know, looked up once, whichever of them asks first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, unknown
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.pool import Once
from biomodal_deploy.aws.preflight.routes import DefaultRoute, default_route_of
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.config.contract.aws import CANONICAL, IMAGE_NAME

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import ImageTypeDef


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
class Subnet:
    """The subnet, as EC2 describes it."""

    vpc_id: str
    zone: str
    free_addresses: int
    gives_public_addresses: bool
    owner: str


@dataclass(frozen=True)
class Endpoint:
    """A VPC endpoint.

    Attributes:
        service: The service's last word or two (`s3`, `ecr.api`).
        kind: `Gateway` or `Interface`.
        tables: Route tables that know a gateway endpoint.
    """

    service: str
    kind: str
    tables: frozenset[str]


@dataclass(frozen=True)
class Image:
    """The image that an apply would choose."""

    id: str
    name: str
    root_device: str


@dataclass(frozen=True)
class InstanceKind:
    """The VM's instance type; the oldest ones boot no image of today (hvm)."""

    vcpus: int
    architectures: frozenset[str]
    boots_hvm: bool


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

    def known_subnet(self) -> Subnet:
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

    def _subnet(self) -> Subnet | None:
        ask = partial(self.clients.ec2().describe_subnets, SubnetIds=[self.target.subnet_id])
        if (said := or_none(ask, "NotFound")) is None:
            return None
        found = said["Subnets"][0]
        return Subnet(
            vpc_id=found["VpcId"],
            zone=found["AvailabilityZone"],
            free_addresses=found["AvailableIpAddressCount"],
            gives_public_addresses=found["MapPublicIpOnLaunch"],
            owner=found.get("OwnerId", ""),
        )

    def _default_route(self) -> DefaultRoute:
        pages = self.clients.ec2().get_paginator("describe_route_tables")
        tables = [
            table
            for page in pages.paginate(
                Filters=[{"Name": "vpc-id", "Values": [self.known_subnet().vpc_id]}]
            )
            for table in page["RouteTables"]
        ]
        return default_route_of(self.target.subnet_id, tables)

    def _endpoints(self) -> tuple[Endpoint, ...]:
        pages = self.clients.ec2().get_paginator("describe_vpc_endpoints")
        # `com.amazonaws.eu-west-2.ecr.api`, in China also `cn.com.amazonaws.cn-north-1.ecr.api`.
        mark = f".{self.target.region}."
        return tuple(
            Endpoint(
                service=found["ServiceName"].rpartition(mark)[2],
                kind=found["VpcEndpointType"],
                tables=frozenset(found.get("RouteTableIds", [])),
            )
            for page in pages.paginate(
                Filters=[{"Name": "vpc-id", "Values": [self.known_subnet().vpc_id]}]
            )
            for found in page["VpcEndpoints"]
            # EC2 goes on showing deleted ones for a while.
            if found.get("State", "available").lower() in ("available", "pending")
        )

    def _gateways(self) -> tuple[str, ...]:
        said = self.clients.ec2().describe_internet_gateways(
            Filters=[{"Name": "attachment.vpc-id", "Values": [self.known_subnet().vpc_id]}]
        )
        return tuple(gateway["InternetGatewayId"] for gateway in said["InternetGateways"])

    def image_owner(self) -> str:
        """Return the account that the stack takes its image from."""
        # The module stack names the owner of the standard partition, as documented.
        partition = self.clients.partition if self.target.bootstrap == "native" else "aws"
        return CANONICAL.get(partition, CANONICAL["aws"])

    def _image(self) -> Image | None:
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

    def _instance_kind(self) -> InstanceKind | None:
        ask = partial(
            self.clients.ec2().describe_instance_types,
            # The type is a person's text; the stubs list the types of their own day.
            InstanceTypes=[self.target.instance_type],  # type: ignore[list-item]
        )
        if (said := or_none(ask, "InvalidInstanceType")) is None:
            return None
        found = said["InstanceTypes"][0]
        return InstanceKind(
            vcpus=found["VCpuInfo"]["DefaultVCpus"],
            architectures=frozenset(found["ProcessorInfo"]["SupportedArchitectures"]),
            boots_hvm="hvm" in found.get("SupportedVirtualizationTypes", ["hvm"]),
        )


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


def _newest(images: Sequence[ImageTypeDef]) -> Image | None:
    newest = max(images, key=lambda image: image.get("CreationDate", ""), default=None)
    if newest is None:
        return None
    return Image(
        id=newest["ImageId"],
        name=newest.get("Name", ""),
        root_device=newest.get("RootDeviceName", "/dev/sda1"),
    )
