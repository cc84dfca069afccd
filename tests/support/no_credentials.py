"""An environment in which no credentials of this machine are found, and one setting of a test's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def without_credentials(monkeypatch: pytest.MonkeyPatch, folder: Path, *prefixes: str) -> None:
    """Take AWS's variables out of the environment, and point away from its files."""
    for name in [name for name in os.environ if name.startswith(("AWS_", *prefixes))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "no-credentials"))
    monkeypatch.setenv("BOTO_CONFIG", str(folder / "no-boto-config"))


def set_for_aws(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, value: str) -> None:
    """Set a variable, or the default profile's setting of a name in small letters."""
    if name.isupper():
        monkeypatch.setenv(name, value)
        return
    config = folder / "config"
    config.write_text(f"[default]\n{name} = {value}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
