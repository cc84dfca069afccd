"""Credentials in a backend's settings: found wherever they stand, and never repeated."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biomodal_deploy.config.credentials import (
    credentials_in,
    is_key_like,
    refuse_credentials,
    without_userinfo,
)
from biomodal_deploy.errors import UsageError


def test_names_of_files_are_no_credentials() -> None:
    """`shared_credentials_files` names files, and `kms_key_id` a key that stays in KMS."""
    settings = {"shared_credentials_files": ["x"], "kms_key_id": "y", "profile": "z", "key": "k"}
    assert list(credentials_in(settings)) == []


def test_they_are_found_at_any_depth() -> None:
    """In lists and objects, in either spelling, whatever the case."""
    assert list(credentials_in({"a": [{"Token": "x"}], "secret-key": "y"})) == [
        "a.Token",
        "secret-key",
    ]


def test_a_refusal_says_where_and_not_what() -> None:
    """The first one ends it, in one line that does not hold the value."""
    with pytest.raises(UsageError) as refused:
        refuse_credentials({"assume_role": {"token": "canary"}}, "backend")
    assert str(refused.value).startswith("backend.assume_role.token: A credential would stand")
    assert "canary" not in str(refused.value)


PASSWORD = "canary-userinfo-61f0"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"https://ada:{PASSWORD}@host/x", "https://host/x"),
        (f"http://{PASSWORD}@host:8080", "http://host:8080"),
        (f"https://ada:p@{PASSWORD}@host", "https://host"),
        (f"Failed to connect to proxy URL: 'http://u:{PASSWORD}@proxy:3128'", None),
        (f"git::https://{PASSWORD}@git.example.org/m.git?ref=v1", None),
        (
            f"first https://a:{PASSWORD}@b and https://c:{PASSWORD}@d",
            "first https://b and https://d",
        ),
        ("https://host/@scope/x", "https://host/@scope/x"),
        ("git@github.com:a/b, https://host", "git@github.com:a/b, https://host"),
        ('{"a":"https://host","b":"me@example.org"}', None),
    ],
)
def test_urls_lose_their_user(text: str, clean: str | None) -> None:
    """User and password go, wherever the URL stands; everything else stays."""
    found = without_userinfo(text)
    assert PASSWORD not in found
    assert found == clean if clean else found.count("://") == text.count("://")
    assert ("me@example.org" in text) == ("me@example.org" in found)


def test_a_url_with_a_user_is_a_credential() -> None:
    """In a backend's settings, however deep, and the refusal does not repeat it."""
    settings: JsonValue = {"endpoints": {"s3": f"https://ada:{PASSWORD}@minio:9000"}}
    assert list(credentials_in(settings)) == ["endpoints.s3"]
    with pytest.raises(UsageError, match=r"backend\.endpoints\.s3") as caught:
        refuse_credentials(settings, "backend")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("secret", "names"),
    [
        (True, "db_password API_KEY github-token private_key client_secret"),
        (False, "tag_key ssh_public_key private_key_filename monkey kms_key_id"),
    ],
)
def test_names_of_secrets(secret: bool, names: str) -> None:
    """A variable whose name says so is never echoed, declared sensitive or not."""
    assert [name for name in names.split() if is_key_like(name) is not secret] == []
