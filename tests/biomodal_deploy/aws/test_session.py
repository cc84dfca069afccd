"""What is no answer of AWS's is named as that, whoever gave it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error
from biomodal_deploy.aws.identity import who_am_i
from biomodal_deploy.aws.session import NotFromAwsError, open_session
from biomodal_deploy.errors import EngineError, UsageError
from tests.support.loopback import Handler, serving
from tests.support.no_credentials import set_for_aws

REGION = "eu-west-2"
LOGIN = b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>"
DENIED = (
    b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
    b"<Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>"
)


@contextmanager
def answering(status: int, body: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve one answer to every question at the address that the AWS library asks."""

    class Answer(Handler):
        def answer(self) -> None:
            self.body()
            self.say(body, status)

    with serving(Answer) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize(
    ("status", "body", "what"),
    [
        (200, LOGIN, "a web page, with HTTP status 200"),
        (403, LOGIN, "a web page, with HTTP status 403"),
        (200, bytes(range(256)), "unreadable, with HTTP status 200"),
        (200, b'{"a": 1}', "unreadable, with HTTP status 200"),
        (200, b"<Other/>", "unreadable, with HTTP status 200"),
        (400, b"<Error><Code>\x1b[31m", "unreadable, with HTTP status 400"),
    ],
)
def test_what_is_not_awss_is_one_line(
    status: int, body: bytes, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login page or garbage is no bug of ours, and the line says where to look."""
    with (
        answering(status, body, monkeypatch),
        pytest.raises(EngineError, match="AWS does not say who is calling") as raised,
    ):
        who_am_i(REGION)
    assert f"something else than AWS answered ({what})" in raised.value.message
    assert "AWS_ENDPOINT_URL" in str(raised.value.advice)


@pytest.mark.parametrize("body", [LOGIN, b"[1", b"\xff"])
def test_json_is_read_as_strictly(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library would make an empty answer of it, as if there were no queues."""
    session = open_session(REGION)
    with answering(200, body, monkeypatch), pytest.raises(NotFromAwsError) as raised:
        session.client("batch").describe_job_queues()
    failure = classify_error(raised.value, Clients(session, REGION))
    assert failure.kind is Kind.NO_NETWORK


@pytest.mark.parametrize(("kind", "is_page"), [("text/html; charset=utf-8", True), ("", False)])
def test_the_head_of_a_page_is_no_bucket(
    kind: str, is_page: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question without a body in its answer would pass at every login page."""

    class Head(Handler):
        def answer(self) -> None:
            self.send_response(200)
            if kind:
                self.send_header("Content-Type", kind)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Head) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        s3 = open_session(REGION).client("s3")
        with pytest.raises(NotFromAwsError) if is_page else nullcontext():
            s3.head_bucket(Bucket="lab-data")


def test_awss_own_refusal_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Strictness costs no answer of AWS's."""
    with answering(403, DENIED, monkeypatch), pytest.raises(ClientError, match="AccessDenied"):
        open_session(REGION).client("sts").get_caller_identity()


@pytest.mark.parametrize(
    "name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
)
@pytest.mark.parametrize("value", ["SAND\n", " SAND", "S\u0410ND", "SA\tND"])
def test_a_key_that_was_copied_with_more(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named and not shown: AWS would say only that it knows no such key."""
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=rf"^{name}: holds a blank") as raised:
        open_session(REGION)
    assert value.strip() not in str(raised.value).removeprefix(name)


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "endpoint_url"])
@pytest.mark.parametrize("value", ["localhost:4566", "http://", "http://a:99999", "ftp://a"])
def test_an_endpoint_that_is_no_address(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What names it is named; it is bad usage, and no fault of ours."""
    set_for_aws(monkeypatch, tmp_path, name, value)
    with pytest.raises(UsageError, match=rf"^{name} = .*: not an address"):
        open_session(REGION)
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    open_session(REGION)


@pytest.mark.parametrize(
    ("name", "value"),
    [("AWS_EC2_METADATA_SERVICE_ENDPOINT", "zz"), ("AWS_METADATA_SERVICE_TIMEOUT", "soon")],
)
def test_a_setting_that_the_library_refuses(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is bad usage as well, with the library's own words."""
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=rf"^AWS's settings: .*{value}"):
        open_session(REGION)
