"""What moto's EC2 lacks beside its instances and volumes."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses.instances import InstanceResponse

from biomodal_deploy.sandbox.patches.change import Change, Method


def addresses_need_a_gateway() -> list[Change]:
    """Refuse an Elastic IP for a machine whose VPC has no internet gateway, as EC2 does.

    moto attaches it, so that a stack for a closed VPC passes here and fails on AWS.
    """

    def attached(original: Method) -> Method:
        def associate_address(self: Any, instance: Any = None, eni: Any = None, **more: Any) -> Any:
            interface = eni or (instance.nics[0] if instance and instance.nics else None)
            vpc = interface.subnet.vpc_id if interface else None
            if vpc and not self.describe_internet_gateways(filters={"attachment.vpc-id": [vpc]}):
                raise EC2ClientError(
                    "Gateway.NotAttached", f"Network {vpc} is not attached to any internet gateway"
                )
            return original(self, instance=instance, eni=eni, **more)

        return associate_address

    return [Change(EC2Backend, "associate_address", attached)]


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


def launches_can_be_protected() -> list[Change]:
    """Protect what is launched with `DisableApiTermination`.

    moto reads it from later changes only, so that the first plan after an apply wants it again.
    """

    def protecting(original: Method) -> Method:
        def run_instances(self: Any) -> ActionResult:
            answer: ActionResult = original(self)
            if str(self._get_param("DisableApiTermination")).lower() == "true":
                reservation: Any = answer.result
                for instance in reservation.instances:
                    instance.disable_api_termination = True
            return answer

        return run_instances

    return [Change(InstanceResponse, "run_instances", protecting)]


_EVERY: Final = "-1"


def rules_of_every_protocol_have_no_ports() -> list[Change]:
    """Take a rule of every protocol without ports when it is modified, as EC2 does.

    moto asks for them as if it were TCP, so that a new description of such a rule fails here.
    """

    def modified(original: Method) -> Method:
        def modify_security_group_rules(
            self: Any, group_id: str, rules: dict[str, dict[str, Any]]
        ) -> None:
            ports = {"FromPort": _EVERY, "ToPort": _EVERY}
            original(
                self,
                group_id,
                {
                    name: {**ports, **rule} if rule.get("IpProtocol") == _EVERY else rule
                    for name, rule in rules.items()
                },
            )

        return modify_security_group_rules

    return [Change(EC2Backend, "modify_security_group_rules", modified)]


def groups_in_use_are_kept() -> list[Change]:
    """Refuse to delete a group that a network interface has (EC2 API, DeleteSecurityGroup).

    moto deletes it under a VM that runs, so that a replacement in the wrong order passes here.
    """

    def keeping(original: Method) -> Method:
        def delete(self: Any, vpc_id: str | None, group_id: str) -> None:
            if any(group.id == group_id for each in self.enis.values() for group in each.group_set):
                raise DependencyViolationError(f"resource {group_id} has a dependent object")
            original(self, vpc_id, group_id)

        return delete

    return [Change(EC2Backend, "_delete_security_group", keeping)]


PATCHES: Final = (
    addresses_need_a_gateway,
    own_tags_are_no_data,
    own_tags_can_change,
    launches_can_be_protected,
    rules_of_every_protocol_have_no_ports,
    groups_in_use_are_kept,
)
