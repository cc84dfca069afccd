"""The AWS session that the checks ask with: the user's own, as every AWS tool finds it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from biomodal_deploy.errors import UsageError

if TYPE_CHECKING:
    from boto3.session import Session


def open_session(region: str | None) -> Session:
    """Return a session in a region; whether its credentials work is the first check's question.

    Args:
        region: The region; that of the AWS profile where None.

    Raises:
        UsageError: AWS_PROFILE names no profile, or the AWS configuration cannot be read.
    """
    import boto3.session
    from botocore.exceptions import ConfigParseError, ProfileNotFound

    try:
        return boto3.session.Session(region_name=region)
    except ProfileNotFound as error:
        raise UsageError(
            str(error).rstrip("."),
            field="AWS_PROFILE",
            fix="`aws configure list-profiles` lists them",
        ) from None
    except ConfigParseError as error:
        raise UsageError(
            str(error).rstrip("."), field="AWS_CONFIG_FILE", fix="correct ~/.aws/config"
        ) from None


@cache
def partition_of(region: str) -> str:
    """Return the partition that a region's name belongs to; `aws` for an unknown name."""
    import botocore.session
    from botocore.exceptions import UnknownRegionError

    try:
        return str(botocore.session.Session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"
