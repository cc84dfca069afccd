"""Which bucket is meant: from the stacks' backends, or from what a person says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.aws.state_writes import StateWrite
from biomodal_deploy.errors import UsageError
from tests.support.buckets import OTHER, S3, wanted


def test_all_that_name_it(tmp_path: Path) -> None:
    """Without a name it is the bucket of all, with every state that lies in it."""
    found = wanted(tmp_path, {"a": {"backend": S3}, "b": {"backend": S3}, "c": {}})
    assert (found.bucket, found.region, found.kms_key_id) == ("lab-state", "eu-west-2", None)
    assert found.keys == {"a": "a/terraform.tfstate", "b": "b/terraform.tfstate"}


def test_one_of_several(tmp_path: Path) -> None:
    """A stack or a bucket that is named decides; where neither is, nothing is guessed."""
    both = {"a": {"backend": S3}, "b": {"backend": OTHER}}
    assert wanted(tmp_path, both, stack="b").keys == {"b": "o"}
    assert wanted(tmp_path, both, bucket="lab-state").keys == {"a": "a/terraform.tfstate"}
    with pytest.raises(UsageError, match=r"several: lab-state, other-state\. Fix: name one"):
        wanted(tmp_path, both)


def test_before_the_settings_name_it(tmp_path: Path) -> None:
    """The bucket may come first: its users are the stacks as they are."""
    found = wanted(tmp_path, {"a": {}}, bucket="lab-state", region="eu-west-2")
    assert found.keys == {"a": "a/terraform.tfstate"}
    found = wanted(tmp_path, {"a": {}}, bucket="lab-state", region="eu-west-2", key="k")
    assert found.keys == {"a": "k"}


def test_names_in_files(tmp_path: Path) -> None:
    """A partial configuration is read as Terraform reads it, later files winning."""
    (tmp_path / "a.hcl").write_text('bucket = "lab-state"\nregion = "us-east-1"\nkey = "k"\n')
    (tmp_path / "b.hcl").write_text('region = "eu-west-2"\n')
    backend = {"kind": "partial", "config_files": ["a.hcl", "b.hcl"]}
    found = wanted(tmp_path, {"a": {"backend": backend}})
    assert (found.bucket, found.region, dict(found.keys)) == ("lab-state", "eu-west-2", {"a": "k"})


@pytest.mark.parametrize(
    ("stacks", "options", "part"),
    [
        ({"a": {}}, {}, "No stack keeps its state in a bucket"),
        ({"a": {}}, {"stack": "a"}, "backend of a: Its state is not in a bucket"),
        ({"a": {"backend": S3}}, {"stack": "b"}, "no such stack"),
        ({"a": {}}, {"bucket": "lab-state"}, "--region: The bucket's region is missing"),
        ({"a": {"backend": S3}}, {"region": "us-east-1"}, "a looks for the bucket in eu-west-2"),
        ({"a": {}}, {"bucket": "Lab", "region": "eu-west-2"}, '--bucket = "Lab": A bucket'),
        ({"a": {"backend": S3}}, {"kms_key_id": "x"}, '--kms-key-id = "x": A KMS key'),
    ],
)
def test_what_does_not_fit(tmp_path: Path, stacks: Any, options: dict[str, str], part: str) -> None:
    """One line, with what to do."""
    with pytest.raises(UsageError) as refused:
        wanted(tmp_path, stacks, **options)
    assert part in str(refused.value)
    assert " Fix: " in str(refused.value)


def test_how_states_are_written(tmp_path: Path) -> None:
    """A key of the backend's, AES256 of a file's bare `encrypt`, else the bucket's default."""
    stacks: dict[str, Any] = {
        "a": {"backend": S3},
        "b": {"backend": {**S3, "kms_key_id": "alias/state"}},
        "c": {"backend": {"kind": "partial", "config_files": ["c.hcl"]}},
    }
    (tmp_path / "c.hcl").write_text(
        'bucket = "lab-state"\nregion = "eu-west-2"\nkey = "c"\nencrypt = true\n'
    )
    found = wanted(tmp_path, stacks)
    plain, with_key = StateWrite(), StateWrite(kms_key_id="alias/state")
    assert found.writes == (plain, with_key, StateWrite(aes256=True))
    assert wanted(tmp_path, stacks, kms_key_id="alias/state").writes == (with_key,)
    assert wanted(tmp_path, {"a": {}}, bucket="lab-state", region="eu-west-2").writes == (plain,)
