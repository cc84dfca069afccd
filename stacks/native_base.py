"""What both profiles of the native implementation share: versions, image, key and names."""

from __future__ import annotations

import json

from cdktf import TerraformLocal
from cdktf_cdktf_provider_aws.data_aws_ami import DataAwsAmi, DataAwsAmiFilter
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition

from biomodal_deploy.config.contract.aws import CANONICAL, IMAGE_NAME
from stacks.base import BaseStack


class NativeBase(BaseStack):
    """A stack of this project's own constructs."""

    def partition(self) -> str:
        """Return the account's partition."""
        partition = DataAwsPartition(self, "partition")
        partition.override_logical_id("current")
        return partition.partition

    def local(self, name: str, expression: str) -> str:
        """Name an expression and return the reference to it."""
        local = TerraformLocal(self, name, expression)
        local.override_logical_id(name)
        return f"${{local.{name}}}"

    def public_key(self) -> str:
        """Return the public key given, else the file that `biomodal-aws keygen` writes."""
        beside_the_private_key = 'file(pathexpand("~/.ssh/${var.vm_name}.pub"))'
        return f'${{var.ssh_public_key != "" ? var.ssh_public_key : {beside_the_private_key}}}'

    def ubuntu(self) -> str:
        """Return the newest Ubuntu 22.04 image of Canonical's."""
        owners = json.dumps(CANONICAL)
        owner = f'lookup({owners}, data.aws_partition.current.partition, "{CANONICAL["aws"]}")'
        return DataAwsAmi(
            self,
            "ubuntu",
            most_recent=True,
            owners=[f"${{{owner}}}"],
            filter=[
                DataAwsAmiFilter(name="name", values=[IMAGE_NAME]),
                DataAwsAmiFilter(name="virtualization-type", values=["hvm"]),
            ],
        ).id
