"""What protects the data bucket beyond privacy: encryption, TLS, former versions, access logs."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.s3_bucket_logging import S3BucketLoggingA
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
from constructs import Construct

from biomodal_aws.part import Part


class BucketProtection(Part):
    """Default encryption, a policy that refuses plain HTTP, versioning, optional access logs.

    Args:
        scope: The stack or construct it belongs to.
        id_: Its id, part of its addresses.
        bucket: Reference to the bucket.
        bucket_arn: Its ARN, known before it exists, so that a plan shows the policy in full.
        log_bucket: A Terraform expression (without `${}`) for the bucket that receives access
            logs; empty text for none.
        create: A Terraform condition (without `${}`): where it is false, nothing is made.
        kms_key: The KMS key to encrypt with by default; Amazon S3's own keys where None.
        depends_on: What the bucket needs first: S3 refuses a policy while another of the bucket's
            settings changes.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        bucket: str,
        bucket_arn: str,
        log_bucket: str,
        create: str,
        kms_key: str | None = None,
        depends_on: Sequence[ITerraformDependable] = (),
    ) -> None:
        super().__init__(scope, id_)
        encryption = self.named(
            S3BucketServerSideEncryptionConfigurationA(
                self,
                "encryption",
                bucket=bucket,
                rule=[
                    S3BucketServerSideEncryptionConfigurationRuleA(
                        apply_server_side_encryption_by_default=(
                            S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                                sse_algorithm="aws:kms" if kms_key else "AES256",
                                kms_master_key_id=kms_key,
                            )
                        ),
                        # One call of KMS's for many objects: each read and write pays for it.
                        bucket_key_enabled=True if kms_key else None,
                    )
                ],
            )
        )
        versioning = self.named(
            S3BucketVersioningA(
                self,
                "versioning",
                bucket=bucket,
                versioning_configuration=S3BucketVersioningVersioningConfiguration(
                    status="Enabled"
                ),
            )
        )
        tls_only = self.named(
            DataAwsIamPolicyDocument(
                self, "tls-only", statement=[_refuse_plain_http([bucket_arn, f"{bucket_arn}/*"])]
            )
        )
        policy = self.named(
            S3BucketPolicy(
                self, "policy", bucket=bucket, policy=tls_only.json, depends_on=list(depends_on)
            )
        )
        logging = self.named(
            S3BucketLoggingA(
                self,
                "logging",
                bucket=bucket,
                target_bucket=f"${{{log_bucket}}}",
                target_prefix=f"{bucket}/",
            )
        )
        for resource in (encryption, versioning, policy):
            resource.add_override("count", f"${{{create} ? 1 : 0}}")
        logging.add_override("count", f'${{{create} && {log_bucket} != "" ? 1 : 0}}')


def _refuse_plain_http(resources: list[str]) -> DataAwsIamPolicyDocumentStatement:
    return DataAwsIamPolicyDocumentStatement(
        sid="RefusePlainHttp",
        effect="Deny",
        actions=["s3:*"],
        resources=resources,
        principals=[DataAwsIamPolicyDocumentStatementPrincipals(type="*", identifiers=["*"])],
        condition=[
            DataAwsIamPolicyDocumentStatementCondition(
                test="Bool", variable="aws:SecureTransport", values=["false"]
            )
        ],
    )
