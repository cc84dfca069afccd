"""Patches of EC2 fix what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.sandbox.patches import ec2 as patches
from biomodal_deploy.sandbox.patches.ec2 import (
    addresses_need_a_gateway,
    groups_in_use_are_kept,
    launches_can_be_protected,
    own_tags_are_no_data,
    own_tags_can_change,
    rules_of_every_protocol_have_no_ports,
)
from biomodal_deploy.sandbox.patches.instances import (
    interface_and_instance_have_the_same_groups,
    primary_interface_goes_with_its_instance,
)
from biomodal_deploy.vm.install_log import InstallState, read_install
from tests.support.moto import Use, launch, only
from tests.support.project import ROOT


def test_addresses_need_a_gateway(ec2: Any, use: Use) -> None:
    """None is attached in a VPC that has none; once it has one, it is."""
    use(addresses_need_a_gateway)
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


def template_data(ec2: Any, name: str) -> dict[str, Any]:
    """Make a launch template with tags of its own and return its data."""
    tags = [{"Key": "Edit", "Value": "one"}]
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={
            "InstanceType": "t3.large",
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
        },
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": tags}],
    )
    versions = ec2.describe_launch_template_versions(LaunchTemplateName=name)
    data: dict[str, Any] = only(versions["LaunchTemplateVersions"])["LaunchTemplateData"]
    return data


def test_own_tags_are_no_data(ec2: Any, use: Use) -> None:
    """A launch template's own tags are not among those of what it launches."""
    assert len(template_data(ec2, "before")["TagSpecifications"]) == 2
    use(own_tags_are_no_data)
    assert only(template_data(ec2, "after")["TagSpecifications"])["ResourceType"] == "instance"
    template = only(ec2.describe_launch_templates(LaunchTemplateNames=["after"])["LaunchTemplates"])
    assert template["Tags"] == [{"Key": "Edit", "Value": "one"}]


def test_own_tags_can_change(ec2: Any, use: Use) -> None:
    """A launch template shows the tags that it has now."""
    template_data(ec2, "template")

    def tags() -> list[str]:
        template = only(ec2.describe_launch_templates()["LaunchTemplates"])
        ec2.create_tags(
            Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "Edit", "Value": "two"}]
        )
        template = only(ec2.describe_launch_templates()["LaunchTemplates"])
        return [tag["Value"] for tag in template["Tags"]]

    assert tags() == ["one"]
    use(own_tags_can_change)
    assert tags() == ["two"]


def test_launches_can_be_protected(ec2: Any, use: Use) -> None:
    """An instance that is launched protected is, and another one is not."""

    def protected(**more: Any) -> bool:
        vm = launch(ec2, **more)
        read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="disableApiTermination")
        return bool(read["DisableApiTermination"]["Value"])

    assert not protected(DisableApiTermination=True)
    use(launches_can_be_protected)
    assert protected(DisableApiTermination=True)
    assert not protected()


def test_rules_of_every_protocol_have_no_ports(ec2: Any, use: Use) -> None:
    """A new description needs no ports there; a rule of TCP still does."""
    use(rules_of_every_protocol_have_no_ports)
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


def test_groups_in_use_are_kept(ec2: Any, use: Use) -> None:
    """Until the VM has another one, or is gone."""
    use(primary_interface_goes_with_its_instance)
    use(interface_and_instance_have_the_same_groups)
    use(groups_in_use_are_kept)
    subnet = ec2.describe_subnets()["Subnets"][0]
    one, two = (
        ec2.create_security_group(GroupName=name, Description="d", VpcId=subnet["VpcId"])["GroupId"]
        for name in ("one", "two")
    )
    vm = launch(ec2, SubnetId=subnet["SubnetId"], SecurityGroupIds=[one])
    with pytest.raises(ClientError, match=r"DependencyViolation.*has a dependent object"):
        ec2.delete_security_group(GroupId=one)
    ec2.modify_instance_attribute(InstanceId=vm, Groups=[two])
    ec2.delete_security_group(GroupId=one)
    ec2.terminate_instances(InstanceIds=[vm])
    ec2.delete_security_group(GroupId=two)


def test_console_shows_the_first_boot(aws: Callable[[str], Any], use: Use) -> None:
    """The install script's own words, to its end; without the patch nobody ever sees it end."""
    script = (ROOT / "scripts" / "install_script.sh").read_text()

    def install(user_data: str) -> InstallState:
        ec2 = aws("ec2")
        launched = ec2.run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, UserData=user_data
        )
        instance = launched["Instances"][0]["InstanceId"]
        return read_install(ec2.get_console_output(InstanceId=instance)["Output"]).state

    assert install(script) is InstallState.UNSEEN
    use(patches.console_shows_the_first_boot)
    assert install(script) is InstallState.DONE
    assert install("#!/bin/sh\necho another script\n") is InstallState.UNSEEN
