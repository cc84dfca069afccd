"""What moto's launch templates lack."""

from __future__ import annotations

from typing import Any, Final

from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate

from biomodal_deploy.sandbox.patches.change import Change, Method


def own_tags_are_no_data() -> list[Change]:
    """Keep a launch template's own tags out of what it launches.

    moto stores them in the template's data too, so that each plan wants to remove a
    `tag_specifications` that nobody wrote.
    """

    def without_own_tags(original: Method) -> Method:
        def create_version(self: Any, data: dict[str, Any], description: str) -> object:
            kept = [
                specification
                for specification in data.get("TagSpecifications", ())
                if specification.get("ResourceType") != "launch-template"
            ]
            data = {name: value for name, value in data.items() if name != "TagSpecifications"}
            if kept:
                data["TagSpecifications"] = kept
            return original(self, data, description)

        return create_version

    return [Change(LaunchTemplate, "create_version", without_own_tags)]


def own_tags_can_change() -> list[Change]:
    """Show a launch template's tags of today.

    moto shows those of its creation, so that a changed tag stays in every later plan.
    """

    def with_tags_of_today(original: Method) -> Method:
        def describe_launch_templates(self: Any, *args: Any, **kwargs: Any) -> list[Any]:
            templates: list[Any] = original(self, *args, **kwargs)
            for template in templates:
                template.tags = template.get_tags()
            return templates

        return describe_launch_templates

    return [Change(EC2Backend, "describe_launch_templates", with_tags_of_today)]


PATCHES: Final = (own_tags_are_no_data, own_tags_can_change)
