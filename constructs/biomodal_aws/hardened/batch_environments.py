"""The AWS Batch compute environments: Spot and On-Demand hosts from one launch template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.batch_compute_environment import (
    BatchComputeEnvironment,
    BatchComputeEnvironmentComputeResources,
    BatchComputeEnvironmentComputeResourcesEc2Configuration,
    BatchComputeEnvironmentUpdatePolicy,
)
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
    LaunchTemplateMetadataOptions,
    LaunchTemplateMonitoring,
    LaunchTemplateTagSpecifications,
)
from constructs import Construct

from biomodal_aws._bindings.framework import arguments
from biomodal_aws.batch_environment import at_its_version, scaled_by_batch
from biomodal_aws.part import Part
from biomodal_deploy.config.contract.aws import launch_template_name

# Hosts of running jobs live on through an update for so long. Batch takes up to 7200 by now (API
# reference, UpdatePolicy); AWS provider 5 takes no more than 360. How long the provider itself
# waits for an update cannot be set: the resource has no `timeouts` block (provider schema 5.100).
_UPDATE_MINUTES: Final = 360
# Not SPOT_PRICE_CAPACITY_OPTIMIZED: AWS provider 5 counts that among the strategies that cannot
# be updated, plans an update all the same where the template's new version is not known yet, and
# then fails the apply ("Provider produced inconsistent final plan").
_SPOT_STRATEGY: Final = "SPOT_CAPACITY_OPTIMIZED"


class BatchEnvironments(Part):
    """Two managed compute environments: one of Spot hosts, one of On-Demand hosts.

    Both can be replaced while queues use them: their names have a suffix of their own, and the new
    one exists before the old one goes. With Batch's service-linked role and these allocation
    strategies most changes, a new template version among them, are updates in place.

    Args:
        name: Start of the environments' names.
        subnets: Expression for the subnets that hosts start in.
        security_group_ids: Security groups of the hosts.
        instance_profile_arn: The hosts' instance profile.
        instance_types: Expression for instance types and families.
        max_vcpus: The most vCPUs at one time, in each environment.
        volume_gib: Size of a host's volume in GiB.
        user_data_base64: Multipart MIME user data in base64: Batch adds parts of its own, and
            with anything else the environment becomes INVALID.
        host_tags: Tags on hosts and their volumes, which the provider's default tags do not reach.
        kms_key: The KMS key that hosts' volumes are encrypted with, which the service-linked role
            of Auto Scaling may use; the account's default where None.
        depends_on: What has to outlive the environments: one that loses its permissions before it
            is deleted hangs in DELETING.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        subnets: list[str],
        security_group_ids: list[str],
        instance_profile_arn: str,
        instance_types: list[str],
        max_vcpus: float,
        volume_gib: float,
        user_data_base64: str,
        host_tags: Mapping[str, str],
        kms_key: str | None = None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        template = self.named(
            _template(self, name, volume_gib, user_data_base64, host_tags, kms_key)
        )

        def environment(word: str, kind: str, strategy: str) -> BatchComputeEnvironment:
            return BatchComputeEnvironment(
                self,
                word,
                **arguments(compute_environment_name_prefix=f"{name}-{word}-"),
                type="MANAGED",
                compute_resources=BatchComputeEnvironmentComputeResources(
                    type=kind,
                    allocation_strategy=strategy,
                    bid_percentage=100 if kind == "SPOT" else None,
                    instance_type=instance_types,
                    instance_role=instance_profile_arn,
                    min_vcpus=0,
                    max_vcpus=max_vcpus,
                    security_group_ids=security_group_ids,
                    subnets=subnets,
                    # Said explicitly: Amazon Linux 2 has had its end, and a default can move.
                    ec2_configuration=[
                        BatchComputeEnvironmentComputeResourcesEc2Configuration(
                            image_type="ECS_AL2023"
                        )
                    ],
                    launch_template=at_its_version(template),
                ),
                update_policy=BatchComputeEnvironmentUpdatePolicy(
                    terminate_jobs_on_update=False, job_execution_timeout_minutes=_UPDATE_MINUTES
                ),
                lifecycle=scaled_by_batch(),
                depends_on=list(depends_on) or None,
            )

        spot = self.named(environment("spot", "SPOT", _SPOT_STRATEGY))
        on_demand = self.named(environment("on-demand", "EC2", "BEST_FIT_PROGRESSIVE"), "on_demand")
        self.spot_arn = spot.arn
        self.on_demand_arn = on_demand.arn


def _template(
    scope: Construct,
    name: str,
    volume_gib: float,
    user_data: str,
    tags: Mapping[str, str],
    kms_key: str | None,
) -> LaunchTemplate:
    return LaunchTemplate(
        scope,
        "template",
        name=launch_template_name(name),
        update_default_version=True,
        block_device_mappings=[
            LaunchTemplateBlockDeviceMappings(
                # The root device of the ECS image for Amazon Linux 2023.
                device_name="/dev/xvda",
                ebs=LaunchTemplateBlockDeviceMappingsEbs(
                    volume_size=volume_gib,
                    volume_type="gp3",
                    # Strings: launch templates know true, false and unset.
                    encrypted="true",
                    kms_key_id=kms_key,
                    delete_on_termination="true",
                ),
            )
        ],
        metadata_options=LaunchTemplateMetadataOptions(
            http_endpoint="enabled",
            http_tokens="required",
            # Tasks are containers: with 1, they get no credentials.
            http_put_response_hop_limit=2,
        ),
        monitoring=LaunchTemplateMonitoring(enabled=True),
        tag_specifications=[
            LaunchTemplateTagSpecifications(resource_type=kind, tags=dict(tags))
            for kind in ("instance", "volume", "network-interface")
        ],
        user_data=user_data,
    )
