"""What keeps a bucket private, whatever its policies and ACLs say."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock

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
