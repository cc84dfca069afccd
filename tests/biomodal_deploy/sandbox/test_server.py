"""The door in front of moto: one request at a time, and a gap is answered at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.parsers import create_parser

from biomodal_deploy.sandbox.server import GAP, Serializer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def request(serializer: Serializer, service: str = "ec2") -> tuple[str, dict[str, str], bytes]:
    """Send a request that is signed for a service; return status, headers and body."""
    scope = f"AWS4-HMAC-SHA256 Credential=sandbox/20261123/us-east-1/{service}/aws4_request, x=y"
    answered: list[Any] = []
    environ: dict[str, Any] = {"HTTP_AUTHORIZATION": scope}

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        answered.extend([status, dict(headers)])

    body = b"".join(serializer(environ, start_response))
    return answered[0], answered[1], body


def lacking(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A moto that lacks whatever it is asked for."""
    raise NotImplementedError("Fly <me> & my instance")


def test_requests_reach_moto_one_at_a_time() -> None:
    """Ten requests at once never meet inside."""
    inside: list[int] = []
    met: list[int] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        inside.append(threading.get_ident())
        time.sleep(0.01)
        met.append(len(inside))
        inside.remove(threading.get_ident())
        start_response("200 OK", [])
        return [b"done"]

    serializer = Serializer(application, lambda _: None)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: request(serializer), range(10)))
    assert met == [1] * 10
    assert {answer[2] for answer in answers} == {b"done"}


def test_a_request_that_fails_lets_the_next_one_in() -> None:
    """After a gap the door opens again."""
    serializer = Serializer(lacking, lambda _: None)
    assert request(serializer)[0] == request(serializer)[0] == "501 Not Implemented"


def test_the_log_gets_the_whole_traceback() -> None:
    """What moto lacks can be found in the log, down to the line."""
    log: list[str] = []
    request(Serializer(lacking, log.append))
    assert "in lacking" in log[0]
    assert "NotImplementedError: Fly <me>" in log[0]


@pytest.mark.parametrize("service", ["ec2", "iam", "sts", "s3", "ecr", "batch", "logs", "budgets"])
def test_every_sdk_can_read_what_is_lacking(service: str) -> None:
    """The code and the message come through in the protocol of each service."""
    status, headers, body = request(Serializer(lacking, lambda _: None), service)
    model = botocore.session.get_session().get_service_model(service)
    response = {"status_code": int(status[:3]), "headers": headers, "body": body}
    shape = model.operation_model(model.operation_names[0]).output_shape
    error = create_parser(model.protocol).parse(response, shape)["Error"]  # type: ignore[arg-type]
    assert error["Code"] == GAP
    assert error["Message"] == f"moto cannot answer this {service} call: Fly <me> & my instance"


def test_an_unsigned_request_gets_an_answer_too() -> None:
    """A request that names no service is answered in JSON."""
    answered: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        answered.append(status)

    body = b"".join(Serializer(lacking, lambda _: None)({}, start_response))
    assert answered == ["501 Not Implemented"]
    assert json.loads(body)["__type"] == GAP
