"""The bucket that keeps the states of stacks, itself a stack."""

from __future__ import annotations

from cdktf import TerraformOutput
from cdktf_cdktf_provider_aws.data_aws_partition import DataAwsPartition
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from constructs import Construct

from biomodal_aws.state_bucket import StateBucket
from biomodal_deploy.config import backends
from stacks.base import BaseStack


class StateBucketStack(BaseStack):
    """One bucket. It takes no variables: all of it stands in the settings.

    A stack's state cannot be in a bucket that the stack makes, and must outlive it.

    Args:
        scope: The app.
        id_: The stack's name.
        region: Where the bucket is.
        settings: What it is.
    """

    def __init__(
        self, scope: Construct, id_: str, *, region: str, settings: backends.StateBucket
    ) -> None:
        super().__init__(scope, id_, variables=())
        tags = [AwsProviderDefaultTags(tags=settings.tags)] if settings.tags else None
        AwsProvider(self, "aws", region=region, default_tags=tags)
        self.require_aws_provider(">= 5.0, < 7.0")
        partition = DataAwsPartition(self, "partition")
        partition.override_logical_id("current")
        made = StateBucket(
            self,
            "state",
            name=settings.bucket,
            partition=partition.partition,
            kms_key_id=settings.kms_key_id,
            keep_days=settings.keep_days,
        )
        output = TerraformOutput(self, "bucket", value=made.id, description="Bucket for states")
        output.override_logical_id("bucket")
