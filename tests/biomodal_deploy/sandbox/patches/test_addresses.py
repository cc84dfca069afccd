"""Elastic IPs, as EC2 attaches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches.addresses import addresses_need_a_gateway
from tests.support.moto import Use, launch


def test_addresses_need_a_gateway(aws: Callable[[str], Any], use: Use) -> None:
    """None is attached in a VPC that has none; once it has one, it is."""
    use(addresses_need_a_gateway)
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.create_internet_gateway()  # another VPC's, or nobody's yet
    machine = launch(ec2, SubnetId=subnet)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    with pytest.raises(ClientError, match=r"Gateway\.NotAttached"):
        ec2.associate_address(AllocationId=address, InstanceId=machine)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    assert ec2.associate_address(AllocationId=address, InstanceId=machine)["AssociationId"]
