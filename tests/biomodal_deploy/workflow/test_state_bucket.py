"""Which bucket is meant: from the deployments' backends, or from what a person says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.settings import CONTEXT_VARIABLE
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import last_stack, last_stacks
from biomodal_deploy.workflow.state_bucket import (
    BucketOptions,
    Wanted,
    own_stack,
    policy_of,
    wanted_bucket,
)

S3: Final = {"kind": "s3", "bucket": "lab-state", "region": "eu-west-2"}
OTHER: Final = {**S3, "bucket": "other-state", "key": "o"}


def location(folder: Path, **deployments: Any) -> Location:
    """Return a project with these deployments."""
    context = {"deployments": deployments}
    (folder / "cdktf.json").write_text(json.dumps({"app": "x", "context": context}))
    return Location.of(folder, {})


def wanted(folder: Path, deployments: dict[str, Any], **options: Any) -> Wanted:
    """Return the bucket that is meant."""
    return wanted_bucket(location(folder, **deployments), BucketOptions(**options))


def test_all_that_name_it(tmp_path: Path) -> None:
    """Without a name it is the bucket of all, with every state that lies in it."""
    found = wanted(tmp_path, {"a": {"backend": S3}, "b": {"backend": S3}, "c": {}})
    assert (found.bucket, found.region, found.kms_key_id) == ("lab-state", "eu-west-2", None)
    assert found.keys == {"a": "a/terraform.tfstate", "b": "b/terraform.tfstate"}


def test_one_of_several(tmp_path: Path) -> None:
    """A deployment or a bucket that is named decides; where neither is, nothing is guessed."""
    both = {"a": {"backend": S3}, "b": {"backend": OTHER}}
    assert wanted(tmp_path, both, stack="b").keys == {"b": "o"}
    assert wanted(tmp_path, both, bucket="lab-state").keys == {"a": "a/terraform.tfstate"}
    with pytest.raises(UsageError, match=r"several: lab-state, other-state\. Fix: name one"):
        wanted(tmp_path, both)


def test_before_the_settings_name_it(tmp_path: Path) -> None:
    """The bucket may come first: its users are the deployments as they are."""
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
    ("deployments", "options", "part"),
    [
        ({"a": {}}, {}, "No deployment keeps its state in a bucket"),
        ({"a": {}}, {"stack": "a"}, "backend of a: Its state is not in a bucket"),
        ({"a": {"backend": S3}}, {"stack": "b"}, "There is no such deployment"),
        ({"a": {}}, {"bucket": "lab-state"}, "--region: The bucket's region is missing"),
        ({"a": {"backend": S3}}, {"region": "us-east-1"}, "a looks for the bucket in eu-west-2"),
        ({"a": {}}, {"bucket": "Lab", "region": "eu-west-2"}, '--bucket = "Lab": A bucket'),
        ({"a": {"backend": S3}}, {"kms_key_id": "x"}, '--kms-key-id = "x": A KMS key'),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, deployments: Any, options: dict[str, str], part: str
) -> None:
    """One line, with what to do."""
    with pytest.raises(UsageError) as refused:
        wanted(tmp_path, deployments, **options)
    assert part in str(refused.value)
    assert " Fix: " in str(refused.value)


def test_its_own_stack(tmp_path: Path) -> None:
    """It is synthesized alone, in the account of those who use it, with a local state."""
    project = location(
        tmp_path, a={"backend": S3, "account": "123456789012", "region": "us-east-1"}
    )
    options = BucketOptions(keep_days=7, tags={"team": "lab"})
    own = own_stack(project, wanted_bucket(project, options), options)
    assert own.name == "state-bucket-lab-state"
    assert own.settings.bounds.account_ids == ("123456789012",)
    assert own.settings.bounds.regions == ("eu-west-2",)
    # What the app is told is what the workflow knows.
    told = Location.of(tmp_path, {CONTEXT_VARIABLE: own.location.environment[CONTEXT_VARIABLE]})
    assert told.deployments == {own.name: own.settings}
    made = own.settings.state_bucket
    assert made
    assert (made.bucket, made.keep_days, made.tags) == ("lab-state", 7, {"team": "lab"})


def test_a_deployment_that_makes_it(tmp_path: Path) -> None:
    """Where cdktf.json has one, that is the stack, with what is written there."""
    state = {
        "bootstrap": "state-bucket",
        "region": "eu-west-2",
        "state_bucket": {"bucket": "lab-state", "keep_days": 30},
    }
    project = location(tmp_path, a={"backend": S3}, state=state)
    found = wanted_bucket(project, BucketOptions())
    own = own_stack(project, found, BucketOptions())
    assert own.name == "state"
    assert own.settings == project.deployments["state"]
    assert list(found.keys) == ["a"]


def test_it_is_found_by_its_name_only(tmp_path: Path) -> None:
    """`apply --stack` finds it; no set of deployments has it among them."""
    project = location(tmp_path, a={"backend": S3})
    for name in ("a", "state-bucket-lab-state", "gone"):
        folder = tmp_path / "cdktf.out" / "stacks" / name
        folder.mkdir(parents=True)
        (folder / "cdk.tf.json").write_text("{}")
    assert [each.name for each in last_stacks(project)] == ["a"]
    assert last_stack(project, None).name == "a"
    assert last_stack(project, "state-bucket-lab-state").directory.name == "state-bucket-lab-state"
    for name in ("gone", "state-bucket-other"):
        with pytest.raises(UsageError, match="no such deployment"):
            last_stack(project, name)


def test_a_policy_without_aws(tmp_path: Path) -> None:
    """With no KMS key, or with its ARN, nobody has to be asked."""
    project = location(tmp_path, a={"backend": S3}, b={"backend": S3})
    found = wanted_bucket(project, BucketOptions())
    text = json.dumps(policy_of(project, found))
    assert "arn:aws:s3:::lab-state/b/terraform.tfstate.tflock" in text
    assert "000000000000" not in text
    arn = "arn:aws:kms:eu-west-2:123456789012:alias/state"
    found = wanted_bucket(project, BucketOptions(kms_key_id=arn))
    assert "arn:aws:kms:eu-west-2:123456789012:key/*" in json.dumps(policy_of(project, found))
