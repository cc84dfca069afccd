"""A bucket for states: names that AWS would refuse are refused here, and no two share a stack."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.config.settings import ProjectFile, read_stacks
from biomodal_deploy.config.state_bucket import (
    STACK_PREFIX,
    kms_key_problem,
    name_problem,
    stack_of,
)
from biomodal_deploy.errors import UsageError

KEY: Final = "57ff7a43-341d-46b6-aee3-a450c9de6dc8"


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("lab-terraform-state", None),
        ("a1b", None),
        ("x" * 63, None),
        ("ab", "3 to 63"),
        ("x" * 64, "3 to 63"),
        ("Lab", "lower-case"),
        ("lab_state", "lower-case"),
        ("-lab", "both ends"),
        ("lab-", "both ends"),
        ("lab\n", "lower-case"),
        ("192.168.0.1", "an IP address"),
        ("lab.state", "has a dot"),
        ("xn--lab", "reserves"),
        ("sthree-lab", "reserves"),
        ("amzn-s3-demo-lab", "reserves"),
        ("lab-s3alias", "reserves"),
        ("lab--ol-s3", "reserves"),
        ("lab--x-s3", "reserves"),
    ],
)
def test_names(name: str, rule: str | None) -> None:
    """Amazon S3's own rules, and no name that TLS cannot be verified for."""
    found = name_problem(name)
    assert found is None if rule is None else rule in (found or "")


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        (KEY, True),
        (f"arn:aws:kms:eu-west-2:123456789012:key/{KEY}", True),
        (f"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-{'0' * 32}", True),
        ("alias/lab/state", True),
        ("arn:aws:kms:eu-west-2:123456789012:alias/state", True),
        ("state", False),
        ("alias/", False),
        (f"{KEY}\n", False),
        (f"arn:aws:iam::123456789012:key/{KEY}", False),
    ],
)
def test_kms_keys(key: str, fits: bool) -> None:
    """An id, an ARN or an alias, in every partition."""
    assert (kms_key_problem(key) is None) is fits


def test_each_bucket_has_a_stack_of_its_own() -> None:
    """Short names as they are; long and dotted ones are told apart all the same."""
    assert stack_of("lab-state") == "state-bucket-lab-state"
    names = ["lab-state", "lab.state", "lab--state", "x" * 62 + "a", "x" * 62 + "b", "1-2"]
    stacks = [stack_of(name) for name in names]
    assert len(set(stacks)) == len(names)
    for stack in stacks:
        assert stack.startswith(STACK_PREFIX)
        found = read_stacks(ProjectFile(app="x", context={"stacks": {stack: {}}}), {})
        assert list(found) == [stack]


BUCKET: Final[dict[str, Any]] = {
    "bootstrap": "state-bucket",
    "region": "eu-west-2",
    "state_bucket": {"bucket": "lab-state"},
}


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({}, None),
        ({"state_bucket": None}, "A state-bucket stack, and no other, has a state_bucket"),
        ({"bootstrap": "native"}, "A state-bucket stack, and no other"),
        ({"region": None}, "has one region"),
        ({"profile": "hardened"}, "no hardened profile"),
        ({"state_bucket": {"bucket": "Lab"}}, 'state_bucket.bucket = "Lab": A bucket'),
        ({"state_bucket": {"bucket": "lab", "keep": 1}}, 'did you mean "keep_days"?'),
        ({"state_bucket": {"bucket": "lab", "keep_days": 0}}, "keep_days = 0"),
        ({"state_bucket": {"bucket": "lab", "kms_key_id": "x"}}, "A KMS key is written as its id"),
        ({"state_bucket": {"bucket": "lab", "tags": {"": "x"}}}, "state_bucket.tags"),
        (
            {"backend": {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}},
            "Its own state cannot be in the bucket that it makes",
        ),
    ],
)
def test_as_a_stack(change: dict[str, Any], part: str | None) -> None:
    """It stands in cdktf.json like any other, and what does not fit is one line."""
    file = ProjectFile.model_construct(app="x", context={"stacks": {"state": {**BUCKET, **change}}})
    if part is None:
        made = read_stacks(file, {})["state"].state_bucket
        assert made
        assert (made.keep_days, made.kms_key_id, made.tags) == (90, None, {})
        return
    with pytest.raises(UsageError) as refused:
        read_stacks(file, {})
    assert part in str(refused.value)
    assert "\n" not in str(refused.value)
