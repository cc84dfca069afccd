"""The S3 bucket that keeps Terraform states."""

from __future__ import annotations

from typing import Final

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
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
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from constructs import Construct

from biomodal_aws.part import Part

_STALE_UPLOAD_DAYS: Final = 7


class StateBucket(Part):
    """A versioned, encrypted, private bucket that answers over TLS only and is never destroyed.

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
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
        block = self.named(
            S3BucketPublicAccessBlock(
                self,
                "public-access",
                bucket=bucket.id,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            )
        )
        self.named(
            S3BucketOwnershipControls(
                self,
                "ownership",
                bucket=bucket.id,
                rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
            )
        )
        versioning = self.named(
            S3BucketVersioningA(
                self,
                "versioning",
                bucket=bucket.id,
                versioning_configuration=S3BucketVersioningVersioningConfiguration(
                    status="Enabled"
                ),
            )
        )
        self._encrypt(bucket, kms_key_id)
        self._expire(bucket, versioning, keep_days)
        self._refuse_plain_http(bucket, f"arn:{partition}:s3:::{name}", block)

    def _encrypt(self, bucket: S3Bucket, kms_key_id: str | None) -> None:
        self.named(
            S3BucketServerSideEncryptionConfigurationA(
                self,
                "encryption",
                bucket=bucket.id,
                rule=[
                    S3BucketServerSideEncryptionConfigurationRuleA(
                        apply_server_side_encryption_by_default=(
                            S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                                sse_algorithm="aws:kms" if kms_key_id else "AES256",
                                kms_master_key_id=kms_key_id,
                            )
                        ),
                        # One call of KMS's for many objects: each read and write pays for it.
                        bucket_key_enabled=True if kms_key_id else None,
                    )
                ],
            )
        )

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

    def _refuse_plain_http(
        self, bucket: S3Bucket, arn: str, block: S3BucketPublicAccessBlock
    ) -> None:
        # By its ARN and not by reference: the plan shows the policy in full.
        document = self.named(
            DataAwsIamPolicyDocument(
                self,
                "tls-only",
                statement=[
                    DataAwsIamPolicyDocumentStatement(
                        sid="RefusePlainHttp",
                        effect="Deny",
                        actions=["s3:*"],
                        resources=[arn, f"{arn}/*"],
                        principals=[
                            DataAwsIamPolicyDocumentStatementPrincipals(type="*", identifiers=["*"])
                        ],
                        condition=[
                            DataAwsIamPolicyDocumentStatementCondition(
                                test="Bool", variable="aws:SecureTransport", values=["false"]
                            )
                        ],
                    )
                ],
            )
        )
        # S3 refuses a policy while another of the bucket's settings changes.
        self.named(
            S3BucketPolicy(
                self, "policy", bucket=bucket.id, policy=document.json, depends_on=[block]
            )
        )
