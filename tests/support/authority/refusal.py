"""How each service of AWS says no."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.call import ApiCall

_ERROR: Final = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
_XML: Final = {
    "ec2": f"<Response><Errors>{_ERROR}</Errors><RequestID>sandbox</RequestID></Response>",
    "iam": f"<ErrorResponse>{_ERROR}<RequestId>sandbox</RequestId></ErrorResponse>",
    "s3": _ERROR,
    "sts": f"<ErrorResponse>{_ERROR}<RequestId>sandbox</RequestId></ErrorResponse>",
}
_CODES: Final = {"ec2": "UnauthorizedOperation", "batch": "AccessDeniedException"}


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An HTTP answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        return f"{self.status} Forbidden"


def refusal(call: ApiCall, caller: str, request: Request) -> Refusal:
    """Return the service's own answer to a call that is not allowed."""
    message = (
        f"User: arn:aws:iam::{caller} is not authorized to perform: {request.action} on resource: "
        f"{request.resource} because no identity-based policy allows the {request.action} action"
    )
    if call.service in _XML:
        code = _CODES.get(call.service, "AccessDenied")
        text = _XML[call.service].format(code=code, message=escape(message)).encode()
        kind = "text/xml"
    else:
        code = "AccessDeniedException"
        text = json.dumps({"__type": code, "message": message}).encode()
        kind = "application/json"
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(text))),
        ("x-amzn-ErrorType", code),
    ]
    return Refusal(status=403, headers=headers, body=text)
