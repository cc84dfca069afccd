"""What both profiles of the module implementation share: the call, its inputs and its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cdktf import ITerraformDependable, TerraformHclModule
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity

from biomodal_aws import ImageRepository
from biomodal_deploy.config.contract.aws import CANONICAL, IMAGE_NAME
from biomodal_deploy.config.stack import Adopted
from stacks.base import BaseStack
from stacks.existing_bucket import MAKES_BUCKET, existing_bucket_name

_SOURCE: Final = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"


class ModuleBase(BaseStack):
    """A stack around the upstream bootstrap module."""

    def call_module(self, inputs: Mapping[str, Any], adopted: Adopted) -> TerraformHclModule:
        """Call the module with what every profile gives it.

        Args:
            inputs: What this profile gives it besides.
            adopted: What it keeps of the resources that it adopted.
        """
        account = DataAwsCallerIdentity(self, "current")
        described = {"security_group_description": adopted.ssh_description}
        return TerraformHclModule(
            self,
            "bootstrap",
            source=_SOURCE,
            variables={
                "account_id": account.account_id,
                "name": self.text("vm_name"),
                "vpc_id": self.text("vpc_id"),
                "subnet_id": self.text("subnet_id"),
                "ami_owners": [CANONICAL["aws"]],
                "ami_filter": {"name": [IMAGE_NAME], "virtualization-type": ["hvm"]},
                "instance_type": self.text("instance_type"),
                # A string in the module's interface.
                "eip_enabled": "true",
                "ssh_public_key_path": '${pathexpand("~/.ssh")}',
                "ssh_user": self.text("ssh_user"),
                "create_bucket": f"${{{MAKES_BUCKET}}}",
                "existing_bucket_name": f"${{{existing_bucket_name()}}}",
                "bucket_force_destroy": self.variables["bucket_force_destroy"].boolean_value,
                "deploy_batch": True,
                "tags": self.tags(),
                **(described if adopted.ssh_description else {}),
                **inputs,
            },
        )

    def allow_key(self, bootstrap: ITerraformDependable, bucket_key: str | None) -> None:
        """Let the module's role use the KMS key of an existing data bucket, where there is one.

        Args:
            bootstrap: The module's call.
        """
        if bucket_key is None:
            return
        # Only here: these bindings would cost every other synthesis time.
        from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
            DataAwsIamPolicyDocument,
        )
        from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy

        from biomodal_aws.iam.statements import use_keys

        document = DataAwsIamPolicyDocument(
            self, "bucket_key_permissions", statement=use_keys([bucket_key], "s3")
        )
        document.override_logical_id("bucket_key")
        policy = IamRolePolicy(
            self,
            "bucket_key",
            name="bucket-key",
            # The module names its role after the VM.
            role=self.text("vm_name"),
            policy=document.json,
            depends_on=[bootstrap],
        )
        policy.override_logical_id("bucket_key")

    def give_out_from(self, bootstrap: TerraformHclModule, repository: ImageRepository) -> None:
        """Declare the documented outputs.

        Args:
            bootstrap: The module's call.
            repository: The repository beside it.
        """
        bucket = f"{MAKES_BUCKET} ? {bootstrap.fqn}.bucket_id : {existing_bucket_name()}"
        self.add_outputs(
            {
                "bucket_url": f"s3://${{{bucket}}}",
                "docker_repo_url": repository.registry_host,
                "private_ip": bootstrap.get_string("private_ip"),
                "private_key_filename": bootstrap.get_string("private_key_filename"),
                "public_ip": bootstrap.get_string("public_ip"),
                "ssh_user": bootstrap.get_string("ssh_user"),
                "vm_name": self.text("vm_name"),
            }
        )
