"""An object in S3 that is put once: S3 itself refuses the second one (`If-None-Match`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import open_clients
from biomodal_deploy.aws.errors import classify_error
from biomodal_deploy.errors import EngineError

# 409: another one is put at this moment.
_TAKEN: Final = ("PreconditionFailed", "ConditionalRequestConflict")


def put_once(
    region: str, bucket: str, key: str, content: bytes, *, retain_days: int | None = None
) -> bytes:
    """Put an object that is not there yet; return what is there then.

    A call that was repeated because its answer got lost finds its own object.

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
    try:
        try:
            clients.s3().put_object(**where, Body=content, IfNoneMatch="*", **lock)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _TAKEN:
                raise
            return clients.s3().get_object(**where)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        failure = classify_error(error, clients)
        raise EngineError(
            f"s3://{bucket}/{key} cannot be written: {failure.line}", advice=failure.fix
        ) from None
    return content
