"""The documented stack: the upstream bootstrap module, and the ECR repository beside it."""

from __future__ import annotations

from pathlib import Path

from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct

from biomodal_aws import ImageRepository
from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.stack import Adopted
from stacks.install_script import user_data
from stacks.module_base import ModuleBase


class ModuleStack(ModuleBase):
    """The configuration as documented (section "Minimal AWS Terraform Configuration").

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
        super().__init__(scope, id_, variables=variables_of("module"))
        # The module tags little with `tags`, and not its launch template.
        AwsProvider(
            self,
            "aws",
            region=self.text("region"),
            default_tags=[AwsProviderDefaultTags(tags=self.own_tag())],
        )
        # The module declares no version. Its branch `main` needs 5; the documented branch is free
        # to need 6, and this stack's own resource is the same in both.
        self.require_aws_provider(">= 5.0, < 7.0")
        repository = ImageRepository(
            self, "image_repository", name=self.text("vm_name"), tags=self.tags()
        )
        bootstrap = self.call_module(
            {
                "root_block_device_volume_size": self.number("vm_volume_gib"),
                "metadata_http_tokens_required": False,
                "user_data_base64": user_data(self, install_script),
            },
            adopted,
        )
        self.allow_key(bootstrap, bucket_key)
        self.give_out_from(bootstrap, repository)
