"""What a state gets when a backend writes it: the encryption, or a refusal by the bucket's policy.

Sources: Terraform, internal/backend/remote-state/s3/client.go (which headers a write has); Amazon
S3 user guide, "Setting default server-side encryption behavior for Amazon S3 buckets".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from biomodal_deploy.aws.checks import Finding, failed, passed, warned
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import PolicyDocument

_HEADER: Final = "s3:x-amz-server-side-encryption"
_KEY_HEADER: Final = "s3:x-amz-server-side-encryption-aws-kms-key-id"


@dataclass(frozen=True, kw_only=True)
class StateWrite:
    """How a backend writes a state.

    Attributes:
        aes256: Whether it asks for AES256, which `encrypt = true` without a key does.
    """

    kms_key_id: str | None = None
    aes256: bool = False

    @property
    def algorithm(self) -> str | None:
        """What it asks S3 for; None where the bucket's default encryption holds."""
        return "aws:kms" if self.kms_key_id else "AES256" if self.aes256 else None


@dataclass(frozen=True, kw_only=True)
class BucketEncryption:
    """A bucket's default encryption.

    Attributes:
        algorithm: `AES256`, `aws:kms` or `aws:kms:dsse`.
        key: The KMS key; None for Amazon S3's own keys, and for the AWS managed key `aws/s3`.
    """

    algorithm: str = "AES256"
    key: str | None = None

    def __str__(self) -> str:
        """Return it as a person reads it."""
        return f"{self.algorithm} with {self.key}" if self.key else self.algorithm


def default_encryption(clients: Clients, bucket: str) -> BucketEncryption | None:
    """Return a bucket's default encryption; None where it sets none."""
    ask = partial(clients.s3().get_bucket_encryption, Bucket=bucket)
    found = or_none(ask, "ServerSideEncryptionConfigurationNotFoundError")
    if found is None:
        return None
    rules = found["ServerSideEncryptionConfiguration"]["Rules"]
    default = rules[0].get("ApplyServerSideEncryptionByDefault", {}) if rules else {}
    return BucketEncryption(
        algorithm=str(default.get("SSEAlgorithm", "?")), key=default.get("KMSMasterKeyID")
    )


def check_write(
    write: StateWrite, default: BucketEncryption, denials: Sequence[PolicyDocument], bucket_arn: str
) -> Finding:
    """Return what becomes of a state that is written.

    Args:
        denials: What the bucket's policy denies to everyone.
    """
    if sid := _refused_by(write, denials, bucket_arn):
        asks = f"asks for {write.algorithm}" if write.algorithm else "names no encryption"
        return failed(
            f"the bucket's policy refuses a state whose write {asks} ({sid})", _mended(write)
        )
    if write.kms_key_id:
        return passed(f"a state gets aws:kms with {write.kms_key_id}")
    if write.aes256 and default.algorithm != "AES256":
        return failed(
            f"a state gets AES256, and not the bucket's {default}: the backend's file sets encrypt "
            "without kms_key_id",
            _mended(write),
        )
    if default.key and not default.key.endswith("alias/aws/s3"):
        return warned(
            f"a state gets the bucket's {default}, and the backend does not name the key: what "
            "`backend policy` prints leaves out its use",
            f'set "kms_key_id": "{default.key}" in the backend in cdktf.json',
        )
    return passed(f"a state gets {'AES256' if write.aes256 else f'the default: {default}'}")


def _mended(write: StateWrite) -> str:
    if write.aes256:
        return "remove encrypt from the backend's file, or set kms_key_id beside it"
    if write.kms_key_id:
        return "set the kms_key_id that the policy demands"
    return 'set "kms_key_id" in the backend in cdktf.json: only then a write names its encryption'


def _refused_by(
    write: StateWrite, denials: Sequence[PolicyDocument], bucket_arn: str
) -> str | None:
    """Return the name of the statement that refuses a write, or None."""
    context: dict[str, tuple[str, ...]] = {
        "aws:SecureTransport": ("true",),
        _HEADER: (write.algorithm,) if write.algorithm else (),
    }
    if write.kms_key_id is None:
        context[_KEY_HEADER] = ()
    elif write.kms_key_id.startswith("arn:"):
        # Of an id or an alias, nobody here knows what S3 makes of it.
        context[_KEY_HEADER] = (write.kms_key_id,)
    by = decide(
        denials, Request(action="s3:PutObject", resource=f"{bucket_arn}/key", context=context)
    ).by
    if by is None or by.effect != "Deny":
        return None
    return by.sid or "a statement without a Sid"
