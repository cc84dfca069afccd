"""Tests of `biomodal_deploy.iam.language`: policies from a stranger's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.iam.language import LARGEST, read_policies

POLICY = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}


@pytest.mark.parametrize(
    ("document", "count"), [(POLICY, 1), ([POLICY, POLICY], 2), ({"a": POLICY, "b": POLICY}, 2)]
)
def test_one_a_list_or_a_table(tmp_path: Path, document: object, count: int) -> None:
    """As AWS shows one, and as `policy deployer` prints several."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document))
    assert len(read_policies(path)) == count


@pytest.mark.parametrize(
    "document",
    [
        {"PolicyVersion": {"Document": POLICY, "VersionId": "v1"}},
        {"RoleName": "r", "PolicyName": "p", "PolicyDocument": POLICY},
    ],
)
def test_what_the_aws_command_prints(tmp_path: Path, document: object) -> None:
    """The answers of get-policy-version and get-role-policy need no cutting."""
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document))
    [policy] = read_policies(path)
    assert policy.statements[0].actions == ("s3:*",)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (b"{", "not an IAM identity policy"),
        (b"", "not an IAM identity policy"),
        (b"\xff\xfe\x00", "not an IAM identity policy"),
        (b"[" * 100_000, "not an IAM identity policy"),
        (b'{"Statement": "x"}', r"Statement\.0"),
        (b"[]", "no policy in it"),
        (b'{"Version": "2012-10-18", "Statement": {}}', "Version"),
        (b" " * (LARGEST + 1), "longer than"),
    ],
)
def test_what_is_no_policy(tmp_path: Path, text: bytes, rule: str) -> None:
    """One line with the file, whatever is in it."""
    path = tmp_path / "policy.json"
    path.write_bytes(text)
    with pytest.raises(UsageError, match=rule):
        read_policies(path)


def test_a_file_that_never_ends() -> None:
    """It is not read at all: a device is no policy."""
    with pytest.raises(UsageError, match="not a regular file"):
        read_policies(Path("/dev/zero"))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """A folder, and nothing at all."""
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_policies(path)
