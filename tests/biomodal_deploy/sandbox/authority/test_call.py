"""Requests as the calls that they are."""

from __future__ import annotations

import pytest

from biomodal_deploy.sandbox.authority.call import parse_call

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/s3/aws4_request, Signature=0"


@pytest.mark.parametrize(
    ("method", "query", "headers", "operation"),
    [
        ("PUT", "", {}, "PutObject"),
        ("PUT", "x-id=PutObject", {}, "PutObject"),
        ("PUT", "", {"HTTP_X_AMZ_COPY_SOURCE": "/b/other"}, "CopyObject"),
        ("PUT", "partNumber=1&uploadId=a", {}, "UploadPart"),
        ("PUT", "tagging", {}, "PutObjectTagging"),
        ("DELETE", "", {}, "DeleteObject"),
        ("DELETE", "uploadId=a", {}, "AbortMultipartUpload"),
        ("GET", "", {}, "GetObject"),
        ("GET", "uploadId=a", {}, "ListParts"),
    ],
)
def test_calls_that_share_a_path(
    method: str, query: str, headers: dict[str, str], operation: str
) -> None:
    """What else a call has to have tells them apart: who may put an object is asked for no copy."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/lab/state.tflock",
        "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": SIGNED,
        **headers,
    }
    call = parse_call(environ, b"{}")
    assert call is not None
    assert (call.operation, call.one("Bucket"), call.one("Key")) == (
        operation,
        "lab",
        "state.tflock",
    )
