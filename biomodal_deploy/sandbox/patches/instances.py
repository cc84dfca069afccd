"""What moto's EC2 instances and their volumes lack."""

from __future__ import annotations

import base64
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.instances import Instance
from moto.ec2.responses import instances
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.responses.monitoring import Monitoring

from biomodal_deploy.sandbox.patches import Method, patch

_GP3_THROUGHPUT: Final = 125


@patch(Monitoring, "monitor_instances")
def monitoring(_: Method, self: Any) -> ActionResult:
    """Implement MonitorInstances and UnmonitorInstances.

    The AWS provider calls one of them after each launch and for each change of `monitoring`.
    """
    return _monitored(self, "enabled", "pending")


@monitoring.also(Monitoring, "unmonitor_instances")
def _unmonitor_instances(_: Method, self: Any) -> ActionResult:
    return _monitored(self, "disabled", "disabling")


def _monitored(response: Any, state: str, answered: str) -> ActionResult:
    response.error_on_dryrun()
    identifiers = response._get_param("InstanceIds", [])  # noqa: SLF001 - moto's own
    # All are looked up before the first is changed: one wrong id changes none, as on AWS.
    for instance in [response.ec2_backend.get_instance(each) for each in identifiers]:
        instance.monitoring_state = state
    answer = [{"InstanceId": each, "Monitoring": {"State": answered}} for each in identifiers]
    return ActionResult({"InstanceMonitorings": answer})


@patch(instances, "parse_user_data")
def user_data_can_be_changed(original: Method, value: object) -> object:
    """Take the user data of ModifyInstanceAttribute as the SDKs send it.

    There it is a blob, which moto's parser has decoded before moto decodes it once more: "Invalid
    BASE64 encoding of user data". In RunInstances it is a string, and right.
    """
    if isinstance(value, bytes):
        return Base64EncodedString(base64.b64encode(value).decode())
    return original(value)


@patch(Instance, "prep_nics")
def primary_interface_goes_with_its_instance(
    original: Method, self: Any, nic_spec: list[dict[str, Any]], **kwargs: Any
) -> None:
    """Delete an instance's own network interface when the instance is terminated.

    On AWS the interface that a launch makes goes with it unless it is told not to. moto keeps it
    unless it is told, so each destroy would seem to leave something.
    """
    kept = {
        int(nic["DeviceIndex"])
        for nic in nic_spec
        if nic.get("NetworkInterfaceId") or nic.get("DeleteOnTermination") is False
    }
    original(self, nic_spec, **kwargs)
    for index, interface in self.nics.items():
        if index not in kept:
            interface.delete_on_termination = True


@patch(InstanceResponse, "_security_grp_instance_attribute_handler")
def attributes_leave_security_groups_alone(original: Method, self: Any) -> bool:
    """Change `InstanceInitiatedShutdownBehavior`, and no security groups with it.

    moto takes an attribute that it does not know for a new list of security groups, an empty one:
    the instance loses all of them. What is still unknown is a gap now, and says so.
    """
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


@patch(EC2Backend, "replace_iam_instance_profile_association")
def instance_profile_can_be_replaced(
    original: Method, self: Any, *args: Any, **kwargs: Any
) -> object:
    """Show an instance's new profile after ReplaceIamInstanceProfileAssociation.

    moto changes the association and not the instance, at which the AWS provider looks: it waits
    for the new profile until it gives up.
    """
    association = original(self, *args, **kwargs)
    association.instance.iam_instance_profile = {
        "Arn": association.iam_instance_profile.arn,
        "Id": association.association_id,
    }
    return association


@patch(EC2Backend, "modify_network_interface_attribute")
def interface_and_instance_have_the_same_groups(
    original: Method, self: Any, eni_id: str, group_ids: list[str], *more: object
) -> None:
    """Give an instance's own network interface and the instance the same security groups.

    On AWS they are one thing. The AWS provider changes those of the interface and reads those of
    the instance, which moto leaves as they were.
    """
    original(self, eni_id, group_ids, *more)
    interface = self.get_network_interface(eni_id)
    if group_ids and interface.instance and interface.device_index == 0:
        interface.instance.security_groups = list(interface._group_set)  # noqa: SLF001


@interface_and_instance_have_the_same_groups.also(EC2Backend, "modify_instance_security_groups")
def _modify_instance(original: Method, self: Any, instance_id: str, group_ids: list[str]) -> object:
    instance = original(self, instance_id, group_ids)
    instance.nics[0]._group_set = list(instance.security_groups)  # noqa: SLF001
    return instance


@patch(ElasticBlockStore, "get_ebs_default_kms_key_id", new=True)
def default_key_is_named(_: None, self: Any) -> ActionResult:
    """Say which key new volumes are encrypted with: AWS's own, until another is chosen.

    moto lets one be chosen and does not answer which it is.
    """
    chosen = getattr(self.ec2_backend, "chosen_default_key", "alias/aws/ebs")
    return ActionResult({"KmsKeyId": chosen})


@default_key_is_named.also(EC2Backend, "modify_ebs_default_kms_key_id")
def _choose_default_key(original: Method, self: Any, kms_key_id: str) -> str:
    self.chosen_default_key = original(self, kms_key_id)
    return str(self.chosen_default_key)


@patch(InstanceResponse, "run_instances")
def launched_volumes_perform_as_asked(original: Method, self: Any) -> ActionResult:
    """Give the volumes of a launch the IOPS and the throughput that were asked for.

    moto forgets both, so each plan of an instance with such a volume wants to set them again.
    """
    answer: ActionResult = original(self)
    reservation: Any = answer.result
    for mapping in self._get_param("BlockDeviceMappings", []):
        asked = mapping.get("Ebs", {})
        for instance in reservation.instances:
            device = instance.block_device_mapping.get(mapping.get("DeviceName"))
            if device:
                volume = self.ec2_backend.get_volume(device.volume_id)
                default = _GP3_THROUGHPUT if volume.volume_type == "gp3" else None
                volume.iops = asked.get("Iops") or volume.iops
                volume.throughput = asked.get("Throughput") or default
    return answer


@patch(EC2Backend, "describe_volumes_modifications")
def one_modification_a_volume(
    original: Method, self: Any, volume_ids: list[str] | None = None, filters: object = None
) -> list[Any]:
    """Show a volume's latest modification only.

    moto shows all there ever were. The AWS provider, which wants exactly one, then waits for ever
    after the second change of a volume.
    """
    of_all = original(self, volume_ids, filters)
    return list({modification.volume_id: modification for modification in of_all}.values())


@patch(EC2Backend, "modify_volume")
def volumes_never_shrink(
    original: Method, self: Any, volume_id: str, target_size: int | None = None, *others: object
) -> object:
    """Refuse to make a volume smaller, as EC2 does: it is an apply that fails halfway."""
    size = int(self.get_volume(volume_id).size)
    if target_size and int(target_size) < size:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"New size cannot be smaller than existing size ({size} GiB)",
        )
    return original(self, volume_id, target_size, *others)
