"""The hardened profile of the native implementation; docs/hardening.md argues each point.

Construct ids are those of the documented profile: a stack that changes its profile keeps its
VM, its bucket and its repository, and changes them in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cdktf import Token
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocumentStatement,
)
from cdktf_cdktf_provider_aws.data_aws_subnet import DataAwsSubnet
from constructs import Construct

from biomodal_aws import (
    BatchJobQueue,
    BatchSecurityGroup,
    DataBucket,
    ElasticIp,
    ImageRepository,
    KeyPair,
    OrchestratorVm,
    SshSecurityGroup,
)
from biomodal_aws.hardened import (
    Alarms,
    BatchEnvironments,
    BucketProtection,
    ImageRetention,
    InstanceRole,
    TaskLogs,
    permissions,
)
from biomodal_aws.hardened.bucket_lifecycle import bucket_lifecycle
from biomodal_aws.iam.statements import use_keys
from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.contract.aws import (
    ECS_ROLE_POLICY,
    HOST_SUFFIX,
    ROLE_LENGTH,
    job_queue_name,
    on_demand_queue_name,
    security_group_name,
)
from biomodal_deploy.config.stack import Adopted
from stacks.batch_user_data import batch_user_data
from stacks.existing_bucket import MAKES_BUCKET, bucket_name
from stacks.install_script import user_data
from stacks.native_base import NativeBase

_ROLE_NAME: Final = 'substr("${{var.iam_name_prefix}}${{var.vm_name}}", 0, {length})'
_USES_SSH: Final = 'length(var.ssh_cidr_blocks) > 0 || var.ssh_public_key != ""'
_SUBNETS: Final = (
    "length(var.batch_subnet_ids) > 0 ? var.batch_subnet_ids : [data.aws_subnet.subnet.id]"
)
# Batch refuses an empty list, and only once the VM and the bucket are made.
_INSTANCE_TYPES: Final = (
    'length(var.batch_instance_types) > 0 ? var.batch_instance_types : ["optimal"]'
)
# EC2 refuses to launch these older types when they are asked for EBS optimization.
_EBS_OPTIMIZED: Final = (
    'can(regex("^(t1|t2|m[1-3]|c[13]|cc2|cr1|g2|hs1|i2|r3)[.]", var.instance_type)) ? null : true'
)
_HOST_TAGS: Final = (
    f'merge({{(var.tag_key) = var.tag_value}}, {{Name = "${{var.vm_name}}{HOST_SUFFIX}"}})'
)
# Reasons that AWS Batch gives for a job that waits: the first two never pass by themselves.
_NO_HOST_FITS: Final = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
_ENVIRONMENT_TOO_SMALL: Final = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"
_NO_CAPACITY: Final = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
_A_DAY_S: Final = 86_400


class HardenedStack(NativeBase):
    """The documented environment after its security review.

    Args:
        scope: The app.
        id_: The stack's name.
        install_script: The VM's start-up script; the Batch hosts' lies beside it.
        open_ssh: Whether port 22 may be opened to everyone.
        kms_key: The KMS key that everything is encrypted with, or None.
        bucket_key: The KMS key that an existing data bucket is encrypted with, or None.
        adopted: What it keeps of the resources that it adopted.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        install_script: Path,
        open_ssh: bool = False,
        kms_key: str | None = None,
        bucket_key: str | None = None,
        adopted: Adopted = Adopted(),  # noqa: B008  # it is frozen
    ) -> None:
        super().__init__(
            scope, id_, variables=variables_of("native", "hardened", open_ssh=open_ssh)
        )
        self.aws_provider()
        self._kms_key, self._adopted = kms_key, adopted
        keys = use_keys([kms_key, bucket_key], "s3", *(("logs",) if kms_key else ()))
        place = permissions.Place(
            partition=self.partition(),
            region=self.text("region"),
            account=DataAwsCallerIdentity(self, "current").account_id,
        )
        name = self.text("vm_name")
        subnet = DataAwsSubnet(
            self, "subnet", id=self.text("subnet_id"), vpc_id=self.text("vpc_id")
        )
        bucket = self.local("bucket_name", f"${{{bucket_name(adopted.bucket)}}}")
        bucket_arn = f"arn:{place.partition}:s3:::{bucket}"
        self._data_bucket(bucket, bucket_arn)
        repository = self._image_repository(name)
        logs = f"/biomodal/{name}/tasks"
        TaskLogs(
            self, "task_logs", name=logs, retention_days="var.log_retention_days", kms_key=kms_key
        )
        hosts_may = [
            *permissions.data_bucket(bucket_arn),
            *permissions.pull_images(repository.arn),
            *keys,
        ]
        queue_arns = self._batch(place, install_script, hosts_may)
        role = InstanceRole(
            self,
            "vm_role",
            name=f"${{{_ROLE_NAME.format(length=ROLE_LENGTH)}}}",
            statements=[
                *permissions.data_bucket(bucket_arn),
                *permissions.push_images(repository.arn),
                *permissions.batch_jobs(place, queue_arns),
                *permissions.follow_tasks(place, logs),
                *keys,
            ],
            managed_policies={
                "session_manager": f"arn:{place.partition}:iam::aws:policy/"
                "AmazonSSMManagedInstanceCore"
            },
            permissions_boundary=self._boundary(),
        )
        vm = self._vm(install_script, subnet.id, role.instance_profile_name)
        address = ElasticIp(
            self, "public_ip", name=name, instance_id=vm.id, create="var.elastic_ip"
        )
        Alarms(
            self,
            "watch",
            name=name,
            instance_id=vm.id,
            topic_arn="var.alarm_topic_arn",
            budget_usd="var.monthly_budget_usd",
            email="var.budget_email",
            tag=("var.tag_key", "var.tag_value"),
        )
        self.add_outputs(
            {
                "bucket_url": f"s3://{bucket}",
                "docker_repo_url": repository.registry_host,
                "private_ip": vm.private_ip,
                "private_key_filename": (
                    f'${{{_USES_SSH} ? pathexpand("~/.ssh/${{var.vm_name}}.pem") : ""}}'
                ),
                "public_ip": address.public_ip,
                "ssh_user": self.text("ssh_user"),
                "vm_name": name,
            }
        )

    def _data_bucket(self, name: str, arn: str) -> None:
        bucket = DataBucket(
            self,
            "data_bucket",
            name=name,
            force_destroy=self.variables["bucket_force_destroy"].boolean_value,
            lifecycle_rules=bucket_lifecycle(
                work_days="var.work_expiry_days", noncurrent_days="var.noncurrent_expiry_days"
            ),
            create=MAKES_BUCKET,
        )
        BucketProtection(
            self,
            "data_bucket_protection",
            bucket=bucket.id,
            bucket_arn=arn,
            log_bucket="var.access_log_bucket",
            create=MAKES_BUCKET,
            kms_key=self._kms_key,
            depends_on=[bucket.public_access_block],
        )

    def _image_repository(self, name: str) -> ImageRepository:
        repository = ImageRepository(
            self,
            "image_repository",
            name=name,
            scan_on_push=True,
            immutable_tags=True,
            kms_key=self._kms_key,
        )
        ImageRetention(
            self,
            "image_retention",
            repository=repository.name,
            untagged_days="var.untagged_image_days",
        )
        return repository

    def _vm(self, install_script: Path, subnet_id: str, instance_profile: str) -> OrchestratorVm:
        name = self.text("vm_name")
        key = KeyPair(
            self,
            "ssh_key",
            name=name,
            public_key=self.public_key(),
            imported=self._adopted.key_pair,
            create=_USES_SSH,
        )
        ssh = SshSecurityGroup(
            self,
            "ssh",
            name=security_group_name(name),
            vpc_id=self.text("vpc_id"),
            description=self._adopted.ssh_description,
            ssh_cidr_blocks={},
            ssh_cidr_list="var.ssh_cidr_blocks",
        )
        self.ubuntu()
        return OrchestratorVm(
            self,
            "vm",
            name=name,
            ami='${var.ami_id != "" ? var.ami_id : data.aws_ami.ubuntu.id}',
            instance_type=self.text("instance_type"),
            subnet_id=subnet_id,
            security_group_ids=[ssh.id],
            key_name=key.name,
            instance_profile=instance_profile,
            user_data_base64=user_data(self, install_script, docker_by_group=True),
            root_volume_gib=self.number("vm_volume_gib"),
            root_volume_type="gp3",
            root_volume_tags={"Name": name},
            require_imdsv2=True,
            metadata_hop_limit=2,
            termination_protection=self.variables["termination_protection"].boolean_value,
            ebs_optimized=Token.as_any(f"${{{_EBS_OPTIMIZED}}}"),
            keep_launched=True,
            kms_key=self._kms_key,
        )

    def _batch(
        self,
        place: permissions.Place,
        install_script: Path,
        hosts_may: Sequence[DataAwsIamPolicyDocumentStatement],
    ) -> list[str]:
        """Make hosts and queues, and return the queues' ARNs."""
        name = self.text("vm_name")
        role = InstanceRole(
            self,
            "batch_host_role",
            name=f"${{{_ROLE_NAME.format(length=ROLE_LENGTH - len(HOST_SUFFIX))}}}{HOST_SUFFIX}",
            statements=hosts_may,
            managed_policies={
                "ecs": f"arn:{place.partition}:iam::aws:policy/service-role/{ECS_ROLE_POLICY}"
            },
            permissions_boundary=self._boundary(),
        )
        hosts = BatchSecurityGroup(
            self,
            "batch_hosts",
            name_prefix=f"{name}-batch-",
            vpc_id=self.text("vpc_id"),
            description=self._adopted.batch_description,
            ingress_cidr_blocks={},
        )
        environments = BatchEnvironments(
            self,
            "batch",
            name=name,
            subnets=Token.as_list(f"${{{_SUBNETS}}}"),
            security_group_ids=[hosts.id],
            instance_profile_arn=role.instance_profile_arn,
            instance_types=Token.as_list(f"${{{_INSTANCE_TYPES}}}"),
            max_vcpus=self.number("batch_max_vcpus"),
            volume_gib=self.number("batch_volume_gib"),
            user_data_base64=batch_user_data(self, install_script.with_name("batch_host.sh")),
            # Merged by Terraform: tag_key may be Name, and an object has no key twice.
            host_tags=Token.as_string_map(f"${{{_HOST_TAGS}}}"),
            kms_key=self._kms_key,
            depends_on=role.permissions,
        )
        # Two queues and not one that overflows: an On-Demand host costs three times a Spot host,
        # so the pipeline says when (`queue = { task.attempt > 1 ? ... }`), and not a shortage.
        stuck = Token.as_number("${var.batch_stuck_minutes * 60}")
        limits = {_NO_HOST_FITS: stuck, _ENVIRONMENT_TOO_SMALL: stuck, _NO_CAPACITY: _A_DAY_S}
        spot = BatchJobQueue(
            self,
            "job_queue",
            name=job_queue_name(name),
            compute_environment_arns=[environments.spot_arn],
            cancel_after_s=limits,
        )
        on_demand = BatchJobQueue(
            self,
            "job_queue_on_demand",
            name=on_demand_queue_name(name),
            compute_environment_arns=[environments.on_demand_arn],
            cancel_after_s=limits,
        )
        return [spot.arn, on_demand.arn]

    def _boundary(self) -> str:
        given = "var.permissions_boundary_arn"
        return f'${{{given} != "" ? {given} : null}}'
