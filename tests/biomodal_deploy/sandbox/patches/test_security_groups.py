"""Security group rules, as EC2 modifies them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches.security_groups import rules_of_every_protocol_have_no_ports
from tests.support.moto import Use


def test_rules_of_every_protocol_have_no_ports(aws: Callable[[str], Any], use: Use) -> None:
    """A new description needs no ports there; a rule of TCP still does."""
    use(rules_of_every_protocol_have_no_ports)
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]

    def described(protocol: str) -> list[str | None]:
        (rule,) = (
            each["SecurityGroupRuleId"]
            for each in ec2.describe_security_group_rules(
                Filters=[{"Name": "group-id", "Values": [group]}]
            )["SecurityGroupRules"]
            if each["IsEgress"]
        )
        new = {"IpProtocol": protocol, "CidrIpv4": "0.0.0.0/0", "Description": "everywhere"}
        ec2.modify_security_group_rules(
            GroupId=group,
            SecurityGroupRules=[{"SecurityGroupRuleId": rule, "SecurityGroupRule": new}],
        )
        (found,) = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule])[
            "SecurityGroupRules"
        ]
        return [found["IpProtocol"], found.get("Description")]

    assert described("-1") == ["-1", "everywhere"]
    with pytest.raises(ClientError, match="Must specify both from and to ports"):
        described("tcp")
