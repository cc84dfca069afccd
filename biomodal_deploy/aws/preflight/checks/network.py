"""VPC and subnet: there, and each other's."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.checks import Finding, failed, passed, warned
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.preflight.facts import Facts

# Every Batch host takes an address of the subnet, and the VM one more.
_FEW_ADDRESSES: Final = 16


def vpc(facts: Facts) -> Finding:
    """Whether the VPC is in the region."""
    target = facts.target
    try:
        said = facts.clients.ec2().describe_vpcs(VpcIds=[target.vpc_id])
    except ClientError as error:
        if code_of(error) != "InvalidVpcID.NotFound":
            raise
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
    if found.vpc_id != target.vpc_id:
        return failed(
            f"{target.subnet_id} belongs to {found.vpc_id}, not to {target.vpc_id}",
            f'set vpc_id = "{found.vpc_id}", or name a subnet of {target.vpc_id}',
        )
    room = f"{target.subnet_id} in {found.zone} has {found.free_addresses} free addresses"
    if found.free_addresses == 0:
        return failed(room, "name a subnet with free addresses as subnet_id")
    if found.free_addresses < _FEW_ADDRESSES:
        return warned(f"{room}: few for Batch hosts", "name a larger subnet as subnet_id")
    if found.owner and found.owner != (account := facts.caller().account):
        # Its ARN, and its VPC's, have the owner's account, which nothing in the values says.
        return warned(
            f"{target.subnet_id} is shared by account {found.owner}: the compiled policy names "
            f"subnet and VPC in {account}, and AWS would refuse the launch",
            "biomodal-aws policy deployer | "
            f"sed -E 's#:{account}:(subnet|vpc)/#:{found.owner}:\\1/#'",
        )
    return passed(room)
