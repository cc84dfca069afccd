"""From a refusal to the missing statement."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.review.diagnosis.statements import Denial, Origin, denial_in, missing_for
from tests.support.project import ROOT

VOLUME = "arn:aws:ec2:eu-west-2:111122223333:volume/*"
USER = "arn:aws:iam::111122223333:user/ada"
SNAPSHOT = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_native_stack.json"


@pytest.mark.parametrize(
    ("text", "denial"),
    [
        (
            f"User: {USER} is not authorized to perform: ec2:RunInstances on resource: {VOLUME} as",
            Denial("ec2:RunInstances", VOLUME, USER),
        ),
        (
            'perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::lab" because',
            Denial("s3:PutBucketPolicy", "arn:aws:s3:::lab"),
        ),
        ("operation error S3: HeadBucket, StatusCode: 403", Denial("s3:ListBucket")),
        ("operation error CloudWatch Logs: CreateLogGroup, x", Denial("logs:CreateLogGroup")),
        ("(AccessDenied) when calling the PutObject operation", Denial("s3:PutObject")),
        ("(403) when calling the HeadObject operation: Forbidden", Denial("s3:GetObject")),
        (
            "reading S3 Bucket (lab): operation error S3: HeadBucket, StatusCode: 403",
            Denial("s3:ListBucket", "arn:aws:s3:::lab"),
        ),
        (
            "upload failed: x to s3://lab/y (AccessDenied) when calling the PutObject operation",
            Denial("s3:PutObject", "arn:aws:s3:::lab/*"),
        ),
        (
            "s3://public/x to s3://lab/y (AccessDenied) when calling the PutObject operation",
            Denial("s3:PutObject", "arn:aws:s3:::lab/*"),
        ),
        ("Access Denied", None),
    ],
)
def test_what_was_refused(text: str, denial: Denial | None) -> None:
    """Action, resource and caller, from AWS's words or from the operation."""
    assert denial_in(text) == denial


def stack(folder: Path) -> StackPermissions:
    """Return the permissions of the native stack."""
    (folder / "cdk.tf.json").write_bytes(SNAPSHOT.read_bytes())
    values = {"region": "eu-west-2", "vm_name": "lab", "vpc_id": "vpc-1", "subnet_id": "subnet-1"}
    return StackPermissions(folder, values, "111122223333")


def test_the_stacks_own_statement(tmp_path: Path) -> None:
    """Where the stack needs the action, the compiled policy's statement with its conditions."""
    role = "arn:aws:iam::111122223333:role/lab"
    missing = missing_for(Denial("iam:PassRole", role), stack(tmp_path))
    assert missing.origin is Origin.STACK_S_OWN
    resources = str([each["Resource"] for each in missing.statements])
    assert "arn:aws:iam::111122223333:role/lab" in resources
    assert all(each["Action"] == "iam:PassRole" for each in missing.statements)
    assert any("Condition" in each for each in missing.statements)


def test_only_what_covers_the_resource(tmp_path: Path) -> None:
    """Of an action on many resources, the statement for the one that AWS names."""
    missing = missing_for(Denial("ec2:RunInstances", VOLUME), stack(tmp_path))
    assert {str(each["Resource"]) for each in missing.statements} == {VOLUME}
    everything = missing_for(Denial("ec2:RunInstances"), stack(tmp_path))
    assert len(everything.statements) > len(missing.statements)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        # What the stack needs elsewhere would not help.
        ("iam:PassRole", "arn:aws:iam::111122223333:role/somebody-elses"),
        ("sqs:SendMessage", "arn:aws:sqs:x"),
    ],
)
def test_what_the_stack_does_not_need(tmp_path: Path, action: str, resource: str) -> None:
    """Then the statement says what the error said, and no more."""
    missing = missing_for(Denial(action, resource), stack(tmp_path))
    assert missing.origin is Origin.NOT_NEEDED
    assert missing.statements == ({"Effect": "Allow", "Action": action, "Resource": resource},)
