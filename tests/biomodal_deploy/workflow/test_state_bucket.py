"""The stack that makes a bucket for states, how it is found, and the policy for its users."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.config.settings import CONTEXT_VARIABLE
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import last_stack, last_stacks
from biomodal_deploy.workflow.state_bucket import left_to_move, own_stack, policy_of
from biomodal_deploy.workflow.wanted_bucket import BucketOptions, wanted_bucket
from tests.support.buckets import S3, location


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
    assert told.stacks == {own.name: own.settings}
    made = own.settings.state_bucket
    assert made
    assert (made.bucket, made.keep_days, made.tags) == ("lab-state", 7, {"team": "lab"})


def test_a_stack_that_makes_it(tmp_path: Path) -> None:
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
    assert own.settings == project.stacks["state"]
    assert list(found.keys) == ["a"]


def test_it_is_found_by_its_name_only(tmp_path: Path) -> None:
    """`apply --stack` finds it; no set of stacks has it among them."""
    project = location(tmp_path, a={"backend": S3})
    for name in ("a", "state-bucket-lab-state", "gone"):
        folder = tmp_path / "cdktf.out" / "stacks" / name
        folder.mkdir(parents=True)
        (folder / "cdk.tf.json").write_text("{}")
    assert [each.name for each in last_stacks(project)] == ["a"]
    assert last_stack(project, None).name == "a"
    assert last_stack(project, "state-bucket-lab-state").directory.name == "state-bucket-lab-state"
    for name in ("gone", "state-bucket-other"):
        with pytest.raises(UsageError, match="no such stack"):
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


def test_what_is_left_to_move(tmp_path: Path) -> None:
    """Stacks of the bucket whose local state still holds something, or cannot be read."""
    project = location(tmp_path, a={"backend": S3}, b={"backend": S3}, c={})
    found = wanted_bucket(project, BucketOptions())
    assert left_to_move(project, found) == ()
    (tmp_path / "state").mkdir()
    state = {"lineage": "x", "serial": 1, "resources": [{}]}
    for name in ("a", "c"):
        (tmp_path / "state" / f"{name}.tfstate").write_text(json.dumps(state))
    assert left_to_move(project, found) == ("a",)
