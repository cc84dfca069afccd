"""A bucket for states as it is: whose, where, and what protects the states in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import JsonValue, ValidationError

from biomodal_deploy.aws.buckets import find_bucket
from biomodal_deploy.aws.checks import (
    Check,
    Finding,
    ReportData,
    Verdict,
    failed,
    passed,
    run_checks,
    warned,
)
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error, or_none
from biomodal_deploy.aws.state_writes import (
    BucketEncryption,
    StateWrite,
    check_write,
    default_encryption,
)
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.iam.evaluate import Request, decide
from biomodal_deploy.iam.language import PolicyDocument, parse_policy

SECONDS: Final = 20.0


class StateBucketChecker:
    """Asks S3 about one bucket."""

    def __init__(
        self,
        clients: Clients,
        bucket: str,
        account: str,
        writes: Sequence[StateWrite] = (StateWrite(),),
    ) -> None:
        self._clients, self._bucket, self._account = clients, bucket, account
        self._writes = writes
        self._region = clients.region

    def require_free(self) -> None:
        """Refuse a name that is taken."""
        where = self._asked(self._where)
        if where is None:
            return
        if where == "":
            raise self._refused(
                "A bucket of this name exists in another account, or is closed to you: names are "
                "unique in all of AWS",
                "choose another name",
            )
        if where != self._region:
            raise self._refused(
                f"This account has it already, in {where} and not in {self._region}",
                f'set "region": "{where}" in the backend, or choose another name',
            )
        raise self._refused(
            "This account has it already, and not from here: it is left as it is",
            "see whether it will do: biomodal-aws backend check "
            f"--bucket {self._bucket} --region {where}; or choose another name",
        )

    def _refused(self, rule: str, fix: str) -> UsageError:
        return UsageError(rule, field="bucket", value=self._bucket, fix=fix)

    def check(self) -> ReportData:
        """Return what the bucket has and lacks."""
        where = self._asked(self._where)
        if where is None:
            raise self._refused("no such bucket", "make it with biomodal-aws backend create")
        if where == "":
            raise self._refused(
                "belongs to another account, or closed to you",
                "ask its owner for s3:ListBucket, or choose another name",
            )
        fits = Check("region", "Region", partial(self._region_fits, where))
        checks = (fits, *Protection(self._clients, self._bucket, self._writes).checks())
        return ReportData.of(run_checks(checks, self._clients, SECONDS))

    def _region_fits(self, where: str) -> Finding:
        place = f"it is in {where}"
        if where == self._region:
            return passed(place)
        return failed(place, f'set "region": "{where}" in the backend in cdktf.json')

    def _where(self) -> str | None:
        """Return the bucket's region; None where there is none, nothing where it is not ours."""
        code, region = find_bucket(self._clients, self._bucket, owner=self._account)
        return {"": region, "404": None}.get(code, "")

    def _asked(self, ask: Callable[[], str | None]) -> str | None:
        try:
            return ask()
        except (BotoCoreError, ClientError) as error:
            failure = classify_error(error, self._clients)
            if failure.kind is Kind.REGION:
                raise UsageError(
                    failure.line, field="region", value=self._region, fix=failure.fix
                ) from None
            raise EngineError(
                f"AWS does not say whether there is a bucket {self._bucket}: {failure.line}",
                advice=failure.fix,
            ) from None


def is_fit(report: ReportData) -> bool:
    """Return whether nothing that protects a state is missing or unknown."""
    return not report.counts[Verdict.FAIL] and not report.counts[Verdict.UNKNOWN]


_PRIVATE: Final = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)
_ABSENT: Final = (
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
)


class Protection:
    """Looks at one bucket's settings."""

    def __init__(self, clients: Clients, bucket: str, writes: Sequence[StateWrite]) -> None:
        self._clients, self._bucket, self._writes = clients, bucket, writes
        self._arn = f"arn:{clients.partition}:s3:::{bucket}"

    def checks(self) -> tuple[Check, ...]:
        """Return the checks of its settings."""
        return (
            Check("versioning", "Versions", self._versioning),
            Check("encryption", "Encryption", self._encryption),
            Check("written", "Encryption of states", self._written),
            Check("public-access", "No public access", self._public_access),
            Check("tls", "TLS only", self._tls),
            Check("ownership", "Owner of objects", self._ownership),
            Check("former-versions", "Former versions", self._former_versions),
        )

    def _versioning(self) -> Finding:
        said = self._clients.s3().get_bucket_versioning(Bucket=self._bucket)
        if said.get("Status") == "Enabled":
            return passed("every state that was ever written can be recovered")
        return failed(
            "a state that is overwritten or deleted is gone",
            self._aws("put-bucket-versioning", "--versioning-configuration Status=Enabled"),
        )

    def _encryption(self) -> Finding:
        default = default_encryption(self._clients, self._bucket)
        if default is None:
            return failed(
                "it has no default encryption",
                self._aws(
                    "put-bucket-encryption",
                    "--server-side-encryption-configuration '"
                    '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}\'',
                ),
            )
        return passed(str(default))

    def _written(self) -> Finding:
        # Where none is set, S3 encrypts with its own keys (since January 2023).
        default = default_encryption(self._clients, self._bucket) or BucketEncryption()
        text = or_none(self._policy, *_ABSENT)
        denials = list(_denials_to_all(text)) if text else []
        found = [check_write(each, default, denials, self._arn) for each in self._writes]
        worst = (Verdict.FAIL, Verdict.WARNING, Verdict.PASS)
        return min(found, key=lambda each: worst.index(each.verdict))

    def _public_access(self) -> Finding:
        def ask() -> Mapping[str, object]:
            said = self._clients.s3().get_public_access_block(Bucket=self._bucket)
            return dict(said["PublicAccessBlockConfiguration"])

        blocked = or_none(ask, *_ABSENT) or {}
        lacking = [name for name in _PRIVATE if not blocked.get(name)]
        if not lacking:
            return passed("whatever a policy or an ACL says, nothing is public")
        flags = ",".join(f"{name}=true" for name in _PRIVATE)
        return failed(
            f"not blocked: {', '.join(lacking)}",
            self._aws("put-public-access-block", f"--public-access-block-configuration {flags}"),
        )

    def _tls(self) -> Finding:
        text = or_none(self._policy, *_ABSENT)
        if text and refuses_plain_http(text, self._arn):
            return passed("what comes without TLS is refused")
        refusal = json.dumps(tls_only(self._arn), separators=(",", ":"))
        advice = f"add this statement to its policy: {refusal}"
        if text is None:
            policy = f'{{"Version":"2012-10-17","Statement":[{refusal}]}}'
            advice = self._aws("put-bucket-policy", f"--policy '{policy}'")
        return failed("a state may be read and written without TLS", advice)

    def _policy(self) -> str:
        return self._clients.s3().get_bucket_policy(Bucket=self._bucket)["Policy"]

    def _ownership(self) -> Finding:
        def ask() -> str:
            said = self._clients.s3().get_bucket_ownership_controls(Bucket=self._bucket)
            return str(said["OwnershipControls"]["Rules"][0]["ObjectOwnership"])

        if or_none(ask, *_ABSENT) == "BucketOwnerEnforced":
            return passed("all objects are the account's, and ACLs are off")
        return failed(
            "ACLs are on: what another account writes is that account's",
            self._aws(
                "put-bucket-ownership-controls",
                "--ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerEnforced}]'",
            ),
        )

    def _former_versions(self) -> Finding:
        def ask() -> list[int]:
            said = self._clients.s3().get_bucket_lifecycle_configuration(Bucket=self._bucket)
            return [
                rule["NoncurrentVersionExpiration"].get("NoncurrentDays", 0)
                for rule in said["Rules"]
                if rule["Status"] == "Enabled" and "NoncurrentVersionExpiration" in rule
            ]

        days = or_none(ask, *_ABSENT)
        if days:
            return passed(f"kept for {min(days)} days")
        return warned(
            "kept for ever, and paid for",
            "add a lifecycle rule that ends noncurrent versions after some months",
        )

    def _aws(self, command: str, rest: str) -> str:
        where = f"--region {self._clients.region} --bucket {self._bucket}"
        return f"aws s3api {command} {where} {rest}"


def tls_only(arn: str) -> dict[str, JsonValue]:
    """Return the statement that refuses what comes to a bucket without TLS."""
    return {
        "Sid": "RefusePlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def refuses_plain_http(policy: str, arn: str) -> bool:
    """Say whether a bucket's policy lets nobody read, write or list without TLS."""
    denials = list(_denials_to_all(policy))
    asked = (("s3:GetObject", f"{arn}/key"), ("s3:PutObject", f"{arn}/key"), ("s3:ListBucket", arn))
    return all(_refused(denials, *each) for each in asked)


def _denials_to_all(text: str) -> Iterator[PolicyDocument]:
    """Give the statements of a bucket's policy that deny something to everyone."""
    found = json.loads(text).get("Statement", [])
    for each in found if isinstance(found, list) else [found]:
        statement = dict(each)
        if statement.pop("Principal", None) not in ("*", {"AWS": "*"}, {"AWS": ["*"]}):
            continue
        if statement.get("Effect") == "Deny":
            with suppress(ValidationError):  # whom it names, or what, is not read here
                yield parse_policy({"Statement": [statement]})


def _refused(denials: Sequence[PolicyDocument], action: str, resource: str) -> bool:
    plain = Request(
        action=action, resource=resource, context={"aws:SecureTransport": ("false",)}, complete=True
    )
    decision = decide(denials, plain)
    return decision.by is not None and decision.by.effect == "Deny"
