"""AWS's own settings, before its library reads them: what is wrong is named by where it stands."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.errors import UsageError

if TYPE_CHECKING:
    from boto3.session import Session

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
