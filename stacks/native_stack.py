"""The same environment from this project's own constructs, without a remote module."""

from __future__ import annotations

from pathlib import Path

from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from constructs import Construct

from biomodal_aws import (
    BatchEnvironment,
    BatchJobQueue,
    BatchSecurityGroup,
    DataBucket,
    ElasticIp,
    ImageRepository,
    KeyPair,
    OrchestratorVm,
    SshSecurityGroup,
    VmRole,
)
from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.contract.aws import (
    ECS_INSTANCE_ROLE,
    job_queue_name,
    security_group_name,
)
from biomodal_deploy.config.stack import Adopted
from stacks.existing_bucket import MAKES_BUCKET, bucket_name
from stacks.install_script import user_data
from stacks.native_base import NativeBase


class NativeStack(NativeBase):
    """The documented environment (section "AWS Services and Resources").

    Values are the document's; where it is silent, they are the upstream module's.

    Args:
        scope: The app.
        id_: The stack's name.
        install_script: The VM's start-up script.
        bucket_key: The KMS key that an existing data bucket is encrypted with, or None.
        adopted: What it keeps of the resources that it adopted.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        install_script: Path,
        bucket_key: str | None = None,
        adopted: Adopted = Adopted(),  # noqa: B008  # it is frozen
    ) -> None:
        super().__init__(scope, id_, variables=variables_of("native"))
        self.aws_provider()
        account = DataAwsCallerIdentity(self, "current").account_id
        partition = self.partition()
        name = self.text("vm_name")
        vpc_id = self.text("vpc_id")
        # Both at once: a subnet of another VPC then fails the plan, not the apply.
        subnet = DataAwsSubnet(self, "subnet", id=self.text("subnet_id"), vpc_id=vpc_id)
        # A name known at plan time: the plan then shows the VM's policy in full.
        bucket = self.local("bucket_name", f"${{{bucket_name(adopted.bucket)}}}")

        DataBucket(
            self,
            "data_bucket",
            name=bucket,
            force_destroy=self.variables["bucket_force_destroy"].boolean_value,
            create=MAKES_BUCKET,
        )
        repository = ImageRepository(self, "image_repository", name=name)
        role = VmRole(
            self,
            "vm_role",
            name=name,
            bucket_arn=f"arn:{partition}:s3:::{bucket}",
            bucket_key=bucket_key,
        )
        key = KeyPair(
            self,
            "ssh_key",
            name=name,
            public_key=self.public_key(),
            imported=adopted.key_pair,
        )
        ssh = SshSecurityGroup(
            self,
            "ssh",
            name=security_group_name(name),
            vpc_id=vpc_id,
            description=adopted.ssh_description,
            ssh_cidr_blocks={"anywhere": "0.0.0.0/0"},
        )
        vm = OrchestratorVm(
            self,
            "vm",
            name=name,
            ami=self.ubuntu(),
            instance_type=self.text("instance_type"),
            subnet_id=subnet.id,
            security_group_ids=[ssh.id],
            key_name=key.name,
            instance_profile=role.instance_profile_name,
            user_data_base64=user_data(self, install_script),
            root_volume_gib=self.number("vm_volume_gib"),
            # The provider takes default tags off a root volume when one of them changes.
            root_volume_tags={"Name": name},
        )
        address = ElasticIp(self, "public_ip", name=name, instance_id=vm.id)
        hosts = BatchSecurityGroup(
            self,
            "batch_hosts",
            name_prefix=f"{name}-batch-",
            vpc_id=vpc_id,
            description=adopted.batch_description,
            ingress_cidr_blocks={"subnet": subnet.cidr_block, "vm": f"{address.public_ip}/32"},
        )
        environment = BatchEnvironment(
            self,
            "batch",
            name=name,
            subnet_ids=[subnet.id],
            security_group_ids=[hosts.id],
            instance_profile_arn=(
                f"arn:{partition}:iam::{account}:instance-profile/{ECS_INSTANCE_ROLE}"
            ),
            host_tags=self.tags(),  # for the cost report, as upstream has it
        )
        BatchJobQueue(
            self,
            "job_queue",
            name=job_queue_name(name),
            compute_environment_arns=[environment.arn],
        )
        self.add_outputs(
            {
                "bucket_url": f"s3://{bucket}",
                "docker_repo_url": repository.registry_host,
                "private_ip": vm.private_ip,
                "private_key_filename": '${pathexpand("~/.ssh/${var.vm_name}.pem")}',
                "public_ip": address.public_ip,
                "ssh_user": self.text("ssh_user"),
                "vm_name": name,
            }
        )
