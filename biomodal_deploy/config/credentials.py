"""Credentials where none belong: in what Terraform writes into its folder and into every plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from biomodal_deploy.errors import UsageError

# Exact names of the backends' credentials. `shared_credentials_files` names a file, and is none.
_CREDENTIALS: Final = frozenset(
    {
        "access_key",
        "access_token",
        "client_certificate_password",
        "client_secret",
        "conn_str",
        "credentials",
        "encryption_key",
        "oidc_request_token",
        "oidc_token",
        "password",
        "sas_token",
        "secret",
        "secret_access_key",
        "secret_id",
        "secret_key",
        "security_token",
        "session_token",
        "sse_customer_key",
        "token",
        "username",
        "web_identity_token",
    }
)
_WHERE_CREDENTIALS_BELONG: Final = (
    "take it out; credentials come from the environment (AWS_PROFILE, AWS_ACCESS_KEY_ID, "
    "TF_TOKEN_..., TF_HTTP_PASSWORD), from profile, or from assume_role"
)


# Up to the last @ before the path: a password may hold one.
_USERINFO: Final = re.compile(r"""(?<=://)[^/?#\s"'<>]*@""")


# `tag_key` and `ssh_public_key` are none.
_KEY_LIKE: Final = re.compile(
    r"(^|[_-])(secrets?|tokens?|password|passwd|passphrase|credentials?"
    r"|(private|secret|api|access|signing|encryption)[_-]?key)($|[_-])",
    re.IGNORECASE,
)


def is_key_like(name: str) -> bool:
    """Whether a variable of this name holds a secret, whatever its declaration says."""
    return bool(_KEY_LIKE.search(name)) and not name.endswith(("_filename", "_file", "_path"))


def holds_private_key(text: str) -> bool:
    """Whether a text holds a private key, in any of its armoured forms."""
    return "PRIVATE KEY" in text


def without_userinfo(text: str) -> str:
    """Return a text without the user and password in its URLs: `https://user:password@host`."""
    return _USERINFO.sub("", text) if "://" in text and "@" in text else text


def refuse_credentials(settings: object, field: str) -> None:
    """Refuse a credential before anything else is said of the settings; never repeat its value."""
    for path in credentials_in(settings):
        raise credential_refusal(f"{field}.{path}")


def credentials_in(settings: object, *above: str) -> Iterator[str]:
    """Return where credentials stand in a backend's settings, as dotted names.

    In a URL too: `https://user:password@host`.
    """
    if isinstance(settings, Mapping):
        for name, value in settings.items():
            if re.sub("-", "_", str(name).lower()) in _CREDENTIALS:
                yield ".".join((*above, str(name)))
            yield from credentials_in(value, *above, str(name))
    elif isinstance(settings, str) and settings != without_userinfo(settings):
        yield ".".join(above)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from credentials_in(value, *above)


def credential_refusal(field: str) -> UsageError:
    """Return the refusal of a credential where none belongs."""
    return UsageError(
        "A credential would stand in clear in files of Terraform's and in every plan",
        field=field,
        fix=_WHERE_CREDENTIALS_BELONG,
    )
