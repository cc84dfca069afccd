"""The hardened profile of the module implementation: what the module's inputs can express.

The rest stays as the module makes it; `biomodal-aws explain` says which points those are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from cdktf import ITerraformDependable, TerraformHclModule
from cdktf_cdktf_provider_aws.data_aws_caller_identity import DataAwsCallerIdentity
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct

from biomodal_aws import ImageRepository
from biomodal_deploy.contract import variables_of
from stacks.base import DeploymentStack
from stacks.existing_bucket import MAKES_BUCKET, existing_bucket_name
from stacks.install_script import user_data
from stacks.module_stack import SOURCE
from stacks.ubuntu import CANONICAL, IMAGE_NAME

# Rules as the module takes them: one object for each, with its ranges in one string.
_RULES: Final = (
    '${concat([{type = "egress", protocol = "-1", from_port = 0, to_port = 0, '
    'cidr_blocks = "0.0.0.0/0", description = "All outbound traffic"}], '
    '[for block in var.ssh_cidr_blocks : {type = "ingress", protocol = "tcp", from_port = 22, '
    'to_port = 22, cidr_blocks = block, description = "SSH"}])}'
)


class HardenedModuleStack(DeploymentStack):
    """The documented module call with the safer of the module's own inputs.

    Args:
        scope: The app.
        id_: The deployment's name.
        install_script: The VM's start-up script.
        open_ssh: Whether port 22 may be opened to everyone.
    """

    def __init__(
        self, scope: Construct, id_: str, *, install_script: Path, open_ssh: bool = False
    ) -> None:
        super().__init__(
            scope, id_, variables=variables_of("module", "hardened", open_ssh=open_ssh)
        )
        tags = {self.text("tag_key"): self.text("tag_value")}
        AwsProvider(
            self,
            "aws",
            region=self.text("region"),
            default_tags=[AwsProviderDefaultTags(tags=tags)],
        )
        self.require_aws_provider(">= 5.0, < 7.0")
        account = DataAwsCallerIdentity(self, "current")
        vm_name = self.text("vm_name")
        repository = ImageRepository(
            self, "image_repository", name=vm_name, scan_on_push=True, immutable_tags=True
        )
        bootstrap = TerraformHclModule(
            self,
            "bootstrap",
            source=SOURCE,
            variables=self._inputs(
                account.account_id, user_data(self, install_script, docker_by_group=True), tags
            ),
        )
        self._session_manager(bootstrap)
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

    def _inputs(self, account_id: str, script: str, tags: dict[str, str]) -> dict[str, Any]:
        return {
            "account_id": account_id,
            "name": self.text("vm_name"),
            "vpc_id": self.text("vpc_id"),
            "subnet_id": self.text("subnet_id"),
            "ami_owners": [CANONICAL["aws"]],
            "ami_filter": {"name": [IMAGE_NAME], "virtualization-type": ["hvm"]},
            "instance_type": self.text("instance_type"),
            "root_block_device_volume_size": self.number("vm_volume_gib"),
            "root_block_device_encrypted": True,
            "eip_enabled": "true",
            "ssh_public_key_path": '${pathexpand("~/.ssh")}',
            "ssh_user": self.text("ssh_user"),
            "security_group_rules": _RULES,
            "metadata_http_tokens_required": True,
            "metadata_http_put_response_hop_limit": 2,
            "disable_api_termination": self.variables["termination_protection"].boolean_value,
            "user_data_base64": script,
            "create_bucket": f"${{{MAKES_BUCKET}}}",
            "existing_bucket_name": f"${{{existing_bucket_name()}}}",
            "bucket_force_destroy": self.variables["bucket_force_destroy"].boolean_value,
            "deploy_batch": True,
            "tags": tags,
        }

    def _session_manager(self, bootstrap: ITerraformDependable) -> None:
        # The module names its role after the VM and gives it no way in but port 22.
        attachment = IamRolePolicyAttachment(
            self,
            "session_manager",
            role=self.text("vm_name"),
            policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
            depends_on=[bootstrap],
        )
        attachment.override_logical_id("session_manager")
