"""What moto's EC2 instances lack."""

from __future__ import annotations

import base64
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance
from moto.ec2.responses import instances
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.monitoring import Monitoring

from biomodal_deploy.sandbox.patches.change import Change, Method


def monitoring() -> list[Change]:
    """Implement MonitorInstances and UnmonitorInstances.

    The AWS provider calls one of them after each launch and for each change of `monitoring`.
    """

    def switch(state: str, answered: str) -> Method:
        def method(self: Any) -> ActionResult:
            self.error_on_dryrun()
            identifiers = self._get_param("InstanceIds", [])
            # All are looked up before the first is changed: one wrong id changes none, as on AWS.
            for instance in [self.ec2_backend.get_instance(each) for each in identifiers]:
                instance.monitoring_state = state
            answer = [
                {"InstanceId": each, "Monitoring": {"State": answered}} for each in identifiers
            ]
            return ActionResult({"InstanceMonitorings": answer})

        return method

    return [
        Change(Monitoring, "monitor_instances", lambda _: switch("enabled", "pending")),
        Change(Monitoring, "unmonitor_instances", lambda _: switch("disabled", "disabling")),
    ]


def user_data_can_be_changed() -> list[Change]:
    """Take the user data of ModifyInstanceAttribute as the SDKs send it.

    There it is a blob, which moto's parser has decoded before moto decodes it once more: "Invalid
    BASE64 encoding of user data". In RunInstances it is a string, and right.
    """

    def of_a_blob_too(original: Method) -> Method:
        def parse_user_data(value: object) -> object:
            if isinstance(value, bytes):
                return Base64EncodedString(base64.b64encode(value).decode())
            return original(value)

        return parse_user_data

    return [Change(instances, "parse_user_data", of_a_blob_too)]


def primary_interface_goes_with_its_instance() -> list[Change]:
    """Delete an instance's own network interface when the instance is terminated.

    On AWS the interface that a launch makes goes with it unless it is told not to. moto keeps it
    unless it is told, so each destroy would seem to leave something.
    """

    def deleting(original: Method) -> Method:
        def prep_nics(self: Any, nic_spec: list[dict[str, Any]], **kwargs: Any) -> None:
            kept = {
                int(nic["DeviceIndex"])
                for nic in nic_spec
                if nic.get("NetworkInterfaceId") or nic.get("DeleteOnTermination") is False
            }
            original(self, nic_spec, **kwargs)
            for index, interface in self.nics.items():
                if index not in kept:
                    interface.delete_on_termination = True

        return prep_nics

    return [Change(Instance, "prep_nics", deleting)]


def attributes_leave_security_groups_alone() -> list[Change]:
    """Change `InstanceInitiatedShutdownBehavior`, and no security groups with it.

    moto takes an attribute that it does not know for a new list of security groups, an empty one:
    the instance loses all of them. What is still unknown is a gap now, and says so.
    """

    def only_where_given(original: Method) -> Method:
        def handler(self: Any) -> bool:
            if self._get_param("Groups"):
                return bool(original(self))
            behavior = self._get_param("InstanceInitiatedShutdownBehavior.Value")
            if behavior is None:
                return False
            self.error_on_dryrun()
            self.ec2_backend.modify_instance_attribute(
                self._get_param("InstanceId"), "instance_initiated_shutdown_behavior", behavior
            )
            return True

        return handler

    name = "_security_grp_instance_attribute_handler"
    return [Change(InstanceResponse, name, only_where_given)]


def instance_profile_can_be_replaced() -> list[Change]:
    """Show an instance's new profile after ReplaceIamInstanceProfileAssociation.

    moto changes the association and not the instance, at which the AWS provider looks: it waits
    for the new profile until it gives up.
    """

    def showing(original: Method) -> Method:
        def replace(self: Any, *args: Any, **kwargs: Any) -> object:
            association = original(self, *args, **kwargs)
            association.instance.iam_instance_profile = {
                "Arn": association.iam_instance_profile.arn,
                "Id": association.association_id,
            }
            return association

        return replace

    return [Change(EC2Backend, "replace_iam_instance_profile_association", showing)]


def interface_and_instance_have_the_same_groups() -> list[Change]:
    """Give an instance's own network interface and the instance the same security groups.

    On AWS they are one thing. The AWS provider changes those of the interface and reads those of
    the instance, which moto leaves as they were.
    """

    def of_the_instance_too(original: Method) -> Method:
        def modify_interface(self: Any, eni_id: str, group_ids: list[str], *more: object) -> None:
            original(self, eni_id, group_ids, *more)
            interface = self.get_network_interface(eni_id)
            if group_ids and interface.instance and interface.device_index == 0:
                interface.instance.security_groups = list(interface._group_set)  # noqa: SLF001

        return modify_interface

    def of_the_interface_too(original: Method) -> Method:
        def modify_instance(self: Any, instance_id: str, group_ids: list[str]) -> Any:
            instance = original(self, instance_id, group_ids)
            instance.nics[0]._group_set = list(instance.security_groups)  # noqa: SLF001
            return instance

        return modify_instance

    return [
        Change(EC2Backend, "modify_network_interface_attribute", of_the_instance_too),
        Change(EC2Backend, "modify_instance_security_groups", of_the_interface_too),
    ]


PATCHES: Final = (
    monitoring,
    user_data_can_be_changed,
    primary_interface_goes_with_its_instance,
    attributes_leave_security_groups_alone,
    instance_profile_can_be_replaced,
    interface_and_instance_have_the_same_groups,
)
