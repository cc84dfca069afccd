"""Tests for biomodal_deploy.aws.identity: credentials that do not work are named at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from biomodal_deploy.aws.identity import account_alias, who_am_i
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import BiomodalError, EngineError, UsageError
from tests.support.no_credentials import without_credentials
from tests.support.recorded_aws import Recorded, RecordedAws, Refusal

MFA = """
[profile admin]
role_arn = arn:aws:iam::111122223333:role/admin
source_profile = base
mfa_serial = arn:aws:iam::111122223333:mfa/me
[profile base]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = x
[profile robot]
role_arn = arn:aws:iam::111122223333:role/robot
web_identity_token_file = /nonexistent/token
"""


@pytest.fixture(autouse=True)
def _config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without credentials but these profiles."""
    without_credentials(monkeypatch, tmp_path)
    (tmp_path / "config").write_text(MFA)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def refused(environment: dict[str, str] | None = None) -> BiomodalError:
    """Return what is said of credentials that do not work."""
    with pytest.raises(BiomodalError) as caught:
        who_am_i("eu-west-2", os.environ if environment is None else environment)
    assert "\n" not in str(caught.value)
    return caught.value


def test_no_credentials_are_named() -> None:
    """With the profile that was looked in, and how to set some."""
    error = refused()
    assert isinstance(error, EngineError)
    assert "there are no AWS credentials (profile default)" in str(error)
    assert "aws configure" in str(error.advice)


@pytest.mark.slow
def test_a_profile_with_mfa_is_never_asked_for_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with the command that asks; in this process and in one of its own."""
    monkeypatch.setenv("AWS_PROFILE", "admin")
    for error in (refused(), refused({**os.environ, "AWS_REGION": "eu-west-2"})):
        assert "MFA code" in str(error)
        assert "profile admin" in str(error)
        assert "aws configure export-credentials --profile admin" in str(error)


@pytest.mark.slow
def test_no_check_of_the_account_prompts_for_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal is not read from: the session itself refuses."""
    monkeypatch.setenv("AWS_PROFILE", "admin")
    program = (
        "from biomodal_deploy.aws.session import open_session\n"
        "open_session('eu-west-2').get_credentials().get_frozen_credentials()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input="123456\n", capture_output=True, text=True
    )
    assert "Enter MFA code" not in done.stdout + done.stderr
    assert "CredentialRetrievalError" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("how", ["variable", "profile"])
def test_a_missing_web_identity_token_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    """File and setting, and no traceback: it is no fault of this program."""
    if how == "variable":
        path = str(tmp_path / "token")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path)
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/robot")
    else:
        path = "/nonexistent/token"
        monkeypatch.setenv("AWS_PROFILE", "robot")
    error = refused()
    assert isinstance(error, UsageError)
    assert error.value == path
    with pytest.raises(UsageError, match="token"):
        open_session("eu-west-2")
    assert path in str(refused({**os.environ, "AWS_REGION": "eu-west-2"}))


def test_a_denial_names_the_whole_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its service, also where AWS does not say it."""
    recorded = RecordedAws({"sts.GetCallerIdentity": Refusal("AccessDenied", status=403)})
    monkeypatch.setattr("biomodal_deploy.aws.session.open_session", recorded.session)
    error = refused()
    assert isinstance(error, EngineError)
    assert "the caller may not sts:GetCallerIdentity" in str(error)
    assert "allow sts:GetCallerIdentity to the caller" in str(error.advice)


def test_the_account_s_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is one and AWS says it; else none, and never an error."""
    cases: tuple[tuple[Recorded, str | None], ...] = (
        ({"AccountAliases": ["lab"], "IsTruncated": False}, "lab"),
        ({"AccountAliases": [], "IsTruncated": False}, None),
        (Refusal("AccessDenied", status=403), None),
        (EndpointConnectionError(endpoint_url="https://iam.amazonaws.com"), None),
    )
    for answer, alias in cases:
        recorded = RecordedAws({"iam.ListAccountAliases": answer})
        monkeypatch.setattr("biomodal_deploy.aws.session.open_session", recorded.session)
        assert account_alias("eu-west-2") == alias
        assert recorded.calls == ["iam.ListAccountAliases"]
    assert account_alias("eu-west-2", {"AWS_PROFILE": "theirs"}) is None


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another member of the kind: nothing asks AWS, or says it nine times."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "nobody" in str(refused())
