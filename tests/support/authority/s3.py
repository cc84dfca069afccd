"""What AWS authorizes of a call to S3.

Source: S3 user guide, "Required permissions for Amazon S3 API operations". Most operations have
the action of their own name; these have not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.iam import facts
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request

_ACTIONS: Final = {
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}

_LISTS: Final = {
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
}


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes."""
    bucket, key = call.one("Bucket"), call.one("Key")
    if call.operation == "DeleteObjects" and bucket:
        for name, each in call.parameters.items():
            if name.endswith(".Key.1"):
                version = call.one(name.replace(".Key.1", ".VersionId.1"))
                action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
                yield request(call, action, _object(bucket, each, account))
        return
    action = f"s3:{_ACTIONS.get(call.operation, call.operation)}"
    if bucket and key:
        yield request(call, action, _object(bucket, key, account))
        if action == "s3:GetObject" and not account.has_object(bucket, key):
            # Whether something is missing is told to whoever may list it, and 403 to others.
            yield _listing(call, bucket, key, account)
    elif bucket and call.operation in _LISTS:
        yield _listing(call, bucket, call.parameters.get("prefix"), account)
    else:
        arn = facts.arn("s3:bucket", bucket, account.place) if bucket else "*"
        yield request(call, action, arn)


def _listing(call: ApiCall, bucket: str, prefix: str | None, account: Account) -> Request:
    action = f"s3:{_LISTS.get(call.operation, 'ListBucket')}"
    arn = facts.arn("s3:bucket", bucket, account.place)
    return request(call, action, arn, {} if prefix is None else {"s3:prefix": (prefix,)})


def _object(bucket: str, key: str, account: Account) -> str:
    return facts.arn("s3:object", f"{bucket}/{key}", account.place)
