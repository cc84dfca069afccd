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
from biomodal_deploy.aws.session import (
    ALL,
    NotFromAwsError,
    configured_endpoints,
    open_session,
    profile_region,
)
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


CONFIG = """
[default]
region = eu-west-1
[profile local]
region = eu-west-3
endpoint_url = http://local:1
services = mine
[services mine]
s3 =
  endpoint_url = http://local:2
ec2 =
  endpoint_url = http://local:3
[profile quiet]
endpoint_url = http://local:1
services = mine
ignore_configured_endpoint_urls = true
[profile fips]
use_fips_endpoint = true
use_dualstack_endpoint = True
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with AWS configuration files."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text(CONFIG)
    (tmp_path / ".aws" / "credentials").write_text(
        "[keys]\naws_access_key_id = a\naws_secret_access_key = b\nendpoint_url = http://keys:1\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"AWS_ENDPOINT_URL": "http://a"}, {ALL: "http://a"}),
        ({"AWS_ENDPOINT_URL_S3": "http://a"}, {"s3": "http://a"}),
        ({"AWS_ENDPOINT_URL_RESOURCE_GROUPS": "http://a"}, {"resource_groups": "http://a"}),
        ({"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_EC2": "http://a"}, {ALL: "http://a"}),
        ({"AWS_ENDPOINT_URL_S3": "http://u:secret@a/"}, {"s3": "http://a/"}),
        # A password may hold the sign that ends it.
        ({"AWS_ENDPOINT_URL_S3": "http://u:se@cret@a/"}, {"s3": "http://a/"}),
        ({"AWS_ENDPOINT_URL_S3": "http://a", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, {}),
        ({"AWS_S3_ENDPOINT": "http://a"}, {"AWS_S3_ENDPOINT": "http://a"}),
        ({"TF_AWS_STS_ENDPOINT": "http://a"}, {"TF_AWS_STS_ENDPOINT": "http://a"}),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, {"use_fips_endpoint": "true"}),
        ({"AWS_USE_FIPS_ENDPOINT": "false"}, {}),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "TRUE"}, {"use_dualstack_endpoint": "true"}),
        (
            {"AWS_PROFILE": "local"},
            {ALL: "http://local:1", "s3": "http://local:2", "ec2": "http://local:3"},
        ),
        (
            {"AWS_PROFILE": "local", "AWS_ENDPOINT_URL_S3": "http://a"},
            {ALL: "http://local:1", "s3": "http://a", "ec2": "http://local:3"},
        ),
        ({"AWS_PROFILE": "local", "AWS_ENDPOINT_URL": "http://a"}, {ALL: "http://a"}),
        ({"AWS_PROFILE": "quiet"}, {}),
        ({"AWS_PROFILE": "fips"}, {"use_fips_endpoint": "true", "use_dualstack_endpoint": "true"}),
        ({"AWS_PROFILE": "keys"}, {ALL: "http://keys:1"}),
        ({"AWS_PROFILE": "unknown"}, {}),
        ({"AWS_CONFIG_FILE": "/nowhere", "AWS_PROFILE": "local"}, {}),
        ({"AWS_CONFIG_FILE": "~/.aws/config", "AWS_PROFILE": "quiet"}, {}),
    ],
)
def test_what_steers_a_call_is_found(
    home: Path, environment: dict[str, str], expected: dict[str, str]
) -> None:
    """From the environment, from a profile and its services; and nothing that is ignored."""
    assert configured_endpoints({"HOME": str(home), **environment}) == expected


def test_a_profile_that_the_provider_names_counts_too(home: Path) -> None:
    """Beside the environment's: provider and backend may each have one of their own."""
    found = configured_endpoints({"HOME": str(home)}, ["fips"])
    assert found["profile fips: use_fips_endpoint"] == "true"


def test_botocore_resolves_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDKs share these rules: what is computed here is where a client would call."""
    import botocore.session

    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_PROFILE", "local")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL_EC2", "http://env:4")
    session = botocore.session.Session()
    found = configured_endpoints(
        {"HOME": str(home), "AWS_PROFILE": "local"} | {"AWS_ENDPOINT_URL_EC2": "http://env:4"}
    )
    for service in ("s3", "ec2", "iam", "batch"):
        client = session.create_client(service, aws_access_key_id="a", aws_secret_access_key="b")
        assert client.meta.endpoint_url == found.get(service, found[ALL])


def test_the_region_of_a_profile(home: Path) -> None:
    """Where neither the stack nor the environment names one."""
    assert profile_region({"HOME": str(home)}) == "eu-west-1"
    assert profile_region({"HOME": str(home), "AWS_PROFILE": "local"}) == "eu-west-3"
    assert profile_region({"HOME": str(home)}, "local") == "eu-west-3"
    assert profile_region({"HOME": str(home), "AWS_PROFILE": "fips"}) is None


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
