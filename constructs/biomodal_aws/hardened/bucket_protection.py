"""What protects the data bucket beyond privacy: encryption, TLS, former versions, access logs."""

from __future__ import annotations

from collections.abc import Sequence

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.s3_bucket_logging import S3BucketLoggingA
from constructs import Construct

from biomodal_aws.guarded_bucket import GuardedBucket


class BucketProtection(GuardedBucket):
    """Default encryption, a policy that refuses plain HTTP, versioning, optional access logs.

    Args:
        bucket: Reference to the bucket.
        bucket_arn: Its ARN, known before it exists, so that a plan shows the policy in full.
        log_bucket: A Terraform expression (without `${}`) for the bucket that receives access
            logs; empty text for none.
        create: Where it is made, as `made_if` takes it.
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
        encryption = self.encrypt(bucket, kms_key)
        versioning = self.keep_versions(bucket)
        policy = self.refuse_plain_http(bucket, bucket_arn, depends_on)
        logging = self.named(
            S3BucketLoggingA(
                self,
                "logging",
                bucket=bucket,
                target_bucket=f"${{{log_bucket}}}",
                target_prefix=f"{bucket}/",
            )
        )
        self.made_if(create, encryption, versioning, policy)
        self.made_if(f'{create} && {log_bucket} != ""', logging)
