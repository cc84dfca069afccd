"""What a team shares, on screen and to paste: policies as IAM takes them."""

from __future__ import annotations

import json

from pydantic import JsonValue

from biomodal_deploy.cli.render.team import PolicyFormat, combined, rendered
from biomodal_deploy.iam import Place


def policy(sid: str, action: str) -> dict[str, JsonValue]:
    """Return a policy of one statement."""
    statement: JsonValue = {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_several_policies_are_printed_as_one_document() -> None:
    """IAM takes no object of policies: one version, all statements, and no Sid twice."""
    named = {"lab-1": policy("Read", "s3:GetObject"), "lab-2": policy("Read", "ec2:RunInstances")}
    place = Place(partition="aws", account="111122223333", region="us-east-1")
    document = json.loads(rendered(named, place, PolicyFormat.JSON))
    assert set(document) == {"Version", "Statement"}
    assert [each["Sid"] for each in document["Statement"]] == ["Read", "Read2"]
    actions = [each["Action"] for each in document["Statement"]]
    assert actions == ["s3:GetObject", "ec2:RunInstances"]


def test_one_policy_stays_as_it_is() -> None:
    """Nothing is added to a document that is whole."""
    one = policy("Read", "s3:GetObject")
    assert combined([one]) == one
