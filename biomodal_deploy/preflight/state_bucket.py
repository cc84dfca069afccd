"""A bucket for states as it is: whose, where, and whether it protects what it keeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.preflight.aws_errors import Kind, code_of, trouble_of
from biomodal_deploy.preflight.clients import Clients
from biomodal_deploy.preflight.result import Answer, Verdict, cannot_tell, failed, passed, warned
from biomodal_deploy.preflight.tls_only import refuses_plain_http, tls_only

_T = TypeVar("_T")

_PRIVATE: Final = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)
_ABSENT: Final = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)


@dataclass(frozen=True)
class Checked:
    """One thing that a bucket for states has to have.

    Attributes:
        check: A stable word.
        title: What it is, for people.
        answer: What was found.
    """

    check: str
    title: str
    answer: Answer

    def as_data(self) -> dict[str, str | None]:
        """Return it as plain JSON values."""
        return {
            "check": self.check,
            "title": self.title,
            "verdict": self.answer.verdict.value,
            "line": self.answer.line,
            "fix": self.answer.fix,
        }


class StateBucketLooker:
    """Asks S3 about one bucket.

    Args:
        clients: Ask in the region where it is to be.
        bucket: Its name.
        account: Whose it is to be.
    """

    def __init__(self, clients: Clients, bucket: str, account: str) -> None:
        self._clients, self._bucket, self._account = clients, bucket, account
        self._region = clients.region

    def require_free(self) -> None:
        """Refuse a name that is taken.

        Raises:
            UsageError: There is such a bucket.
            EngineError: AWS does not say.
        """
        where = self._asked(self._where)
        if where is None:
            return
        if where == "":
            raise UsageError(
                "A bucket of this name exists in another account, or is closed to you: names are "
                "unique in all of AWS",
                field="bucket",
                value=self._bucket,
                fix="choose another name",
            )
        if where != self._region:
            raise UsageError(
                f"This account has it already, in {where} and not in {self._region}",
                field="bucket",
                value=self._bucket,
                fix=f'set "region": "{where}" in the backend, or choose another name',
            )
        raise UsageError(
            "This account has it already, and not from here: it is left as it is",
            field="bucket",
            value=self._bucket,
            fix="see whether it will do: biomodal-aws backend check "
            f"--bucket {self._bucket} --region {where}; or choose another name",
        )

    def look(self) -> tuple[Checked, ...]:
        """Return what the bucket has and lacks.

        Raises:
            UsageError: There is no such bucket, or it is another account's.
            EngineError: AWS does not say.
        """
        where = self._asked(self._where)
        if not where:
            there = "There is no such bucket" if where is None else "It is another account's"
            raise UsageError(
                there if where is None else f"{there}, or closed to you",
                field="bucket",
                value=self._bucket,
                fix="make it with biomodal-aws backend create"
                if where is None
                else "ask its owner for s3:ListBucket, or choose another name",
            )
        return tuple(self._checks(where))

    def _checks(self, where: str) -> Iterator[Checked]:
        moved = f'set "region": "{where}" in the backend in cdktf.json'
        place = f"it is in {where}"
        fits = passed(place) if where == self._region else failed(place, moved)
        yield Checked("region", "Region", fits)
        for check, title, ask in (
            ("versioning", "Versions", self._versioning),
            ("encryption", "Encryption", self._encryption),
            ("public-access", "No public access", self._public_access),
            ("tls", "TLS only", self._tls),
            ("ownership", "Owner of objects", self._ownership),
            ("former-versions", "Former versions", self._former_versions),
        ):
            yield Checked(check, title, self._answered(ask))

    def _answered(self, ask: Callable[[], Answer]) -> Answer:
        try:
            return ask()
        except (BotoCoreError, ClientError) as error:
            trouble = trouble_of(error, self._clients)
            return cannot_tell(trouble.line, trouble.fix)

    def _where(self) -> str | None:
        """Return the bucket's region; None where there is none, nothing where it is not ours."""
        try:
            said = self._clients.s3().head_bucket(
                Bucket=self._bucket, ExpectedBucketOwner=self._account
            )
        except ClientError as error:
            if code_of(error) == "404":
                return None
            if code_of(error) != "403":
                raise
            return None if self._is_nowhere() else ""
        return said.get("BucketRegion") or self._region

    def _is_nowhere(self) -> bool:
        # As nobody: a caller without s3:ListBucket gets 403 for what does not exist as well.
        try:
            self._clients.s3_unsigned().head_bucket(Bucket=self._bucket)
        except ClientError as error:
            return code_of(error) == "404"
        return False

    def _asked(self, ask: Callable[[], str | None]) -> str | None:
        try:
            return ask()
        except (BotoCoreError, ClientError) as error:
            trouble = trouble_of(error, self._clients)
            if trouble.kind is Kind.REGION:
                raise UsageError(
                    trouble.line, field="region", value=self._region, fix=trouble.fix
                ) from None
            raise EngineError(
                f"AWS does not say whether there is a bucket {self._bucket}: {trouble.line}",
                advice=trouble.fix,
            ) from None

    def _versioning(self) -> Answer:
        said = self._clients.s3().get_bucket_versioning(Bucket=self._bucket)
        if said.get("Status") == "Enabled":
            return passed("every state that was ever written can be had back")
        return failed(
            "a state that is overwritten or deleted is gone",
            self._aws("put-bucket-versioning", "--versioning-configuration Status=Enabled"),
        )

    def _encryption(self) -> Answer:
        said = self._or_nothing(self._rules)
        if not said:
            return failed(
                "it has no default encryption",
                self._aws(
                    "put-bucket-encryption",
                    "--server-side-encryption-configuration '"
                    '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}\'',
                ),
            )
        algorithm, key = said
        return passed(f"{algorithm} with {key}" if key else algorithm)

    def _rules(self) -> tuple[str, str | None]:
        found = self._clients.s3().get_bucket_encryption(Bucket=self._bucket)
        first = found["ServerSideEncryptionConfiguration"]["Rules"][0]
        default = first.get("ApplyServerSideEncryptionByDefault", {})
        return str(default.get("SSEAlgorithm", "?")), default.get("KMSMasterKeyID")

    def _public_access(self) -> Answer:
        def ask() -> Mapping[str, object]:
            said = self._clients.s3().get_public_access_block(Bucket=self._bucket)
            return dict(said["PublicAccessBlockConfiguration"])

        blocked = self._or_nothing(ask) or {}
        lacking = [name for name in _PRIVATE if not blocked.get(name)]
        if not lacking:
            return passed("whatever a policy or an ACL says, nothing is public")
        flags = ",".join(f"{name}=true" for name in _PRIVATE)
        return failed(
            f"not blocked: {', '.join(lacking)}",
            self._aws("put-public-access-block", f"--public-access-block-configuration {flags}"),
        )

    def _tls(self) -> Answer:
        arn = f"arn:{self._clients.partition}:s3:::{self._bucket}"

        def ask() -> str:
            return self._clients.s3().get_bucket_policy(Bucket=self._bucket)["Policy"]

        text = self._or_nothing(ask)
        if text and refuses_plain_http(text, arn):
            return passed("what comes without TLS is refused")
        refusal = json.dumps(tls_only(arn), separators=(",", ":"))
        advice = f"add this statement to its policy: {refusal}"
        if text is None:
            policy = f'{{"Version":"2012-10-17","Statement":[{refusal}]}}'
            advice = self._aws("put-bucket-policy", f"--policy '{policy}'")
        return failed("a state may be read and written without TLS", advice)

    def _ownership(self) -> Answer:
        def ask() -> str:
            said = self._clients.s3().get_bucket_ownership_controls(Bucket=self._bucket)
            return str(said["OwnershipControls"]["Rules"][0]["ObjectOwnership"])

        if self._or_nothing(ask) == "BucketOwnerEnforced":
            return passed("all objects are the account's, and ACLs are off")
        return failed(
            "ACLs are on: what another account writes is that account's",
            self._aws(
                "put-bucket-ownership-controls",
                "--ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
            ),
        )

    def _former_versions(self) -> Answer:
        def ask() -> list[int]:
            said = self._clients.s3().get_bucket_lifecycle_configuration(Bucket=self._bucket)
            return [
                rule["NoncurrentVersionExpiration"].get("NoncurrentDays", 0)
                for rule in said["Rules"]
                if rule["Status"] == "Enabled" and "NoncurrentVersionExpiration" in rule
            ]

        days = self._or_nothing(ask)
        if days:
            return passed(f"kept for {min(days)} days")
        return warned(
            "kept for ever, and paid for",
            "add a lifecycle rule that ends noncurrent versions after some months",
        )

    def _or_nothing(self, ask: Callable[[], _T]) -> _T | None:
        try:
            return ask()
        except ClientError as error:
            if code_of(error) in _ABSENT:
                return None
            raise

    def _aws(self, command: str, rest: str) -> str:
        where = f"--region {self._region} --bucket {self._bucket}"
        return f"aws s3api {command} {where} {rest}"


def is_fit(found: Sequence[Checked]) -> bool:
    """Whether nothing that protects a state is missing or unknown."""
    return all(each.answer.verdict in (Verdict.PASS, Verdict.WARNING) for each in found)
