"""How long images that no tag names and logs of tasks are kept."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
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


class TaskLogs(Part):
    """A CloudWatch log group whose logs expire; Batch's own `/aws/batch/job` keeps them for ever.

    Nextflow sends tasks there where its configuration says `aws.batch.logsGroup`.

    Args:
        name: Name of the log group.
        retention_days: A Terraform expression (without `${}`) for the days that logs are kept; 0
            makes no log group.
        kms_key: The KMS key to encrypt with, whose policy permits the logs service to use it;
            the service's own where None.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        retention_days: str,
        kms_key: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        group = self.named(CloudwatchLogGroup(self, "group", name=name, kms_key_id=kms_key))
        group.add_override("retention_in_days", f"${{{retention_days}}}")
        self.made_if(f"{retention_days} > 0", group)
