"""The hardened profile of the module implementation: what the module's inputs can express.

The rest stays as the module makes it; `biomodal-aws init --explain` says which points those are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from biomodal_aws import ImageRepository
from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.stack import Adopted
from stacks.install_script import user_data
from stacks.module_base import ModuleBase

# Rules as the module takes them: one object for each, with its ranges in one string.
_RULES: Final = (
    '${concat([{type = "egress", protocol = "-1", from_port = 0, to_port = 0, '
    'cidr_blocks = "0.0.0.0/0", description = "All outbound traffic"}], '
    '[for block in var.ssh_cidr_blocks : {type = "ingress", protocol = "tcp", from_port = 22, '
    'to_port = 22, cidr_blocks = block, description = "SSH"}])}'
)


class HardenedModuleStack(ModuleBase):
    """The documented module call with the safer of the module's own inputs.

    Args:
        scope: The app.
        id_: The stack's name.
        install_script: The VM's start-up script.
        open_ssh: Whether port 22 may be opened to everyone.
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
        bucket_key: str | None = None,
        adopted: Adopted = Adopted(),  # noqa: B008  # it is frozen
    ) -> None:
        super().__init__(
            scope, id_, variables=variables_of("module", "hardened", open_ssh=open_ssh)
        )
        self.aws_provider(">= 5.0, < 7.0")
        repository = ImageRepository(
            self,
            "image_repository",
            name=self.text("vm_name"),
            scan_on_push=True,
            immutable_tags=True,
        )
        bootstrap = self.call_module(
            {
                "root_block_device_volume_size": self.number("vm_volume_gib"),
                "root_block_device_encrypted": True,
                "security_group_rules": _RULES,
                "metadata_http_tokens_required": True,
                "metadata_http_put_response_hop_limit": 2,
                "disable_api_termination": self.variables["termination_protection"].boolean_value,
                "user_data_base64": user_data(self, install_script, docker_by_group=True),
            },
            adopted,
        )
        self._session_manager(bootstrap)
        self.allow_key(bootstrap, bucket_key)
        self.give_out_from(bootstrap, repository)

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
