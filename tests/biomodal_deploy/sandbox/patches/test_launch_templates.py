"""Patches of launch templates mend what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from biomodal_deploy.sandbox.patches import launch_templates
from tests.support.moto import Use, only


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


def test_own_tags_are_no_data(aws: Callable[[str], Any], use: Use) -> None:
    """A launch template's own tags are not among those of what it launches."""
    ec2 = aws("ec2")
    assert len(template_data(ec2, "before")["TagSpecifications"]) == 2
    use(launch_templates.own_tags_are_no_data)
    assert only(template_data(ec2, "after")["TagSpecifications"])["ResourceType"] == "instance"
    template = only(ec2.describe_launch_templates(LaunchTemplateNames=["after"])["LaunchTemplates"])
    assert template["Tags"] == [{"Key": "Edit", "Value": "one"}]


def test_own_tags_can_change(aws: Callable[[str], Any], use: Use) -> None:
    """A launch template shows the tags that it has now."""
    ec2 = aws("ec2")
    template_data(ec2, "template")

    def tags() -> list[str]:
        template = only(ec2.describe_launch_templates()["LaunchTemplates"])
        ec2.create_tags(
            Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "Edit", "Value": "two"}]
        )
        template = only(ec2.describe_launch_templates()["LaunchTemplates"])
        return [tag["Value"] for tag in template["Tags"]]

    assert tags() == ["one"]
    use(launch_templates.own_tags_can_change)
    assert tags() == ["two"]
