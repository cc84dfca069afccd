"""What is no answer of AWS's: a network's login page, a proxy's error, another program's port.

The AWS library takes such a thing for an answer and fails on it in ways of its own, with errors
that are none of its classes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from botocore.parsers import ResponseParserFactory

_PAGE: Final = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_JSON: Final = ("json", "rest-json")


class NotFromAwsError(BotoCoreError):
    """What answered is not AWS."""

    fmt = "the answer is {what}"


def strict_parsers() -> ResponseParserFactory:
    """Return what makes the library's own parsers, which refuse what is no answer of AWS's."""
    # Here, where a session is opened: most commands' first line does not wait for the library.
    from botocore.parsers import ResponseParserError, ResponseParserFactory

    class Strict(ResponseParserFactory):
        def create_parser(self, protocol_name: str) -> Any:
            parser = super().create_parser(protocol_name)
            parse = parser.parse

            def strict(response: Any, shape: Any) -> Any:
                body, status = response["body"], response["status_code"]
                whole = isinstance(body, bytes)  # what is streamed is somebody's object
                if whole and status < 500 and _PAGE.match(body):
                    raise NotFromAwsError(what=f"a web page, with HTTP status {status}")
                try:
                    if whole and body and status < 300 and protocol_name in _JSON:
                        json.loads(body)
                    return parse(response, shape)
                except (ResponseParserError, LookupError, TypeError, ValueError):
                    raise NotFromAwsError(what=f"unreadable, with HTTP status {status}") from None

            parser.parse = strict  # type: ignore[method-assign]
            return parser

    return Strict()
