"""The ECR repository for container images."""

from __future__ import annotations

from collections.abc import Mapping

from cdktf_cdktf_provider_aws.ecr_repository import (
    EcrRepository,
    EcrRepositoryImageScanningConfiguration,
)
from constructs import Construct

from biomodal_aws.part import Part


class ImageRepository(Part):
    """An ECR repository (document section "ECR Repository").

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
        name: Name of the repository.
        tags: Tags on it, beside the provider's default tags.
        scan_on_push: Whether ECR looks through each pushed image for known vulnerabilities.
        immutable_tags: Whether a tag, once pushed, stands for the same image for ever.

    Attributes:
        name: Name of the repository, known once it exists.
        arn: ARN of the repository.
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
            )
        )
        self.name = repository.name
        self.arn = repository.arn
        # Cut from the repository's own URL: the host differs by partition.
        self.registry_host = f'${{split("/", {repository.fqn}.repository_url)[0]}}'
