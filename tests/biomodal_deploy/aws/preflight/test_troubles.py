"""What stands between here and AWS: each check says which it is, and the others go on.

Recorded answers and errors stand in for credentials and networks that a test cannot have; where
it can (no credentials, nobody listening, nobody answering), it is real.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import boto3.session
import botocore
import pytest
from botocore import exceptions as boto

from biomodal_deploy.aws.checks import CheckData, ReportData, Verdict
from biomodal_deploy.aws.preflight import run_preflight
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import UsageError
from tests.support.no_credentials import set_for_aws
from tests.support.recorded_aws import REGION, Given, RecordedAws, Refusal, healthy

URL = "https://sts.eu-west-2.amazonaws.com/"


def lines(report: ReportData) -> dict[str, str]:
    """Return what each check said."""
    return {each.check: each.line for each in report.checks}


def everywhere(trouble: Refusal | Exception) -> RecordedAws:
    """Return an account in which every call meets the same failure."""
    names = ["ec2.DescribeRegions", *healthy()]
    return RecordedAws(answers=dict.fromkeys(names, trouble))


SSO: Final = boto.TokenRetrievalError(provider="sso", error_msg="Token has expired")
HALF: Final = boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY")
PROXY: Final = boto.ProxyConnectionError(proxy_url="http://proxy:3128")
TLS: Final = boto.SSLError(endpoint_url=URL, error=OSError("self-signed certificate"))
MANY: Final = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
SIGNED_OUT: Final = "the sign-in has expired"
UNREACHED: Final = "AWS cannot be reached"
# By what is advised.
UNASKED: Final[dict[str, list[tuple[Refusal | Exception, str]]]] = {
    "sign in again": [
        (Refusal("ExpiredToken"), "credentials have expired (ExpiredToken)"),
        (Refusal("RequestExpired"), "credentials have expired"),
    ],
    "aws sso login": [
        (boto.UnauthorizedSSOTokenError(), f"{SIGNED_OUT} (The SSO session associated"),
        (SSO, SIGNED_OUT),
    ],
    "aws sts get-caller-identity --region eu-west-2": [
        (
            Refusal("InvalidClientTokenId"),
            "AWS does not know these credentials in partition aws (InvalidClientTokenId)",
        )
    ],
    "partition": [(Refusal("SignatureDoesNotMatch"), "AWS does not know these credentials")],
    "timedatectl": [(Refusal("RequestTimeTooSkewed"), "clock differs too much")],
    "aws configure list": [(HALF, "credentials cannot be read (Partial credentials found in env")],
    "HTTPS_PROXY": [
        (
            boto.EndpointConnectionError(endpoint_url=URL),
            f"{UNREACHED} (Could not connect to the endpoint URL",
        ),
        (boto.ConnectTimeoutError(endpoint_url=URL), UNREACHED),
        (PROXY, f"{UNREACHED} (Failed to connect to proxy URL"),
    ],
    "AWS_CA_BUNDLE": [(TLS, "no trusted connection to AWS (SSL validation failed")],
    "ulimit -n": [
        (boto.EndpointConnectionError(endpoint_url=URL, error=MANY), "Too many open files"),
        (boto.HTTPClientError(error=MANY), "Too many open files"),
    ],
    "enable-region": [(Refusal("OptInRequired"), "the account has not enabled eu-west-2")],
}


@pytest.mark.parametrize(
    ("trouble", "line", "fix"),
    [(*each, fix) for fix, troubles in UNASKED.items() for each in troubles],
)
def test_nothing_can_be_asked(
    target: Target, trouble: Refusal | Exception, line: str, fix: str
) -> None:
    """Without an answer nothing passes that AWS had to answer, and doctor fails with the cause."""
    report = run_preflight(target, everywhere(trouble).session())
    found = {each.check: each for each in report.checks}
    assert found["credentials"].verdict is Verdict.FAIL
    assert line in found["credentials"].line
    assert fix in (found["credentials"].fix or "")
    assert report.exit_status == 2
    assert not any("\n" in answer.line for answer in report.checks)
    for check in found.keys() - {"credentials", "partition", "limits", "caller-policy"}:
        assert found[check].verdict is Verdict.UNKNOWN, check
        assert line in found[check].line


@pytest.mark.parametrize(
    ("trouble", "line"),
    [
        (Refusal("Throttling", status=400), "AWS asked to slow down (Throttling from "),
        (Refusal("RequestLimitExceeded", status=503), "AWS asked to slow down"),
        (Refusal("InternalError", status=500), "AWS itself failed ("),
        (Refusal("Gap", status=501), "the endpoint in use does not offer "),
        (Refusal("Surprise", "What\nis this?"), "with Surprise: What is this?"),
    ],
)
def test_aws_will_not_say(target: Target, trouble: Refusal, line: str) -> None:
    """A passing trouble of AWS's is no failure of the account's, and no pass either."""
    report = run_preflight(target, everywhere(trouble).session())
    found = {each.check: each for each in report.checks}
    del found["partition"], found["limits"], found["caller-policy"]
    assert found.pop("credentials").verdict is Verdict.FAIL, "nobody confirmed them"
    assert {check for check, each in found.items() if each.verdict is not Verdict.UNKNOWN} <= {
        "rehearsal"
    }
    assert all(line in each.line for check, each in found.items() if check != "rehearsal")


def test_one_denied_call_leaves_the_others(aws: RecordedAws, target: Target) -> None:
    """The check that may not ask names the action to allow; the rest goes on."""
    aws.answers["ec2.DescribeRouteTables"] = Refusal("UnauthorizedOperation", status=403)
    aws.answers["s3.HeadBucket"] = Refusal("403", "Forbidden", 403)
    aws.answers["iam.GetInstanceProfile"] = Refusal(
        "AccessDenied",
        "User: arn:aws:iam::1:user/ada is not authorized to perform: iam:GetInstanceProfile on ...",
        403,
    )
    target = replace(target, use_existing_bucket_url="s3://lab-data")
    report = run_preflight(target, aws.session())
    found = lines(report)
    assert found["vm-internet"] == "the caller may not ec2:DescribeRouteTables"
    assert found["ecs-instance-role"] == "the caller may not iam:GetInstanceProfile"
    assert "s3:ListBucket" in found["bucket"]
    assert report.counts[Verdict.FAIL] == 0
    assert report.counts[Verdict.UNKNOWN] == 8
    assert report.exit_status == 0


def test_no_credentials_at_all(target: Target) -> None:
    """A real session without credentials: said at once, by every check, and asked for once."""
    started = time.monotonic()
    report = run_preflight(target, boto3.session.Session(region_name=REGION))
    assert time.monotonic() - started < 20
    found = {each.check: each for each in report.checks}
    assert found["credentials"].verdict is Verdict.FAIL
    assert "aws configure" in (found["credentials"].fix or "")
    said = [each for each in found.values() if each.line == "there are no AWS credentials"]
    assert len(said) == len(found) - 3


def test_a_profile_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_PROFILE with a typing error is bad usage, in one line."""
    monkeypatch.setenv("AWS_PROFILE", "labb")
    with pytest.raises(UsageError, match=r"AWS_PROFILE: .*labb.* Fix: `aws configure list-prof"):
        open_session(REGION)


def test_a_broken_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So is a configuration file that is none."""
    path = tmp_path / "config"
    path.write_text("no section = here")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    with pytest.raises(UsageError, match="AWS_CONFIG_FILE: "):
        open_session(REGION)


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
@pytest.mark.parametrize("kind", ["folder", "nothing", "no certificate", "empty name"])
def test_trusted_certificates_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, kind: str
) -> None:
    """The variable or setting that names them is named, and not the credentials."""
    path = tmp_path / "certificates"
    if kind == "folder":
        path.mkdir()
    elif kind == "no certificate":
        path.write_text("none")
    value = "" if kind == "empty name" else str(path)
    set_for_aws(monkeypatch, tmp_path, name, value)
    with pytest.raises(UsageError, match=rf"^{name}( = .*)?: the file of trusted certif"):
        open_session(REGION)


def test_trusted_certificates_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in nobody's way."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(Path(botocore.__file__).with_name("cacert.pem")))
    open_session(REGION)


@pytest.fixture
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "recorded")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "recorded")


@pytest.fixture
def _silent_endpoint(monkeypatch: pytest.MonkeyPatch, _credentials: None) -> Iterator[None]:
    """An endpoint that takes calls and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield


@pytest.mark.usefixtures("_credentials")
@pytest.mark.slow
def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, target: Target) -> None:
    """No network: a real refused connection is named as such."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{reserved.getsockname()[1]}")
        report = run_preflight(target, boto3.session.Session(region_name=REGION))
    assert "AWS cannot be reached" in lines(report)["credentials"]
    assert "AWS cannot be reached" in lines(report)["vpc"]


@pytest.mark.usefixtures("_silent_endpoint")
@pytest.mark.slow
def test_nobody_answers(target: Target) -> None:
    """Calls that hang do not hold the report up, and are not passed."""
    session = boto3.session.Session(region_name=REGION)
    started = time.monotonic()
    report = run_preflight(target, session, seconds=1.0)
    assert time.monotonic() - started < 20, "the calls themselves hang for minutes"
    assert lines(report)["vpc"] == "no answer from AWS in 1 seconds"
    assert report.exit_status == 2, "credentials that nobody confirmed are no pass"


def regions(name: str, status: str) -> Given:
    """Return a region as EC2 describes it."""
    return {"Regions": [{"RegionName": name, "OptInStatus": status}]}


def checked(aws: RecordedAws, target: Target, region: str) -> dict[str, CheckData]:
    """Return what each check says of a stack in a region."""
    report = run_preflight(replace(target, region=region), aws.session(region))
    return {each.check: each for each in report.checks}


class TestRegion:
    """A region that is not there, not enabled, or of another world."""

    def test_an_unknown_one(self, aws: RecordedAws, target: Target) -> None:
        """AWS is asked where it is reached, and the nearest name is offered."""
        aws.answers["ec2.DescribeRegions"] = Refusal("InvalidParameterValue", "Invalid region")
        aws.answers["sts.GetCallerIdentity"] = boto.EndpointConnectionError(endpoint_url=URL)
        found = checked(aws, target, "eu-wset-2")
        assert found["region"].line == "AWS has no region eu-wset-2 in partition aws"
        assert found["region"].fix == 'set region = "eu-west-2"'
        assert found["credentials"].line == "no such AWS region is known: eu-wset-2"

    def test_one_that_is_not_enabled(self, aws: RecordedAws, target: Target) -> None:
        """Credentials are refused in it, and it is the region that is at fault."""
        aws.answers["sts.GetCallerIdentity"] = Refusal("InvalidClientTokenId")
        aws.answers["ec2.DescribeRegions"] = regions("ap-east-1", "not-opted-in")
        found = checked(aws, target, "ap-east-1")["region"]
        assert found.verdict is Verdict.FAIL
        assert found.fix == "aws account enable-region --region-name ap-east-1"

    def test_one_of_another_partition(self, target: Target) -> None:
        """Credentials of one partition are unknown in another, which is named."""
        found = checked(everywhere(Refusal("InvalidClientTokenId")), target, "cn-north-1")
        assert "in partition aws-cn" in found["credentials"].line

    def test_one_that_is_newer_than_the_library(self, aws: RecordedAws, target: Target) -> None:
        """AWS's own word counts, not the list that was installed."""
        aws.answers["ec2.DescribeRegions"] = regions("eu-west-9", "opt-in-not-required")
        assert checked(aws, target, "eu-west-9")["region"].line == "eu-west-9 is enabled"

    def test_a_name_that_is_none(self, aws: RecordedAws, target: Target) -> None:
        """What is no host name is answered too."""
        report = run_preflight(replace(target, region="no region!"), aws.session())
        assert lines(report)["credentials"] == "no such AWS region is known: no region!"
