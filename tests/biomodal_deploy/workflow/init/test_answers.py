"""A backend from words of the command line."""

from __future__ import annotations

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init.answers import backend_from

BUCKET = ("bucket=states", "region=eu-west-2")
ROLE = "arn:aws:iam::123456789012:role/state"


def test_every_kind_can_be_said() -> None:
    """Objects by a dot, lists by saying it again, and the local one in a word."""
    assert backend_from(None, ()) is None
    assert backend_from("local", ()) == "local"
    assert backend_from("s3", (*BUCKET, f"assume_role.role_arn={ROLE}")) == {
        "kind": "s3",
        "bucket": "states",
        "region": "eu-west-2",
        "assume_role": {"role_arn": ROLE},
    }
    assert backend_from("cloud", ("organization=lab",)) == {"kind": "cloud", "organization": "lab"}
    files = ("config_files=a.hcl", "config_files=b.hcl")
    assert backend_from("partial", files) == {"kind": "partial", "config_files": ["a.hcl", "b.hcl"]}


@pytest.mark.parametrize(
    ("kind", "config", "line"),
    [
        (None, BUCKET, "--backend-config: requires --backend"),
        ("s3", ("bucket",), '--backend-config = "bucket": A backend\'s setting is KEY=VALUE'),
        ("s3", BUCKET[:1], "--backend-config region: missing"),
        ("s3", ("bucket=B", BUCKET[1]), '--backend-config bucket = "B": A bucket\'s name has'),
        ("s3", (*BUCKET, "keys=x"), '--backend-config keys: unknown setting. Fix: did'),
        ("local", ("path=x",), "--backend-config path: unknown setting"),
        ("s3", (*BUCKET, "profile=x", "profile.y=z"), "profile is a text already"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_the_option(kind: str | None, config: list[str], line: str) -> None:
    """The rule is that of the setting in cdktf.json."""
    with pytest.raises(UsageError) as refused:
        backend_from(kind, config)
    assert line in str(refused.value)


def test_a_credential_is_refused_and_not_repeated() -> None:
    """It would stand in the synthesized JSON and in every plan."""
    with pytest.raises(UsageError) as refused:
        backend_from("s3", (*BUCKET, "secret_key=hush"))
    assert "credential" in str(refused.value)
    assert "hush" not in str(refused.value)
