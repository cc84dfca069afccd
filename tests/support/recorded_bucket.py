"""A bucket for states that lacks nothing, as recorded answers of S3."""

from __future__ import annotations

import json
from typing import Any, Final

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.state_bucket import StateBucketChecker, is_fit
from biomodal_deploy.aws.state_writes import StateWrite
from tests.support.recorded_aws import ACCOUNT, REGION, RecordedAws, default_encryption

_WITH_ITS_KEY: Final = StateWrite(kms_key_id="alias/state")
TLS: Final[dict[str, Any]] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::lab", "arn:aws:s3:::lab/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def policy(*statements: object) -> dict[str, str]:
    """Return a bucket's policy as S3 does."""
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


def state_bucket() -> RecordedAws:
    """Return a bucket as `backend create` makes it."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    ends = {
        "Status": "Enabled",
        "Prefix": "",
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
    }
    return RecordedAws(
        {
            "s3.HeadBucket": {"BucketRegion": REGION},
            "s3.GetBucketVersioning": {"Status": "Enabled"},
            "s3.GetBucketEncryption": default_encryption(key="alias/state"),
            "s3.GetPublicAccessBlock": {
                "PublicAccessBlockConfiguration": dict.fromkeys(names, True)
            },
            "s3.GetBucketPolicy": policy(TLS),
            "s3.GetBucketOwnershipControls": {
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
            },
            "s3.GetBucketLifecycleConfiguration": {"Rules": [ends]},
        }
    )


def bucket_checker(aws: RecordedAws, write: StateWrite = _WITH_ITS_KEY) -> StateBucketChecker:
    """Return what asks for a backend that writes like this."""
    return StateBucketChecker(Clients(aws.session(), REGION), "lab", ACCOUNT, [write])


def verdicts(aws: RecordedAws) -> dict[str, Verdict]:
    """Return what was found that is no pass."""
    found = bucket_checker(aws).check()
    assert is_fit(found) is all(
        each.verdict in (Verdict.PASS, Verdict.WARNING) for each in found.checks
    )
    return {each.check: each.verdict for each in found.checks if each.verdict is not Verdict.PASS}
