"""A bucket as S3 answers for it, and single objects in one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, BinaryIO, Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import Clients, open_clients
from biomodal_deploy.aws.errors import classify_error, code_of, or_none
from biomodal_deploy.errors import EngineError

# 409: another one is put at this moment.
_TAKEN: Final = ("PreconditionFailed", "ConditionalRequestConflict")


def head_bucket(clients: Clients, name: str, *, owner: str | None = None) -> tuple[str, str]:
    """Return the code of S3's refusal (empty for none) and the bucket's region.

    The AWS library follows S3's redirect to the bucket's own region by itself.

    Args:
        owner: The account that it has to be of; any where None.
    """
    expected: dict[str, Any] = {"ExpectedBucketOwner": owner} if owner else {}
    try:
        said = clients.s3().head_bucket(Bucket=name, **expected)
    except ClientError as error:
        if code_of(error) not in ("403", "404"):
            raise
        return code_of(error), ""
    return "", said.get("BucketRegion") or clients.region


def find_bucket(clients: Clients, name: str, *, owner: str | None = None) -> tuple[str, str]:
    """Return the same, and 404 wherever there is no such bucket at all.

    403 also meets a caller without s3:ListBucket. An unsigned request is not judged by the
    caller's policies: S3 answers it 404 exactly where the name is free.
    """
    code, region = head_bucket(clients, name, owner=owner)
    if code == "403":
        try:
            clients.s3_unsigned().head_bucket(Bucket=name)
        except ClientError as error:
            code = "404" if code_of(error) == "404" else code
    return code, region


def read_object(clients: Clients, bucket: str, key: str) -> bytes:
    """Return an object of a bucket; nothing where there is no such object, or no such bucket."""
    found = or_none(
        lambda: clients.s3().get_object(Bucket=bucket, Key=key), "NoSuchKey", "NoSuchBucket"
    )
    return found["Body"].read() if found else b""


def put_once(
    region: str, bucket: str, key: str, content: bytes, *, retain_days: int | None = None
) -> bytes:
    """Put an object that is not there yet; return what is there then.

    S3 itself refuses the second one (`If-None-Match`). A call that was repeated because its answer
    got lost finds its own object.

    Args:
        content: What to put; no other call has the same.
        retain_days: For how many days S3 lets nobody delete it.

    Raises:
        EngineError: S3 does not answer, or refuses.
    """
    where: dict[str, Any] = {"Bucket": bucket, "Key": key}
    lock: dict[str, Any] = {}
    if retain_days:
        until = datetime.now(UTC) + timedelta(days=retain_days)
        lock = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": until}
    clients = open_clients(region)
    with _failing_with(f"s3://{bucket}/{key} cannot be written", clients):
        try:
            clients.s3().put_object(**where, Body=content, IfNoneMatch="*", **lock)
        except ClientError as error:
            if code_of(error) not in _TAKEN:
                raise
            return clients.s3().get_object(**where)["Body"].read()
    return content


def put_file(region: str, bucket: str, key: str, file: BinaryIO, kms_key: str | None) -> bool:
    """Put a file as an encrypted object that is not there yet; return whether S3 keeps versions.

    An object that is there already is left as it is.

    Raises:
        EngineError: S3 does not answer, or refuses.
    """
    with_key: dict[str, Any] = {"ServerSideEncryption": "AES256"}
    if kms_key:
        with_key = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key}
    clients = open_clients(region)
    with _failing_with(f"s3://{bucket}/{key} cannot be written", clients):
        where: dict[str, Any] = {"Bucket": bucket, "Key": key}
        put = partial(clients.s3().put_object, **where, Body=file, IfNoneMatch="*", **with_key)
        said = or_none(put, *_TAKEN)
    return said is None or "VersionId" in said


def get_file(region: str, bucket: str, key: str, file: BinaryIO, most: int) -> None:
    """Write an object into a file.

    Raises:
        EngineError: S3 does not answer, or refuses, or the object is larger than `most` bytes.
    """
    clients = open_clients(region)
    where = f"s3://{bucket}/{key}"
    with _failing_with(f"{where} cannot be read", clients):
        said = or_none(lambda: clients.s3().get_object(Bucket=bucket, Key=key), "NoSuchKey")
        if said is None:
            advice = "push it where it was planned, or plan again"
            raise EngineError(f"{where} does not exist", advice=advice)
        if said["ContentLength"] > most:
            raise EngineError(f"{where} is larger than {most:,} bytes, so no sealed plan")
        file.writelines(said["Body"].iter_chunks(1 << 20))


@contextmanager
def _failing_with(what: str, clients: Clients) -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, clients)
        raise EngineError(f"{what}: {failure.line}", advice=failure.fix) from None
