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
from biomodal_deploy.errors import EngineError
from tests.support.loopback import Handler, serving

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
