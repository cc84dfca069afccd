"""The documented stack: the upstream bootstrap module, and the ECR repository beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cdktf import TerraformHclModule
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct

from biomodal_aws import ImageRepository
from biomodal_deploy.contract import variables_of
from stacks.base import DeploymentStack
from stacks.existing_bucket import MAKES_BUCKET, existing_bucket_name
from stacks.install_script import user_data
from stacks.ubuntu import CANONICAL, IMAGE_NAME

SOURCE: Final = "git::https://github.com/cegx-ds/terraform-aws-bootstrap.git?ref=module_update"


class ModuleStack(DeploymentStack):
    """The configuration as documented (section "Minimal AWS Terraform Configuration").

    Args:
        scope: The app.
        id_: The deployment's name.
        install_script: The VM's start-up script.
    """

    def __init__(self, scope: Construct, id_: str, *, install_script: Path) -> None:
        super().__init__(scope, id_, variables=variables_of("module"))
        AwsProvider(self, "aws", region=self.text("region"))
        # The module declares no version. Its branch `main` needs 5; the documented branch is free
        # to need 6, and this stack's own resource is the same in both.
        self.require_aws_provider(">= 5.0, < 7.0")
        account = DataAwsCallerIdentity(self, "current")
        vm_name = self.text("vm_name")
        tags = {self.text("tag_key"): self.text("tag_value")}
        repository = ImageRepository(self, "image_repository", name=vm_name, tags=tags)
        bootstrap = TerraformHclModule(
            self,
            "bootstrap",
            source=SOURCE,
            variables={
                "account_id": account.account_id,
                "name": vm_name,
                "vpc_id": self.text("vpc_id"),
                "subnet_id": self.text("subnet_id"),
                "ami_owners": [CANONICAL["aws"]],
                "ami_filter": {"name": [IMAGE_NAME], "virtualization-type": ["hvm"]},
                "instance_type": self.text("instance_type"),
                "root_block_device_volume_size": 100,
                # A string in the module's interface.
                "eip_enabled": "true",
                "ssh_public_key_path": '${pathexpand("~/.ssh")}',
                "ssh_user": self.text("ssh_user"),
                "metadata_http_tokens_required": False,
                "user_data_base64": user_data(self, install_script),
                "create_bucket": f"${{{MAKES_BUCKET}}}",
                "existing_bucket_name": f"${{{existing_bucket_name()}}}",
                "bucket_force_destroy": self.variables["bucket_force_destroy"].boolean_value,
                "deploy_batch": True,
                "tags": tags,
            },
        )
        bucket = f"{MAKES_BUCKET} ? {bootstrap.fqn}.bucket_id : {existing_bucket_name()}"
        self.give_out(
            {
                "bucket_url": f"s3://${{{bucket}}}",
                "docker_repo_url": repository.registry_host,
                "private_ip": bootstrap.get_string("private_ip"),
                "private_key_filename": bootstrap.get_string("private_key_filename"),
                "public_ip": bootstrap.get_string("public_ip"),
                "ssh_user": bootstrap.get_string("ssh_user"),
                "vm_name": vm_name,
            }
        )
