"""Credentials and endpoints as every SDK finds them, against real HTTP servers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from biomodal_deploy.vm import signed_calls
from tests.support.loopback import Handler, serving


class Keys(Handler):
    """Gives a task's keys, as the ECS agent does, at the path that it was told."""

    def answer(self) -> None:
        """Give the keys."""
        status = 200 if self.path == "/v2/credentials/one" else 404
        self.say(json.dumps({"AccessKeyId": "ASIATASK"}).encode(), status)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An ECS agent on loopback; the machine's metadata is out of reach."""
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    with serving(Keys) as address:
        monkeypatch.setattr(signed_calls, "TASK_KEYS", address)
        yield


@pytest.mark.usefixtures("agent")
def test_a_jobs_role_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the task has a role of its own, the host's is not asked for; otherwise it is."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/one")
    assert signed_calls.own_keys()["AccessKeyId"] == "ASIATASK"
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/another")
    assert signed_calls.outcome(lambda: str(signed_calls.own_keys()))["result"] == "refused"
    monkeypatch.delenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    assert signed_calls.outcome(lambda: str(signed_calls.own_keys()))["result"] == "unasked"


@pytest.mark.usefixtures("agent")
def test_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service's own address comes before the one for all, and AWS's own after both."""
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/one")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    aws = signed_calls.Aws("cn-north-1")
    assert aws.endpoint("s3") == "https://s3.cn-north-1.amazonaws.com.cn"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all/")
    assert aws.endpoint("s3") == "http://all"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3")
    assert (aws.endpoint("s3"), aws.endpoint("api.ecr")) == ("http://s3", "http://all")
