"""The S3 bucket for input data, work directories and results; and what keeps any bucket private."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import IResolvable
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
)
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from constructs import Construct

from biomodal_aws.part import Part


def block_public_access(part: Part, bucket_id: str) -> S3BucketPublicAccessBlock:
    """Block all public access to a bucket.

    Args:
        part: The construct that makes the bucket.
        bucket_id: The bucket's name.
    """
    return part.named(
        S3BucketPublicAccessBlock(
            part,
            "public-access",
            bucket=bucket_id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
    )


class DataBucket(Part):
    """A private bucket whose Nextflow work files expire.

    Args:
        name: Name of the bucket, unique among all AWS accounts.
        force_destroy: Whether a destroy deletes the bucket with everything in it.
        work_expiry_days: Days after which objects under `nf-work/` are deleted.
        lifecycle_rules: Lifecycle rules in place of that one, or None.
        create: Where it is made, as `made_if` takes it.

    Attributes:
        id: The bucket's name, known once it exists.
        public_access_block: What keeps it private, for `depends_on`.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        force_destroy: bool | IResolvable = False,
        work_expiry_days: int = 14,
        lifecycle_rules: Sequence[S3BucketLifecycleConfigurationRule] | None = None,
        create: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        bucket = self.named(S3Bucket(self, "bucket", bucket=name, force_destroy=force_destroy))
        self.id = f"${{aws_s3_bucket.{self.address}{'[0]' if create else ''}.id}}"
        self.public_access_block = block_public_access(self, self.id)
        lifecycle = self.named(
            S3BucketLifecycleConfiguration(
                self,
                "lifecycle",
                bucket=self.id,
                rule=list(lifecycle_rules or ())
                or [
                    S3BucketLifecycleConfigurationRule(
                        id="nf-work",
                        status="Enabled",
                        filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="nf-work/")],
                        expiration=[
                            S3BucketLifecycleConfigurationRuleExpiration(days=work_expiry_days)
                        ],
                    )
                ],
            )
        )
        self.made_if(create, bucket, self.public_access_block, lifecycle)
