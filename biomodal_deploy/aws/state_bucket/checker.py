"""A bucket for states as it is: whose, where, and whether it is fit for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.buckets import find_bucket
from biomodal_deploy.aws.checks import (
    Check,
    Finding,
    ReportData,
    Verdict,
    failed,
    passed,
    run_checks,
)
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error
from biomodal_deploy.aws.state_bucket.protection import Protection
from biomodal_deploy.aws.state_bucket.writes import StateWrite
from biomodal_deploy.errors import EngineError, UsageError

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
