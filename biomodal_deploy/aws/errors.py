"""What went wrong between here and AWS, in a person's words.

A check that AWS does not answer is not passed and not failed: it is unknown, and says why.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import SERVICE, Clients
from biomodal_deploy.aws.session import MFA_NEEDED, NotFromAwsError
from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.files import fix_for

_T = TypeVar("_T")


class Kind(StrEnum):
    """What kind of failure it is."""

    NO_CREDENTIALS = "no-credentials"
    EXPIRED = "expired"
    REFUSED = "refused-credentials"
    CLOCK = "clock"
    NO_NETWORK = "no-network"
    REGION = "region"
    THROTTLED = "throttled"
    DENIED = "denied"
    AWS_FAILED = "aws-failed"
    NOT_OFFERED = "not-offered"
    OTHER = "other"


@dataclass(frozen=True)
class AwsFailure:
    """Why AWS gave no answer."""

    kind: Kind
    line: str
    fix: str


_CODES: Final[dict[Kind, frozenset[str]]] = {
    Kind.EXPIRED: frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"}),
    Kind.REFUSED: frozenset(
        {
            "AuthFailure",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        }
    ),
    Kind.CLOCK: frozenset({"RequestTimeTooSkewed"}),
    Kind.REGION: frozenset({"OptInRequired", "RegionDisabledException"}),
    Kind.THROTTLED: frozenset(
        {
            "RequestLimitExceeded",
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        }
    ),
    Kind.DENIED: frozenset(
        {
            "403",  # HEAD has no body that could name the code
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
        }
    ),
}
# Where the action is not named after the operation (S3 user guide, "Required permissions").
ACTIONS: Final = {
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:UploadPart": "s3:PutObject",
}
NAMED_ACTION: Final = re.compile(r"perform: ([a-z0-9-]+:[A-Za-z]+)")
_SIGN_IN_AGAIN: Final = (
    boto.SSOError,
    boto.LoginError,
    boto.TokenRetrievalError,
    boto.NoAuthTokenError,
)
_MISCONFIGURED: Final = (
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.MetadataRetrievalError,
    boto.ProfileNotFound,
    boto.ConfigParseError,
    boto.ConfigNotFound,
    boto.UnknownCredentialError,
    boto.InvalidConfigError,
    boto.InfiniteLoopConfigError,
)
_REGION: Final = (
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.UnknownRegionError,
    boto.EndpointProviderError,
    boto.ServiceNotInRegionError,
)
_NETWORK: Final = (boto.HTTPClientError, boto.ConnectionError)


def code_of(error: ClientError) -> str:
    """Return AWS's own word for an error."""
    return error.response.get("Error", {}).get("Code", "")


def or_none(ask: Callable[[], _T], *codes: str) -> _T | None:
    """Return what AWS says; None where it refuses with a code that has one of these in it."""
    try:
        return ask()
    except ClientError as error:
        if any(code in code_of(error) for code in codes):
            return None
        raise


def classify_error(error: BotoCoreError | ClientError, clients: Clients) -> AwsFailure:
    """Return what an error of the AWS library means, and how to fix it."""
    if isinstance(error, ClientError):
        return _from_aws(error, clients)
    return _from_here(error, clients)


def _from_here(error: BotoCoreError, clients: Clients) -> AwsFailure:
    said = one_line(str(error))
    many = os.strerror(errno.EMFILE)
    # To the library it is an address that it cannot reach.
    if many in f"{said} {error.kwargs.get('error')}":
        fix = fix_for(OSError(errno.EMFILE, many), None)
        return AwsFailure(Kind.OTHER, f"{many} on this machine", fix)
    if isinstance(error, boto.NoCredentialsError):
        fix = (
            "run `aws configure`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
        return AwsFailure(Kind.NO_CREDENTIALS, "there are no AWS credentials", fix)
    if isinstance(error, _SIGN_IN_AGAIN):
        return AwsFailure(Kind.EXPIRED, f"the sign-in has expired ({said})", _sign_in(clients))
    if MFA_NEEDED in said:
        name = shlex.quote(clients.profile or "default")
        export = f'eval "$(aws configure export-credentials --profile {name} --format env)"'
        line = "the profile needs an MFA code, which is not asked for here"
        return AwsFailure(Kind.NO_CREDENTIALS, line, f"run `{export}`, which asks for it")
    if isinstance(error, _MISCONFIGURED):
        line = f"the AWS credentials cannot be read ({said})"
        fix = (
            "correct ~/.aws/config and ~/.aws/credentials; `aws configure list` shows what is used"
        )
        return AwsFailure(Kind.NO_CREDENTIALS, line, fix)
    if isinstance(error, _REGION) or (
        isinstance(error, _NETWORK) and clients.region not in clients.known_regions()
    ):
        line = f"no such AWS region is known: {clients.region}"
        return AwsFailure(Kind.REGION, line, "correct region")
    if isinstance(error, boto.SSLError):
        line = f"no trusted connection to AWS ({said})"
        return AwsFailure(
            Kind.NO_NETWORK, line, "set AWS_CA_BUNDLE to your proxy's certificate file"
        )
    if isinstance(error, NotFromAwsError):
        line = f"something else than AWS answered ({error.kwargs['what']})"
        fix = "check AWS_ENDPOINT_URL, and whether a proxy or a login page of the network answers"
        return AwsFailure(Kind.NO_NETWORK, line, fix)
    if isinstance(error, _NETWORK):
        line = f"AWS cannot be reached ({said})"
        fix = "check the network, and HTTPS_PROXY where there is a proxy"
        return AwsFailure(Kind.NO_NETWORK, line, fix)
    return AwsFailure(Kind.OTHER, f"the AWS library gave up ({said})", "see `aws configure list`")


def _from_aws(error: ClientError, clients: Clients) -> AwsFailure:
    code = code_of(error)
    said = one_line(error.response.get("Error", {}).get("Message", "")) or "no reason given"
    kind = next((kind for kind, codes in _CODES.items() if code in codes), Kind.OTHER)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if kind is Kind.DENIED:
        action = _action(error)
        return AwsFailure(kind, f"the caller may not {action}", f"allow {action} to the caller")
    if kind is Kind.OTHER and (status >= 500 or code == "ServiceUnavailable"):
        # 501 is no answer of AWS's: a stand-in for it says so, such as the sandbox.
        kind = Kind.NOT_OFFERED if status == 501 else Kind.AWS_FAILED
    service = error.response.get("ResponseMetadata", {}).get(SERVICE, "AWS")
    lines = {
        Kind.EXPIRED: f"the AWS credentials have expired ({code})",
        Kind.REFUSED: f"AWS does not know these credentials in partition {clients.partition} "
        f"({code})",
        Kind.CLOCK: "this machine's clock differs too much from AWS's",
        Kind.REGION: f"the account has not enabled {clients.region} ({code})",
        Kind.THROTTLED: f"AWS asked to slow down ({code} from {service})",
        Kind.AWS_FAILED: f"AWS itself failed ({service} answered {error.operation_name} with "
        f"{status})",
        Kind.NOT_OFFERED: f"the endpoint in use does not offer {error.operation_name} of {service}",
        Kind.OTHER: f"AWS answered {error.operation_name} with {code}: {said}",
    }
    region = shlex.quote(clients.region)
    fixes = {
        Kind.EXPIRED: _sign_in(clients),
        Kind.REFUSED: f"see `aws sts get-caller-identity --region {region}`; accounts of one "
        "partition do not exist in another",
        Kind.CLOCK: "set the clock (`timedatectl set-ntp true`)",
        Kind.REGION: f"run `aws account enable-region --region-name {region}`",
        Kind.THROTTLED: "run it again in a minute",
        Kind.AWS_FAILED: "run it again; see https://health.aws.amazon.com",
        Kind.NOT_OFFERED: "ask AWS itself (unset AWS_ENDPOINT_URL)",
        Kind.OTHER: "run it again; where it stays, look the code up in the service's API reference",
    }
    return AwsFailure(kind, lines[kind], fixes[kind])


def _action(error: ClientError) -> str:
    """Return the IAM action that is missing: AWS's own word where it gives one."""
    if named := NAMED_ACTION.search(error.response.get("Error", {}).get("Message", "")):
        return named[1]
    service = error.response.get("ResponseMetadata", {}).get(SERVICE, "")
    action = f"{service}:{error.operation_name}".lstrip(":")
    return ACTIONS.get(action, action)


def _sign_in(clients: Clients) -> str:
    named = clients.profile or "default"
    profile = "" if named == "default" else f" --profile {shlex.quote(named)}"
    return f"sign in again (`aws sso login{profile}`), or export fresh credentials"


def one_line(text: str) -> str:
    """Return someone else's text fit for one line of ours.

    Without line breaks, control characters, and what a library says of a proxy's or an endpoint's
    password.
    """
    known = without_userinfo(text)
    plain = " ".join("".join(mark if mark.isprintable() else " " for mark in known).split())
    return plain.rstrip(".") if len(plain) <= 240 else f"{plain[:240]} ..."
