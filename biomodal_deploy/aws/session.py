"""The AWS session that the checks ask with: the user's own, as every AWS tool finds it.

AWS's own settings are checked before its library reads them: what is wrong is named by where it
stands.

What is no answer of AWS's (a network's login page, a proxy's error, another program's port) is told
from one here: the AWS library fails on it with errors that are none of its classes.
"""

from __future__ import annotations

import json
import os
import re
import ssl
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from biomodal_deploy.config.credentials import without_userinfo
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


# Of every key and token, and of none.
_KEY: Final = re.compile(r"[!-~]*")


def check_keys() -> None:
    """Refuse what was copied with a line break or a blank: AWS would only call it unknown."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        # The value is a secret.
        if not _KEY.fullmatch(os.environ.get(name, "")):
            raise UsageError(
                "holds a blank, a line break or another character that no key has",
                field=name,
                fix="set it again, without what stands around it",
            )


def check_settings(session: Session) -> None:
    """Refuse what a session's variables and profile name, where it is not what it has to be.

    Raises:
        UsageError: A file cannot be read, or an address is none.
    """
    _check_token_file(session)
    _check_certificates(session)
    _check_endpoints(session)


def _check_endpoints(session: Session) -> None:
    """Refuse an address that is none: what asks there would fail as if by a fault of ours."""
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return
    profile = session._session.get_scoped_config()  # noqa: SLF001 - boto3 has no other way
    named = {name: os.environ[name] for name in os.environ if name.startswith("AWS_ENDPOINT_URL")}
    for field, value in {"endpoint_url": str(profile.get("endpoint_url", "")), **named}.items():
        try:
            url = urlsplit(value)
            is_address = url.scheme in ("http", "https") and url.hostname and url.port != 0
        except ValueError:
            is_address = False
        if value and not is_address:
            raise UsageError(
                "not an address",
                field=field,
                value=without_userinfo(value),
                fix="write http://HOST:PORT or https://HOST, or unset it to ask AWS itself",
            )


def _check_token_file(session: Session) -> None:
    """Refuse a web identity whose token cannot be read, before the AWS library fails on it."""
    field = "AWS_WEB_IDENTITY_TOKEN_FILE"
    path = os.environ.get(field)
    if not path:
        profile = session._session.get_scoped_config()  # noqa: SLF001 - boto3 has no other way
        path, field = profile.get("web_identity_token_file"), "web_identity_token_file"
    if path and not os.access(Path(path).expanduser(), os.R_OK):
        raise UsageError(
            f"profile {session.profile_name}: the web identity token file cannot be read",
            field=field,
            value=path,
            fix=f"have the token written there, or take {field} away to use other credentials",
        )


def _check_certificates(session: Session) -> None:
    """Refuse trusted certificates that cannot be read: each call would say so in its own words."""
    field, named = "AWS_CA_BUNDLE", os.environ.get("AWS_CA_BUNDLE")
    if named is None:
        profile = session._session.get_scoped_config()  # noqa: SLF001 - boto3 has no other way
        field, named = "ca_bundle", profile.get("ca_bundle")
    if named is None:
        field, named = "REQUESTS_CA_BUNDLE", os.environ.get("REQUESTS_CA_BUNDLE")
    if named is None:
        return
    try:
        if not named.strip():
            raise ValueError("its name is empty")  # noqa: TRY301 - one sentence for all of them
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=named)
    except (OSError, ValueError) as error:  # an SSLError too: no certificate is in it
        said = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"the file of trusted certificates cannot be read ({said})",
            field=field,
            value=named,
            fix=f"name your proxy's certificate file (PEM), or take {field} away",
        ) from None
