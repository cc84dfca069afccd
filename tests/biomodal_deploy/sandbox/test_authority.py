"""Requests as the calls that they are."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.support.authority.call import parse_call

SIGNED: Final = "AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/s3/aws4_request, Signature=x"


@pytest.mark.parametrize(
    ("method", "uri", "headers", "operation"),
    [
        ("PUT", "/b/k", {}, "PutObject"),
        ("PUT", "/b/k?x-id=PutObject", {}, "PutObject"),
        ("PUT", "/b/k", {"HTTP_X_AMZ_COPY_SOURCE": "b/o"}, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", {}, "UploadPart"),
        ("PUT", "/b/k?tagging", {}, "PutObjectTagging"),
        ("DELETE", "/b/k", {}, "DeleteObject"),
        ("DELETE", "/b/k?uploadId=u", {}, "AbortMultipartUpload"),
        ("GET", "/b/k", {}, "GetObject"),
        ("GET", "/b/k?uploadId=u", {}, "ListParts"),
        ("GET", "/b/k?tagging", {}, "GetObjectTagging"),
        ("HEAD", "/b/k", {}, "HeadObject"),
        ("HEAD", "/b", {}, "HeadBucket"),
        ("GET", "/b?list-type=2&prefix=k", {}, "ListObjectsV2"),
        ("GET", "/b?versioning", {}, "GetBucketVersioning"),
        ("PUT", "/b", {}, "CreateBucket"),
        ("DELETE", "/b", {}, "DeleteBucket"),
    ],
)
def test_calls_of_s3(method: str, uri: str, headers: dict[str, str], operation: str) -> None:
    """Operations that share method and path are told apart by query and headers, as S3 does."""
    path, _, query = uri.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": SIGNED,
        **headers,
    }
    call = parse_call(environ, b"")
    assert call
    assert (call.operation, call.one("Bucket")) == (operation, "b")
    assert call.one("Key") == ("k" if path.endswith("/k") else None)
