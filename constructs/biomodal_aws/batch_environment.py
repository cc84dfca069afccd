"""The AWS Batch compute environment: Spot hosts that scale from nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktf import ITerraformDependable, TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.batch_compute_environment import (
    BatchComputeEnvironment,
    BatchComputeEnvironmentComputeResources,
    BatchComputeEnvironmentComputeResourcesLaunchTemplate,
)
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateBlockDeviceMappingsEbs,
)
from constructs import Construct

from biomodal_aws._bindings.framework import arguments
from biomodal_aws.part import Part, check_sequence
from biomodal_deploy.config.contract.aws import launch_template_name


class BatchEnvironment(Part):
    """A managed compute environment with its launch template (document section "AWS Batch").

    No service role is named: Batch then uses its service-linked role, makes it where the account
    has none, and can update the environment in place.

    Args:
        name: Name of the compute environment.
        subnet_ids: Subnets that hosts start in.
        security_group_ids: Security groups of the hosts.
        instance_profile_arn: The hosts' instance profile.
        max_vcpus: The most vCPUs at one time.
        volume_gib: Size of a host's volume in GiB.
        host_tags: Tags of the hosts, which the provider's default tags do not reach; default: none.
        depends_on: What has to outlive the environment: one that loses its permissions before it
            is deleted hangs in DELETING.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        subnet_ids: list[str],
        security_group_ids: list[str],
        instance_profile_arn: str,
        max_vcpus: int = 256,
        volume_gib: int = 500,
        host_tags: Mapping[str, str] | None = None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        check_sequence(id_, "subnet_ids", subnet_ids)
        check_sequence(id_, "security_group_ids", security_group_ids)
        super().__init__(scope, id_)
        template = self.named(
            LaunchTemplate(
                self,
                "template",
                name=launch_template_name(name),
                block_device_mappings=[
                    LaunchTemplateBlockDeviceMappings(
                        device_name="/dev/xvda",
                        ebs=LaunchTemplateBlockDeviceMappingsEbs(
                            volume_size=volume_gib, volume_type="gp2"
                        ),
                    )
                ],
            )
        )
        environment = self.named(
            BatchComputeEnvironment(
                self,
                "environment",
                **arguments(compute_environment_name=name),
                type="MANAGED",
                compute_resources=BatchComputeEnvironmentComputeResources(
                    type="SPOT",
                    allocation_strategy="SPOT_CAPACITY_OPTIMIZED",
                    bid_percentage=100,
                    instance_type=["optimal"],
                    instance_role=instance_profile_arn,
                    min_vcpus=0,
                    max_vcpus=max_vcpus,
                    security_group_ids=security_group_ids,
                    subnets=subnet_ids,
                    tags=host_tags,
                    launch_template=at_its_version(template),
                ),
                lifecycle=scaled_by_batch(),
                depends_on=list(depends_on) or None,
            )
        )
        self.arn = environment.arn


def at_its_version(
    template: LaunchTemplate,
) -> BatchComputeEnvironmentComputeResourcesLaunchTemplate:
    """Return a template as an environment names it.

    By number: Batch freezes `$Latest` when the environment is made, and a number makes a changed
    template show in the plan.
    """
    return BatchComputeEnvironmentComputeResourcesLaunchTemplate(
        launch_template_id=template.id, version=f"${{{template.fqn}.latest_version}}"
    )


def scaled_by_batch() -> TerraformResourceLifecycle:
    """Return how an environment is replaced and updated."""
    return TerraformResourceLifecycle(
        # Batch deletes no environment that a queue names: the queue has to go over to the
        # successor first. Under the same name AWS refuses the successor, and nothing is lost; a
        # changed vm_name or profile changes the name too.
        create_before_destroy=True,
        # Batch scales this number itself; a plan must not fight a running pipeline.
        ignore_changes=["compute_resources[0].desired_vcpus"],
    )
