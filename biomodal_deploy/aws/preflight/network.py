"""VPC and subnet, and the ways from there to the internet, to AWS, and back to the VM."""

from __future__ import annotations

from functools import partial
from typing import Final

from biomodal_deploy.aws.checks import Finding, failed, passed, unknown, warned
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.preflight.facts import DefaultRoute, Facts

# Every Batch host takes an address of the subnet, and the VM one more.
_FEW_ADDRESSES: Final = 16


def vpc(facts: Facts) -> Finding:
    """Whether the VPC is in the region."""
    target = facts.target
    ask = partial(facts.clients.ec2().describe_vpcs, VpcIds=[target.vpc_id])
    if (said := or_none(ask, "InvalidVpcID.NotFound")) is None:
        return failed(
            f"there is no {target.vpc_id} in {target.region}",
            f"correct vpc_id or region; `{facts.command('ec2', 'describe-vpcs')}` lists what is "
            "there",
        )
    return passed(f"{target.vpc_id} exists ({said['Vpcs'][0]['CidrBlock']})")


def subnet(facts: Facts) -> Finding:
    """Whether the subnet is in that VPC and has room."""
    target, found = facts.target, facts.subnet()
    if found is None:
        words = ("--filters", f"Name=vpc-id,Values={target.vpc_id}")
        return failed(
            f"there is no {target.subnet_id} in {target.region}",
            f"correct subnet_id; `{facts.command('ec2', 'describe-subnets', *words)}` "
            "lists what is there",
        )
    if (vpc_id := found["VpcId"]) != target.vpc_id:
        return failed(
            f"{target.subnet_id} belongs to {vpc_id}, not to {target.vpc_id}",
            f'set vpc_id = "{vpc_id}", or name a subnet of {target.vpc_id}',
        )
    free, owner = found["AvailableIpAddressCount"], found.get("OwnerId")
    room = f"{target.subnet_id} in {found['AvailabilityZone']} has {free} free addresses"
    if free == 0:
        return failed(room, "name a subnet with free addresses as subnet_id")
    if free < _FEW_ADDRESSES:
        return warned(f"{room}: few for Batch hosts", "name a larger subnet as subnet_id")
    if owner and owner != (account := facts.caller().account):
        # Its ARN, and its VPC's, have the owner's account, which nothing in the values says.
        return warned(
            f"{target.subnet_id} is shared by account {owner}: the compiled policy names "
            f"subnet and VPC in {account}, and AWS would refuse the launch",
            f"biomodal-aws policy deployer | sed -E 's#:{account}:(subnet|vpc)/#:{owner}:\\1/#'",
        )
    return passed(room)


# What Batch's hosts call before a task can start (ECS developer guide, "VPC endpoints").
_HOSTS_NEED: Final = frozenset({"ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs"})


def vm_internet(facts: Facts) -> Finding:
    """Whether the VM reaches the internet, and its elastic IP is reached from there."""
    route, subnet = facts.default_route(), facts.target.subnet_id
    if route.way == "internet":
        return passed(f"{route.table} leads to {route.through}: the elastic IP can be reached")
    if route.way == "nat":
        return warned(
            f"{route.table} leads to {route.through}: the elastic IP attaches, "
            "but nothing reaches it from outside",
            "name a subnet with a route to an internet gateway as subnet_id, "
            "or reach the VM's private address over a VPN",
        )
    if route.way == "other":
        return unknown(
            f"{route.table} leads to {route.through}: what lies behind it is not seen from here",
            "ask whoever runs that network, or name a subnet with an internet gateway",
        )
    if route.way == "blackhole":
        return failed(
            f"the default route of {route.table} leads to {route.through}, which is gone",
            _route_command(facts, route, "replace-route"),
        )
    return failed(
        f"{subnet} has no route to the internet: the VM cannot install, nor be reached",
        _route_command(facts, route, "create-route"),
    )


def hosts_aws(facts: Facts) -> Finding:
    """Whether Batch hosts reach ECS and ECR; where not, tasks wait in RUNNABLE for ever."""
    if facts.target.other_host_subnets:
        return _elsewhere()
    route = facts.default_route()
    gives_addresses = facts.known_subnet()["MapPublicIpOnLaunch"]
    if route.way == "nat":
        return passed(f"hosts go out through {route.through}")
    if route.way == "internet" and gives_addresses:
        return passed(f"hosts get public addresses and go out through {route.through}")
    missing = sorted(_HOSTS_NEED - {service for service, _ in facts.endpoints()})
    if not missing:
        return passed("hosts reach ECS, ECR and CloudWatch Logs through VPC endpoints")
    if route.way == "other":
        return unknown(
            f"hosts go out through {route.through}, which is not seen from here",
            "ask whoever runs that network",
        )
    if route.way == "internet":
        # The VM has its elastic IP; Batch hosts have what the subnet gives them.
        return failed(
            "Batch hosts get no public address here, so an internet gateway is no way out for "
            "them: tasks would wait in RUNNABLE for ever",
            facts.command(
                *("ec2", "modify-subnet-attribute", "--subnet-id", facts.target.subnet_id),
                "--map-public-ip-on-launch",
            ),
        )
    return failed(
        "Batch hosts have no way to ECS: tasks would wait in RUNNABLE for ever",
        f"give the subnet a route to a NAT gateway, or endpoints for {', '.join(missing)}",
    )


def s3_endpoint(facts: Facts) -> Finding:
    """Whether traffic to S3 stays off the NAT gateway, which charges for every byte."""
    if facts.target.other_host_subnets:
        return _elsewhere()
    route = facts.default_route()
    for service, endpoint in facts.endpoints():
        kind, tables = endpoint["VpcEndpointType"], endpoint.get("RouteTableIds", [])
        if service == "s3" and (kind == "Interface" or route.table in tables):
            return passed(f"S3 is reached through its {kind.lower()} endpoint")
    if route.way == "internet":
        return passed("no S3 endpoint; the internet gateway charges nothing for S3 in the region")
    command = facts.command(
        *("ec2", "create-vpc-endpoint", "--vpc-endpoint-type", "Gateway"),
        *("--vpc-id", facts.known_subnet()["VpcId"]),
        *("--service-name", f"com.amazonaws.{facts.target.region}.s3"),
        *("--route-table-ids", route.table or "ROUTE-TABLE"),
    )
    if route.way in ("none", "blackhole"):
        return failed(
            "no route to the internet and no S3 endpoint: the bucket is out of reach", command
        )
    return warned(
        f"no S3 gateway endpoint: {route.through} carries the pipeline's data, and charges for "
        "every gigabyte if it is a NAT gateway"
        if route.way == "other"
        else f"no S3 gateway endpoint: {route.through} charges for every gigabyte to and from S3",
        command,
    )


def _elsewhere() -> Finding:
    return unknown(
        "Batch hosts run in batch_subnet_ids, and only the VM's subnet is looked at",
        "for each of them: biomodal-aws doctor --var subnet_id=SUBNET --var 'batch_subnet_ids=[]'",
    )


def _route_command(facts: Facts, route: DefaultRoute, verb: str) -> str:
    """Return the command that leads the subnet out, with the VPC's own gateway where it has one."""
    gateways = facts.gateways()
    if not gateways or route.table is None:
        return "name a subnet with a route to an internet gateway as subnet_id"
    return facts.command(
        *("ec2", verb, "--route-table-id", route.table),
        *("--destination-cidr-block", "0.0.0.0/0", "--gateway-id", gateways[0]),
    )
