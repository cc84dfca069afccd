"""The ECR repository for container images."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.ecr_repository import (
    EcrRepository,
    EcrRepositoryEncryptionConfiguration,
    EcrRepositoryImageScanningConfiguration,
)
from constructs import Construct

from biomodal_aws.part import Part


class ImageRepository(Part):
    """An ECR repository (document section "ECR Repository").

    Args:
        name: Name of the repository.
        tags: Tags on it, beside the provider's default tags.
        scan_on_push: Whether ECR looks through each pushed image for known vulnerabilities.
        immutable_tags: Whether a tag, once pushed, stands for the same image for ever.
        kms_key: The KMS key to encrypt with, or None for ECR's own keys. A repository that exists
            keeps what it has: ECR takes a key at creation only, and a replacement would lose the
            images.

    Attributes:
        name: Name of the repository, known once it exists.
        registry_host: Host name of the registry, `ACCOUNT.dkr.ecr.REGION.amazonaws.com`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        tags: Mapping[str, str] | None = None,
        scan_on_push: bool = False,
        immutable_tags: bool = False,
        kms_key: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        repository = self.named(
            EcrRepository(
                self,
                "repository",
                name=name,
                tags=tags,
                image_scanning_configuration=(
                    EcrRepositoryImageScanningConfiguration(scan_on_push=True)
                    if scan_on_push
                    else None
                ),
                image_tag_mutability="IMMUTABLE" if immutable_tags else None,
                encryption_configuration=(
                    [EcrRepositoryEncryptionConfiguration(encryption_type="KMS", kms_key=kms_key)]
                    if kms_key
                    else None
                ),
                lifecycle=(
                    TerraformResourceLifecycle(ignore_changes=["encryption_configuration"])
                    if kms_key
                    else None
                ),
            )
        )
        self.name = repository.name
        self.arn = repository.arn
        # Cut from the repository's own URL: the host differs by partition.
        self.registry_host = f'${{split("/", {repository.fqn}.repository_url)[0]}}'
