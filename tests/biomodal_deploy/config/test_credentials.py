"""Credentials in a backend's settings: found wherever they stand, and never repeated."""

from __future__ import annotations

import pytest

from biomodal_deploy.config.credentials import credentials_in, refuse_credentials
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
