"""The EC2 instance that hosts the pipelines and runs Nextflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cdktf import IResolvable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.instance import (
    Instance,
    InstanceMetadataOptions,
    InstanceRootBlockDevice,
)
from constructs import Construct

from biomodal_aws.part import Part, check_sequence

_AT_LAUNCH: Final = ("ebs_optimized", "key_name")


class OrchestratorVm(Part):
    """The orchestrator VM (document section "EC2 Instance").

    Neither a newer image nor edited user data touches a VM that exists. A new image would replace
    it, and the disk, Nextflow's cache and the SSH host key with it. Edited user data would stop and
    start it for nothing, since cloud-init reads it on the first boot only. Both are taken up on
    request: `terraform plan -replace=ADDRESS`.

    Args:
        name: Value of its `Name` tag.
        ami: The image's id.
        instance_type: EC2 instance type, such as `t3.large`.
        subnet_id: The subnet that it starts in.
        security_group_ids: Its security groups.
        key_name: The key pair for SSH, or None.
        instance_profile: The instance profile that gives it credentials, or None.
        user_data_base64: The start-up script in base64, or None.
        root_volume_gib: Size of the root volume in GiB.
        root_volume_type: EBS volume type, or None for the image's own.
        root_volume_tags: Tags on the volume, or None for what the provider's default tags give.
        require_imdsv2: Whether the metadata service answers only requests with a session token.
            The document's configuration leaves it off, and says what that costs.
        metadata_hop_limit: How many network hops its answers travel: 1 stops at the VM itself, 2
            reaches containers on it.
        termination_protection: Whether EC2 refuses to terminate it, or None for EC2's default.
        ebs_optimized: Whether its traffic to volumes has a band of its own, or None for the
            instance type's default.
        keep_launched: Whether another key pair or EBS optimization leaves a VM that exists alone.
            The provider can set both at launch only, and would replace the VM.
        kms_key: The KMS key that the volume of a new VM is encrypted with, or None for the
            account's default. A volume keeps its key: a VM that exists is left alone.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        ami: str,
        instance_type: str,
        subnet_id: str,
        security_group_ids: list[str],
        key_name: str | None = None,
        instance_profile: str | None = None,
        user_data_base64: str | None = None,
        root_volume_gib: float = 100,
        root_volume_type: str | None = None,
        root_volume_tags: Mapping[str, str] | None = None,
        require_imdsv2: bool = False,
        metadata_hop_limit: int = 1,
        termination_protection: bool | IResolvable | None = None,
        ebs_optimized: bool | IResolvable | None = None,
        keep_launched: bool = False,
        kms_key: str | None = None,
    ) -> None:
        check_sequence(id_, "security_group_ids", security_group_ids)
        super().__init__(scope, id_)
        instance = self.named(
            Instance(
                self,
                "instance",
                ami=ami,
                instance_type=instance_type,
                subnet_id=subnet_id,
                vpc_security_group_ids=security_group_ids,
                key_name=key_name,
                iam_instance_profile=instance_profile,
                user_data_base64=user_data_base64,
                monitoring=True,
                metadata_options=InstanceMetadataOptions(
                    http_endpoint="enabled",
                    http_tokens="required" if require_imdsv2 else "optional",
                    http_put_response_hop_limit=metadata_hop_limit,
                ),
                root_block_device=InstanceRootBlockDevice(
                    encrypted=True,
                    kms_key_id=kms_key,
                    volume_size=root_volume_gib,
                    volume_type=root_volume_type,
                    tags=root_volume_tags,
                ),
                disable_api_termination=termination_protection,
                ebs_optimized=ebs_optimized,
                tags={"Name": name},
                lifecycle=TerraformResourceLifecycle(
                    ignore_changes=[
                        "ami",
                        "user_data",
                        "user_data_base64",
                        *(_AT_LAUNCH if keep_launched else ()),
                        *(("root_block_device[0].kms_key_id",) if kms_key else ()),
                    ]
                ),
            )
        )
        self.id = instance.id
        self.private_ip = instance.private_ip
