"""What goes from the data bucket by itself, and when."""

from __future__ import annotations

from typing import Final

from cdktf import Token
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)

_STALE_UPLOAD_DAYS: Final = 7


def bucket_lifecycle(
    *, work_days: str, noncurrent_days: str
) -> list[S3BucketLifecycleConfigurationRule]:
    """Return the rules: work files, former versions, uploads that were never finished.

    Args:
        work_days: A Terraform expression (without `${}`) for the days that `nf-work/` is kept;
            0 for ever.
        noncurrent_days: The same for overwritten and deleted objects.
    """
    return [
        S3BucketLifecycleConfigurationRule(
            id="nf-work",
            status=_enabled(work_days),
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="nf-work/")],
            expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=_days(work_days))],
        ),
        S3BucketLifecycleConfigurationRule(
            id="former-versions",
            status=_enabled(noncurrent_days),
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            noncurrent_version_expiration=[
                S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(
                    noncurrent_days=_days(noncurrent_days)
                )
            ],
            # A delete marker with nothing left behind it.
            expiration=[
                S3BucketLifecycleConfigurationRuleExpiration(expired_object_delete_marker=True)
            ],
        ),
        S3BucketLifecycleConfigurationRule(
            id="stale-uploads",
            status="Enabled",
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                    days_after_initiation=_STALE_UPLOAD_DAYS
                )
            ],
        ),
    ]


def _enabled(days: str) -> str:
    return f'${{{days} > 0 ? "Enabled" : "Disabled"}}'


def _days(days: str) -> float:
    # S3 takes no 0, not even in a rule that is disabled.
    return Token.as_number(f"${{max({days}, 1)}}")
