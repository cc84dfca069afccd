"""Which variable files are read, in which order, and what is said of one that is not good."""

from __future__ import annotations

import hashlib
import os
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pytest

from biomodal_deploy.config.tfvars import files as module
from biomodal_deploy.config.tfvars.files import LIMIT_BYTES, automatic_files, read_file
from biomodal_deploy.errors import UsageError


def test_order_is_terraforms(tmp_path: Path) -> None:
    """terraform.tfvars, terraform.tfvars.json, then *.auto.tfvars[.json] by name, in bytes."""
    read = ["terraform.tfvars", "terraform.tfvars.json", "Z.auto.tfvars", "a.auto.tfvars.json"]
    read.append("b.auto.tfvars")
    others = ("prod.tfvars", ".hidden.auto.tfvars", "#edited.auto.tfvars#", "c.auto.tfvars~")
    for name in (*others, *sorted(read)):
        (tmp_path / name).touch()
    assert [path.name for path in automatic_files(tmp_path)] == read


def test_digest_is_of_the_bytes_that_were_read(tmp_path: Path) -> None:
    """What is hashed is what was used."""
    path = tmp_path / "x.tfvars"
    path.write_bytes(b"a = 1\r\n")
    found = read_file(path)
    assert found.sha256 == hashlib.sha256(b"a = 1\r\n").hexdigest()
    assert found.path == path


def test_json_file(tmp_path: Path) -> None:
    """JSON is read whole and exact; its strings are no templates, and // is a comment."""
    path = tmp_path / "x.tfvars.json"
    path.write_text('{"//": "c", "a": "${x}", "b": [1, 0.10, true, null], "c": {"d": 1e2}}')
    found = {name: each.value for name, each in read_file(path).attributes.items()}
    assert found == {"a": "${x}", "b": [1, Decimal("0.1"), True, None], "c": {"d": 100}}


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("x.tfvars", b"a = \n", "x.tfvars line 1, column 5: a: A value is missing"),
        ("x.tfvars", b"a = 1\n\xff\xfe", "x.tfvars line 2: A variable file is UTF-8 text"),
        ("x.tfvars", b"\x7fELF\x02\x01\x01\x00", "x.tfvars line 1, column 1: A line holds"),
        ("x.tfvars", b"#" * (LIMIT_BYTES + 1), "x.tfvars: larger than 1024 KiB"),
        ("x.json", b"{", "x.json line 1, column 1: not valid JSON: The closing }"),
        ("x.json", b"[]", "x.json: A .json variable file holds one JSON object"),
        (
            "x.json",
            b'{"a": 1, "a": 2}',
            'x.json line 1, column 10: not valid JSON: "a" is there twice',
        ),
        ("x.json", rb'{"\u00e9": 1, "e\u0301": 2}', 'x.json line 1, column 15: not valid JSON: "e'),
        ("x.json", rb'{"a": [{"\u00e9": 1, "e\u0301": 2}]}', "x.json line 1, column 22: not"),
        ("x.json", b'{"a": NaN}', "x.json: JSON has no NaN"),
        ("x.json", b'{"a": 1e9999999}', "x.json: A number has at most"),
        ("x.json", b'{"a":' + b"[" * 100_000, "x.json: Values nest at most"),
    ],
)
def test_bad_file_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, rule: str
) -> None:
    """The line names the file, the place in it, the rule and the fix."""
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as info:
        read_file(Path(name))
    line = str(info.value)
    assert line.startswith(rule)
    assert "Fix: " in line
    assert "\n" not in line


def test_missing_file_and_folder_are_one_line(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is named."""
    with pytest.raises(UsageError, match=r"none\.tfvars: cannot be read \(No such file"):
        read_file(tmp_path / "none.tfvars")
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\)"):
        read_file(tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        automatic_files(tmp_path / "none")


def test_unreadable_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without permission is named (also where the tests run as root)."""
    path = tmp_path / "x.tfvars"
    path.touch(mode=0o000)
    monkeypatch.setattr(os, "open", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(UsageError, match=r"cannot be read \(Permission denied\)"):
        read_file(path)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to a device"])
def test_only_a_regular_file_is_read(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes into, and a device without an end, hold nothing up."""
    path = tmp_path / "x.tfvars"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match=r"not a regular file|Is a directory"):
        read_file(path)


def test_paths_are_shown_as_people_write_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the working folder a path is relative, elsewhere it is whole."""
    monkeypatch.chdir(tmp_path)
    assert module.shown(tmp_path / "a" / "b") == "a/b"
    assert module.shown(Path("/etc/x")) == "/etc/x"
