"""What AWS authorizes of a call to S3.

Source: S3 user guide, "Required permissions for Amazon S3 API operations". Most operations have
the action of their own name; these have not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority import kms
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import request

_ACTIONS: Final = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
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
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
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
        yield from _encryption(call, bucket, key, account)
        if action == "s3:GetObject" and not account.has_object(bucket, key):
            # Whether something is missing is told to whoever may list it, and 403 to others.
            yield _listing(call, bucket, key, account)
    elif bucket and call.operation in _LISTS:
        yield _listing(call, bucket, call.parameters.get("prefix"), account)
    else:
        arn = iam_reference.arn("s3:bucket", bucket, account.place) if bucket else "*"
        yield request(call, action, arn)


def _encryption(call: ApiCall, bucket: str, key: str, account: Account) -> Iterator[Request]:
    """Give what S3 asks of KMS (S3 user guide, "Using SSE-KMS", permissions)."""
    if call.operation == "GetObject":
        yield from kms.used(call, account, account.object_key(bucket, key), "kms:Decrypt")
    elif call.operation in ("PutObject", "CreateMultipartUpload"):
        asked = call.one("x-amz-server-side-encryption")
        default = None if asked == "AES256" else account.default_key(bucket)
        named = call.one("x-amz-server-side-encryption-aws-kms-key-id") or default
        # To go on with an upload in parts is to read what it began with.
        also = ("kms:Decrypt",) if call.operation == "CreateMultipartUpload" else ()
        yield from kms.used(call, account, named, "kms:GenerateDataKey", *also)


def _listing(call: ApiCall, bucket: str, prefix: str | None, account: Account) -> Request:
    action = f"s3:{_LISTS.get(call.operation, 'ListBucket')}"
    arn = iam_reference.arn("s3:bucket", bucket, account.place)
    return request(call, action, arn, {} if prefix is None else {"s3:prefix": (prefix,)})


def _object(bucket: str, key: str, account: Account) -> str:
    return iam_reference.arn("s3:object", f"{bucket}/{key}", account.place)
