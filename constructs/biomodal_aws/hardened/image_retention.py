"""Which images go from the ECR repository by themselves."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.ecr_lifecycle_policy import EcrLifecyclePolicy
from constructs import Construct

from biomodal_aws.part import Part


class ImageRetention(Part):
    """A lifecycle policy that deletes images which no tag names any more.

    Args:
        repository: Reference to the repository's name.
        untagged_days: A Terraform expression (without `${}`) for the days that they are kept.
    """

    def __init__(self, scope: Construct, id_: str, *, repository: str, untagged_days: str) -> None:
        super().__init__(scope, id_)
        # As an expression: the number of days is Terraform's to know.
        selection = (
            '{tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", '
            f"countNumber = {untagged_days}}}"
        )
        rule = (
            '{rulePriority = 1, description = "Images without a tag", '
            f'selection = {selection}, action = {{type = "expire"}}}}'
        )
        policy = f"${{jsonencode({{rules = [{rule}]}})}}"
        self.named(EcrLifecyclePolicy(self, "policy", repository=repository, policy=policy))
