"""Settings of a backend: each kind as written, each mistake in one line, no credential repeated."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.config.backends import (
    STACK_PREFIX,
    CloudBackend,
    LocalBackend,
    PartialBackend,
    S3Backend,
    kms_key_problem,
    locks_in_s3,
    new_bucket_name_problem,
    stack_of,
)
from biomodal_deploy.config.settings import ProjectFile, StackSettings, read_stacks
from biomodal_deploy.errors import UsageError

S3 = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}
CLOUD = {"kind": "cloud", "organization": "lab"}


def read(**backends: object) -> dict[str, StackSettings]:
    """Read stacks with these backends, as they would stand in `cdktf.json`."""
    stacks: Any = {name: {"backend": backend} for name, backend in backends.items()}
    file = ProjectFile.model_construct(app="x", context={"stacks": stacks})
    return read_stacks(file, {})


def refusal(**backends: object) -> str:
    """Return the line that refuses them."""
    with pytest.raises(UsageError) as refused:
        read(**backends)
    return str(refused.value)


def test_local_is_what_it_was() -> None:
    """Nothing set, one word, and all of it say the same."""
    default = StackSettings().backend
    assert default == LocalBackend()
    assert read(x="local")["x"].backend == read(x={"kind": "local"})["x"].backend == default


def test_s3() -> None:
    """The key follows from the stack's name, so that no two share one by accident."""
    found = read(x=S3, y={**S3, "key": "a/y.tfstate", "profile": "lab"})
    backend, other = found["x"].backend, found["y"].backend
    assert isinstance(backend, S3Backend)
    assert isinstance(other, S3Backend)
    assert (backend.key_of("x"), other.key_of("y")) == ("x/terraform.tfstate", "a/y.tfstate")
    assert locks_in_s3(backend)


def test_cloud() -> None:
    """The workspace has the stack's name where none is given."""
    backend = read(x=CLOUD)["x"].backend
    assert isinstance(backend, CloudBackend)
    assert backend.workspace_of("x") == "x"
    assert not locks_in_s3(backend)


def test_partial() -> None:
    """Files in their order, of a backend in S3 where no other is named."""
    backend = read(x={"kind": "partial", "config_files": ["a.hcl", "b.hcl"]})["x"].backend
    assert isinstance(backend, PartialBackend)
    assert (backend.type, backend.config_files) == ("s3", ("a.hcl", "b.hcl"))
    assert locks_in_s3(backend)
    http = read(x={"kind": "partial", "type": "http", "config_files": ["a.hcl"]})["x"].backend
    assert not locks_in_s3(http)


@pytest.mark.parametrize(
    ("backend", "parts"),
    [
        ("loca", ['backend.kind = "loca":', 'did you mean "local"?']),
        ("s3", ["backend.bucket: missing"]),
        (5, ["x.backend = 5:", "object"]),
        ({"bucket": "lab-state"}, ["x.backend: Its kind is missing", 'add "kind"']),
        ({**S3, "bukcet": "x"}, ["x.backend.bukcet:", 'did you mean "bucket"?']),
        ({**S3, "use_lockfile": False}, ["backend.use_lockfile: unknown setting"]),
        ({**S3, "bucket": "Lab"}, ['backend.bucket = "Lab":', "lower-case"]),
        ({**S3, "bucket": "s3://lab-state"}, ["backend.bucket", "lower-case"]),
        ({**S3, "region": "London"}, ["backend.region", "or eu-west-2"]),
        ({**S3, "key": "/a"}, ["backend.key", "without a slash at either end"]),
        ({**S3, "assume_role": {"role_arn": "admin"}}, ["assume_role.role_arn", "its ARN"]),
        ({**S3, "assume_role": {"arn": "x"}}, ["assume_role.arn:", "role_arn"]),
        ({**CLOUD, "hostname": "https://x"}, ["backend.hostname", "without https://"]),
        ({"kind": "partial", "config_files": []}, ["config_files = []", "at least 1"]),
        ({"kind": "partial", "config_files": ["../a"]}, ["lies in the project's folder"]),
        ({"kind": "partial", "config_files": ["/a"]}, ["lies in the project's folder"]),
    ],
)
def test_mistakes(backend: object, parts: list[str]) -> None:
    """Field as it stands in the file, value, rule and remedy."""
    first = refusal(x=backend).split("\n")[0]
    for part in parts:
        assert part in first


@pytest.mark.parametrize(
    "backend",
    [
        {**S3, "access_key": "canary"},
        {**S3, "secret_key": "canary"},
        {**CLOUD, "token": "canary"},
        {"secret-key": "canary"},
        {**S3, "assume_role": {"role_arn": "x", "token": "canary"}},
    ],
)
def test_credentials_are_refused(backend: object) -> None:
    """Before anything else is said, without the value, and with the place where they belong."""
    line = refusal(x=backend)
    assert "canary" not in line
    assert "AWS_PROFILE" in line


@pytest.mark.parametrize(
    "backends",
    [
        {"a": {**S3, "key": "k"}, "b": {**S3, "key": "k"}},
        {"a": CLOUD, "b": {**CLOUD, "workspace": "a"}},
        {
            "a": {"kind": "partial", "config_files": ["x"]},
            "b": {"kind": "partial", "config_files": ["x"]},
        },
    ],
)
def test_no_two_share_a_state(backends: dict[str, object]) -> None:
    """Each would plan to delete what the other has made."""
    line = refusal(**backends)
    assert "stacks.b.backend: also the state of a" in line
    assert "of its own" in line


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
    found = new_bucket_name_problem(name)
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
