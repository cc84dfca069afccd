"""The AWS session that the checks ask with: the user's own, as every AWS tool finds it.

What is no answer of AWS's (a network's login page, a proxy's error, another program's port) is told
from one here: the AWS library fails on it with errors that are none of its classes.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

from biomodal_deploy.aws.settings_checks import check_keys, check_settings
from biomodal_deploy.errors import UsageError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.parsers import ResponseParserFactory


MFA_NEEDED: Final = "the profile needs an MFA code"


def open_session(region: str | None) -> Session:
    """Return a session in a region; whether its credentials work is the first check's question.

    Raises:
        UsageError: AWS_PROFILE names no profile, or what AWS's settings name cannot be read.
    """
    import boto3.session
    from botocore.exceptions import ConfigParseError, ProfileNotFound

    check_keys()
    try:
        session = boto3.session.Session(region_name=region)
        check_settings(session)
        _never_prompt(session)
    except ProfileNotFound as error:
        raise UsageError(
            str(error).rstrip("."),
            field="AWS_PROFILE",
            fix="`aws configure list-profiles` lists them",
        ) from None
    except ConfigParseError as error:
        raise UsageError(
            str(error).rstrip("."), field="AWS_CONFIG_FILE", fix="correct ~/.aws/config"
        ) from None
    except (BotoCoreError, ValueError) as error:
        raise UsageError(
            f"the AWS library refuses them: {str(error).rstrip('.')}",
            field="AWS's settings",
            fix="correct the AWS_... variables, or ~/.aws/config; `aws configure list` shows them",
        ) from None
    session._session.register_component(  # noqa: SLF001 - boto3 has no other way
        "response_parser_factory", strict_parsers()
    )
    return session


def _never_prompt(session: Session) -> None:
    """Fail where the AWS library would ask for an MFA code: a script would wait for ever."""
    from botocore.exceptions import CredentialRetrievalError

    def refuse(_: str) -> str:
        raise CredentialRetrievalError(provider="assume-role", error_msg=MFA_NEEDED)

    resolver = session._session.get_component("credential_provider")  # noqa: SLF001
    resolver.get_provider("assume-role")._prompter = refuse  # noqa: SLF001


@cache
def partition_of(region: str) -> str:
    """Return the partition that a region's name belongs to; `aws` for an unknown name."""
    import botocore.session
    from botocore.exceptions import UnknownRegionError

    try:
        return str(botocore.session.Session().get_partition_for_region(region))
    except UnknownRegionError:
        return "aws"


_PAGE: Final = re.compile(
    rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_JSON: Final = ("json", "rest-json")


class NotFromAwsError(BotoCoreError):
    """What answered is not AWS."""

    fmt = "the answer is {what}"


def _is_head_of_page(response: Any) -> bool:
    """Say whether only the head of a web page came: no body betrays it, and AWS marks its own."""
    headers = {name.lower(): str(value) for name, value in response["headers"].items()}
    return (
        not response["body"]
        and headers.get("content-type", "").lower().startswith("text/html")
        and not any(name.startswith("x-amz") for name in headers)
    )


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
                is_page = whole and (_PAGE.match(body) or _is_head_of_page(response))
                if is_page and status < 500:
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
