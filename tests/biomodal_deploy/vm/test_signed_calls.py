"""Credentials and endpoints as every SDK finds them, against real HTTP servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from biomodal_deploy.vm import signed_calls


class Keys(BaseHTTPRequestHandler):
    """Gives a task's keys, as the ECS agent does, at the path that it was told."""

    def do_GET(self) -> None:
        """Give the keys."""
        self.send_response(200 if self.path == "/v2/credentials/one" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"AccessKeyId": "ASIATASK"}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An ECS agent on loopback; the machine's metadata is out of reach."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(signed_calls, "TASK_KEYS", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
    yield
    server.shutdown()
    server.server_close()


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
