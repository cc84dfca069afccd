"""The VM: its image, its type in that zone, and a launch that EC2 only rehearses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed, warned
from biomodal_deploy.aws.errors import Kind, classify_error, code_of, one_line
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.config.contract.aws import IMAGE_NAME

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import TagSpecificationTypeDef


def image(facts: Facts) -> Finding:
    """Whether the region has the Ubuntu image, or the one that is named."""
    found, hardened = facts.image(), facts.target.hardened
    if found is None and hardened and hardened.ami_id:
        return failed(
            f"{facts.target.region} has no image {hardened.ami_id} that you may use",
            "correct ami_id",
        )
    if found is None:
        native = '; set "bootstrap": "native" in cdktf.json'
        return failed(
            f"{facts.target.region} has no {IMAGE_NAME} of owner {facts.image_owner()}",
            "name another region in terraform.tfvars"
            + (native if facts.target.bootstrap == "module" else ""),
        )
    return passed(f"{found['ImageId']} ({found.get('Name', '').rpartition('/')[2]})")


def instance_type(facts: Facts) -> Finding:
    """Whether the instance type runs the image and is offered in the subnet's zone."""
    target, kind, zone = (
        facts.target,
        facts.instance_kind(),
        facts.known_subnet()["AvailabilityZone"],
    )
    if kind is None:
        return failed(
            f"EC2 has no instance type {target.instance_type} in {target.region}",
            f"correct instance_type; `{facts.command('ec2', 'describe-instance-types')}` lists "
            "them",
        )
    if "x86_64" not in kind["ProcessorInfo"]["SupportedArchitectures"]:
        return failed(
            f"{target.instance_type} is no x86-64 machine, the Ubuntu image is",
            'name an x86-64 type, such as instance_type = "t3.large"',
        )
    # The oldest types boot no image of today.
    if "hvm" not in kind.get("SupportedVirtualizationTypes", ["hvm"]):
        return failed(
            f"{target.instance_type} boots only paravirtual images, and the Ubuntu image is hvm",
            'name a type of today, such as instance_type = "t3.large"',
        )
    pages = facts.clients.ec2().get_paginator("describe_instance_type_offerings")
    zones = sorted(
        offer["Location"]
        for page in pages.paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": [target.instance_type]}],
        )
        for offer in page["InstanceTypeOfferings"]
    )
    if zone not in zones:
        elsewhere = f"; {', '.join(zones)} offer it" if zones else ""
        words = (
            "--location-type",
            "availability-zone",
            "--filters",
            f"Name=location,Values={zone}",
        )
        return failed(
            f"{zone} does not offer {target.instance_type}{elsewhere}",
            "name a subnet of such a zone as subnet_id, or another instance_type; "
            f"`{facts.command('ec2', 'describe-instance-type-offerings', *words)}` "
            "lists what there is",
        )
    return passed(
        f"{zone} offers {target.instance_type} ({kind['VCpuInfo']['DefaultVCpus']} vCPUs)"
    )


def rehearsal(facts: Facts) -> Finding:
    """Whether EC2 would launch the VM for this caller (RunInstances with DryRun)."""
    target, found = facts.target, facts.image()
    facts.known_subnet()
    if found is None:
        raise Unavailable("there is no image to launch")
    if facts.holds_any("aws_instance"):
        return passed("the VM runs already")
    labels = [
        {"Key": key, "Value": value} for key, value in (("Name", target.vm_name), *target.tags)
    ]
    tags: list[TagSpecificationTypeDef] = [
        {"ResourceType": "instance", "Tags": labels},  # type: ignore[typeddict-item]
        # As Terraform sends it: a policy may ask for this tag too.
        {"ResourceType": "volume", "Tags": labels[1:]},  # type: ignore[typeddict-item]
    ]
    try:
        facts.clients.ec2().run_instances(
            DryRun=True,
            ImageId=found["ImageId"],
            InstanceType=target.instance_type,  # type: ignore[arg-type]
            SubnetId=target.subnet_id,
            MinCount=1,
            MaxCount=1,
            Monitoring={"Enabled": True},
            BlockDeviceMappings=[
                {
                    "DeviceName": found.get("RootDeviceName", "/dev/sda1"),
                    "Ebs": {"VolumeSize": 100, "Encrypted": True},
                }
            ],
            TagSpecifications=tags,
        )
    except ClientError as error:
        return _rehearsed(error, facts)
    return warned("EC2 gave no verdict on a rehearsed launch", "run it again")


def _rehearsed(error: ClientError, facts: Facts) -> Finding:
    if code_of(error) == "DryRunOperation":
        return passed("EC2 would launch the VM (nothing was launched)")
    failure = classify_error(error, facts.clients)
    said = one_line(error.response.get("Error", {}).get("Message", ""))
    if failure.kind is Kind.DENIED and ":security-group/" in said:
        # The VM's own group, which the deployer's policy asks for by its tag, is not made yet, and
        # EC2 takes the VPC's default one in its place.
        return warned(
            "EC2 gave no verdict on a rehearsed launch: the caller may launch with the VM's own "
            "security group alone, which is not there yet",
            "nothing to do where the policy is the one that `biomodal-aws policy deployer` prints",
        )
    if failure.kind is Kind.DENIED:
        return failed(
            f"EC2 would not launch the VM: {failure.line}",
            "attach the policy that `biomodal-aws policy deployer` prints",
        )
    if failure.kind is Kind.OTHER:
        return failed(
            f"EC2 would not launch the VM ({code_of(error)}): {said}",
            "correct instance_type or subnet_id in terraform.tfvars",
        )
    raise error
