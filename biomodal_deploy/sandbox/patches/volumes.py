"""What moto's EBS volumes lack."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.instances import InstanceResponse

from biomodal_deploy.sandbox.patches.change import Change, Method

_GP3_THROUGHPUT: Final = 125


def one_modification_a_volume() -> list[Change]:
    """Show a volume's latest modification only.

    moto shows all there ever were. The AWS provider, which wants exactly one, then waits for ever
    after the second change of a volume.
    """

    def latest(original: Method) -> Method:
        def describe_volumes_modifications(
            self: Any, volume_ids: list[str] | None = None, filters: object = None
        ) -> list[Any]:
            of_all = original(self, volume_ids, filters)
            return list({modification.volume_id: modification for modification in of_all}.values())

        return describe_volumes_modifications

    return [Change(EC2Backend, "describe_volumes_modifications", latest)]


def volumes_never_shrink() -> list[Change]:
    """Refuse to make a volume smaller, as EC2 does: it is an apply that fails halfway."""

    def growing(original: Method) -> Method:
        def modify_volume(
            self: Any, volume_id: str, target_size: int | None = None, *others: object
        ) -> object:
            size = int(self.get_volume(volume_id).size)
            if target_size and int(target_size) < size:
                raise EC2ClientError(
                    "InvalidParameterValue",
                    f"New size cannot be smaller than existing size ({size} GiB)",
                )
            return original(self, volume_id, target_size, *others)

        return modify_volume

    return [Change(EC2Backend, "modify_volume", growing)]


def launched_volumes_perform_as_asked() -> list[Change]:
    """Give the volumes of a launch the IOPS and the throughput that were asked for.

    moto forgets both, so each plan of an instance with such a volume wants to set them again.
    """

    def performing(original: Method) -> Method:
        def run_instances(self: Any) -> ActionResult:
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

        return run_instances

    return [Change(InstanceResponse, "run_instances", performing)]


def default_key_is_named() -> list[Change]:
    """Say which key new volumes are encrypted with: AWS's own, until another is chosen.

    moto lets one be chosen and does not answer which it is.
    """

    def answering(_: None) -> Method:
        def get_ebs_default_kms_key_id(self: Any) -> ActionResult:
            chosen = getattr(self.ec2_backend, "chosen_default_key", "alias/aws/ebs")
            return ActionResult({"KmsKeyId": chosen})

        return get_ebs_default_kms_key_id

    def choosing(original: Method) -> Method:
        def modify_ebs_default_kms_key_id(self: Any, kms_key_id: str) -> str:
            self.chosen_default_key = original(self, kms_key_id)
            return str(self.chosen_default_key)

        return modify_ebs_default_kms_key_id

    return [
        Change(ElasticBlockStore, "get_ebs_default_kms_key_id", answering, new=True),
        Change(EC2Backend, "modify_ebs_default_kms_key_id", choosing),
    ]


PATCHES: Final = (
    default_key_is_named,
    launched_volumes_perform_as_asked,
    one_modification_a_volume,
    volumes_never_shrink,
)
