"""What guards a bucket beyond privacy: default encryption, former versions, TLS only."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)

from biomodal_aws.part import Part


class GuardedBucket(Part):
    """A construct around one bucket that encrypts, keeps versions and refuses plain HTTP."""

    def encrypt(
        self, bucket: str, kms_key: str | None
    ) -> S3BucketServerSideEncryptionConfigurationA:
        """Encrypt by default with a KMS key, or with Amazon S3's own keys where it is None."""
        by_default = (
            S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                sse_algorithm="aws:kms" if kms_key else "AES256", kms_master_key_id=kms_key
            )
        )
        rule = S3BucketServerSideEncryptionConfigurationRuleA(
            apply_server_side_encryption_by_default=by_default,
            # One call of KMS's for many objects: each read and write pays for it.
            bucket_key_enabled=True if kms_key else None,
        )
        return self.named(
            S3BucketServerSideEncryptionConfigurationA(
                self, "encryption", bucket=bucket, rule=[rule]
            )
        )

    def keep_versions(self, bucket: str) -> S3BucketVersioningA:
        """Keep what is overwritten or deleted."""
        enabled = S3BucketVersioningVersioningConfiguration(status="Enabled")
        return self.named(
            S3BucketVersioningA(self, "versioning", bucket=bucket, versioning_configuration=enabled)
        )

    def refuse_plain_http(
        self, bucket: str, arn: str, depends_on: Sequence[ITerraformDependable]
    ) -> S3BucketPolicy:
        """Refuse every call without TLS.

        Args:
            arn: The bucket's ARN and not a reference to it: the plan shows the policy in full.
            depends_on: What the bucket needs first: S3 refuses a policy while another of the
                bucket's settings changes.
        """
        statement = DataAwsIamPolicyDocumentStatement(
            sid="RefusePlainHttp",
            effect="Deny",
            actions=["s3:*"],
            resources=[arn, f"{arn}/*"],
            principals=[DataAwsIamPolicyDocumentStatementPrincipals(type="*", identifiers=["*"])],
            condition=[
                DataAwsIamPolicyDocumentStatementCondition(
                    test="Bool", variable="aws:SecureTransport", values=["false"]
                )
            ],
        )
        document = self.named(DataAwsIamPolicyDocument(self, "tls-only", statement=[statement]))
        return self.named(
            S3BucketPolicy(
                self, "policy", bucket=bucket, policy=document.json, depends_on=list(depends_on)
            )
        )
