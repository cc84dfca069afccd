"""The one file that takes values to Terraform."""

from __future__ import annotations

import json
import os
import stat
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pytest

from biomodal_deploy.config.tfvars import Value
from biomodal_deploy.config.tfvars.values import write_private
from biomodal_deploy.errors import UsageError


def test_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """Values may be secrets: 0600 in a 0700 folder, also the second time."""
    before = os.umask(0)
    try:
        for _ in range(2):
            path = write_private({"a": "x"}, tmp_path / "deep" / "private")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert not path.name.endswith(".auto.tfvars.json")


def test_same_values_same_bytes(tmp_path: Path) -> None:
    """The order in which values were given does not show."""
    first = write_private({"b": 1, "a": 2}, tmp_path / "1").read_bytes()
    assert first == write_private({"a": 2, "b": 1}, tmp_path / "2").read_bytes()


def test_keeps_every_digit(tmp_path: Path) -> None:
    """A number is written as it was given, not as the nearest float."""
    digits = "0.12345678901234567890123456789"
    text = write_private({"a": [Decimal(digits), 10**40, Decimal("1E-7")]}, tmp_path).read_text()
    assert digits in text
    assert "0.0000001" in text
    assert json.loads(text)["a"][1] == 10**40


def test_values_of_every_kind(tmp_path: Path) -> None:
    """Text of any kind, nesting, null and truth values come back as they went in."""
    values: dict[str, Value] = {"a": {"k\n": ['"\\\u2028é😀', None, True, False, {}], "": []}}
    assert json.loads(write_private(values, tmp_path).read_text()) == values


def test_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is one line, and keeps the old file and no half of the new one."""
    old = write_private({"a": 1}, tmp_path).read_text()
    monkeypatch.setattr(os, "fsync", Mock(side_effect=OSError(28, "No space left on device")))
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device"):
        write_private({"a": 2}, tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.read_text() == old
