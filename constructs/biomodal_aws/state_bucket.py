"""The S3 bucket that keeps Terraform states."""

from __future__ import annotations

from typing import Final

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import S3BucketVersioningA
from constructs import Construct

from biomodal_aws.data_bucket import block_public_access
from biomodal_aws.guarded_bucket import GuardedBucket

_STALE_UPLOAD_DAYS: Final = 7


class StateBucket(GuardedBucket):
    """A versioned, encrypted, private bucket that answers over TLS only and is never destroyed.

    Args:
        name: Name of the bucket, unique among all AWS accounts.
        partition: The account's partition.
        kms_key_id: The KMS key to encrypt with by default; Amazon S3's own keys where None.
        keep_days: Days for which former versions of a state are kept.

    Attributes:
        id: The bucket's name, known once it exists.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        partition: str,
        kms_key_id: str | None = None,
        keep_days: int = 90,
    ) -> None:
        super().__init__(scope, id_)
        bucket = self.named(
            S3Bucket(
                self,
                "bucket",
                bucket=name,
                force_destroy=False,
                lifecycle=TerraformResourceLifecycle(prevent_destroy=True),
            )
        )
        self.id = bucket.id
        block = block_public_access(self, bucket.id)
        self.named(
            S3BucketOwnershipControls(
                self,
                "ownership",
                bucket=bucket.id,
                rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
            )
        )
        versioning = self.keep_versions(bucket.id)
        self.encrypt(bucket.id, kms_key_id)
        self._expire(bucket, versioning, keep_days)
        self.refuse_plain_http(bucket.id, f"arn:{partition}:s3:::{name}", [block])

    def _expire(self, bucket: S3Bucket, versioning: S3BucketVersioningA, days: int) -> None:
        self.named(
            S3BucketLifecycleConfiguration(
                self,
                "lifecycle",
                bucket=bucket.id,
                rule=[
                    S3BucketLifecycleConfigurationRule(
                        id="former-versions",
                        status="Enabled",
                        filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
                        noncurrent_version_expiration=[
                            S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                                noncurrent_days=days
                            )
                        ],
                        # Each lock that was released leaves one behind.
                        expiration=[
                            S3BucketLifecycleConfigurationRuleExpiration(
                                expired_object_delete_marker=True
                            )
                        ],
                        abort_incomplete_multipart_upload=[
                            S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                                days_after_initiation=_STALE_UPLOAD_DAYS
                            )
                        ],
                    )
                ],
                depends_on=[versioning],
            )
        )
