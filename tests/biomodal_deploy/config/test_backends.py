"""Settings of a backend: each kind as written, each mistake in one line, no credential repeated."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.config.backends import (
    CloudBackend,
    LocalBackend,
    PartialBackend,
    S3Backend,
    locks_in_s3,
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
