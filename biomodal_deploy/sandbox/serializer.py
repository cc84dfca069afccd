"""The door in front of moto: one request at a time, and a gap is answered at once.

moto's backends are dictionaries without locks, and Terraform sends ten requests at once: in an
order, none meets a dictionary that changes under it.

Where moto lacks something it raises, and its server answers 500. The AWS provider takes that for
a passing fault of AWS and tries again for ten minutes. Here the answer is 501, which no SDK
retries, with a code of our own that no provider mistakes for a thing that AWS says.
"""

from __future__ import annotations

import json
import re
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

GAP: Final = "SandboxGap"

_SCOPE: Final = re.compile(r"Credential=[^/]*/\d{8}/[^/]*/(?P<service>[^/]+)/aws4_request")
_ERROR: Final = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
# Each protocol has its own shape for an error, and an SDK that cannot read it says only "501".
_XML: Final = {
    "ec2": f"<Response><Errors>{_ERROR}</Errors></Response>",
    "iam": f"<ErrorResponse>{_ERROR}</ErrorResponse>",
    "s3": _ERROR,
    "sts": f"<ErrorResponse>{_ERROR}</ErrorResponse>",
}


class Gate:
    """Lets one request at a time through to moto.

    Args:
        application: moto's own.
        log: Takes the traceback of what moto lacks.
    """

    def __init__(self, application: WSGIApplication, log: Callable[[str], None]) -> None:
        self._application, self._log = application, log
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        with self._one_at_a_time:
            try:
                return list(self._application(environ, start_response))
            except Exception as error:  # noqa: BLE001 - answered, and logged whole
                self._log(traceback.format_exc())
                service = _service(environ)
                body, content_type = _gap(
                    service, f"moto cannot answer this {service} call: {error}"
                )
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("x-amzn-ErrorType", GAP),
        ]
        start_response("501 Not Implemented", headers)
        return [body]


def _service(environ: WSGIEnvironment) -> str:
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return scope["service"] if scope else "aws"


def _gap(service: str, message: str) -> tuple[bytes, str]:
    if service in _XML:
        text = _XML[service].format(code=GAP, message=escape(message))
        return text.encode(), "text/xml"
    return json.dumps({"__type": GAP, "message": message}).encode(), "application/json"
