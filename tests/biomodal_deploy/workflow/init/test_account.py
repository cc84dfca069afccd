"""Lists from an account: what they show, and what becomes of them where AWS does not answer."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from biomodal_deploy.workflow.init.account import Account
from tests.support.answering import Answering
from tests.support.recorded_aws import ACCOUNT, REGION, SUBNET, VPC, RecordedAws, Refusal, subnet


@pytest.fixture
def asker() -> Answering:
    """Who hears what the lists have to say."""
    return Answering()


@pytest.fixture
def recorded() -> RecordedAws:
    """An account with a key pair that EC2 can show, and one that it cannot."""
    aws = RecordedAws()
    keys = [{"KeyName": "old"}, {"KeyName": "ada", "PublicKey": "ssh-ed25519 AAAA ada\n"}]
    aws.answers["ec2.DescribeKeyPairs"] = {"KeyPairs": keys}
    return aws


@pytest.fixture(autouse=True)
def reached(monkeypatch: pytest.MonkeyPatch, recorded: RecordedAws) -> None:
    """It answers to whoever opens a session."""
    monkeypatch.setattr(Account, "_session", lambda *_: recorded.session())


def lists_of(asker: Answering) -> Account:
    """Return its lists."""
    account = Account(asker)
    account.use(REGION, None)
    return account


def test_each_list_tells_its_lines_apart(recorded: RecordedAws, asker: Answering) -> None:
    """Names and sizes stand beside ids; the region's default VPC comes last and says so."""
    named: dict[str, Any] = {"Tags": [{"Key": "Name", "Value": "lab\x1b[2J"}]}
    default = {"VpcId": "vpc-1", "CidrBlock": "172.31.0.0/16", "IsDefault": True}
    own = {"VpcId": VPC, "CidrBlock": "10.0.0.0/16", **named}
    recorded.answers["ec2.DescribeVpcs"] = {"Vpcs": [default, own]}
    recorded.answers["ec2.DescribeSubnets"] = subnet(CidrBlock="10.0.0.0/20", **named)
    lists = lists_of(asker)
    assert [(each.value, each.details) for each in lists.vpcs()] == [
        (VPC, ("10.0.0.0/16", "lab [2J")),
        ("vpc-1", ("172.31.0.0/16", "default")),
    ]
    (found,) = lists.subnets(VPC)
    assert (found.value, found.details) == (
        SUBNET,
        (f"{REGION}a", "10.0.0.0/20", "4000 free", "lab [2J"),
    )
    assert lists.public_keys() == {"ada": "ssh-ed25519 AAAA ada"}
    offers = [{"InstanceType": f"m6i.{size}"} for size in ("12xlarge", "2xlarge", "large")]
    recorded.answers["ec2.DescribeInstanceTypeOfferings"] = {"InstanceTypeOfferings": offers}
    types = [each.value for each in lists.instance_types(SUBNET)]
    assert types == ["m6i.2xlarge", "m6i.12xlarge", "m6i.large"]
    assert lists.caller == ACCOUNT
    assert asker.warnings == []


def test_one_list_that_is_denied_leaves_the_others(recorded: RecordedAws, asker: Answering) -> None:
    """The line names the missing permission; the next list is asked for all the same."""
    recorded.answers["ec2.DescribeVpcs"] = Refusal("UnauthorizedOperation", "no", 403)
    lists = lists_of(asker)
    assert lists.vpcs() == ()
    assert asker.warnings == [
        "No list of VPCs: the caller may not ec2:DescribeVpcs. Please type the answer"
    ]
    assert len(lists.subnets(VPC)) == 1


def test_an_account_out_of_reach_is_asked_once(recorded: RecordedAws, asker: Answering) -> None:
    """One line, and no more waiting for the lists that would follow."""
    for name in recorded.answers:
        recorded.answers[name] = EndpointConnectionError(endpoint_url="https://nowhere")
    lists = lists_of(asker)
    assert (lists.caller, lists.vpcs(), lists.public_keys()) == (None, (), {})
    (line,) = asker.warnings
    assert line.startswith("Nothing to pick from: AWS cannot be reached")
    assert len(recorded.calls) <= 3


def test_another_accounts_lists_are_not_shown(recorded: RecordedAws, asker: Answering) -> None:
    """Ids of the wrong account would be picked from them."""
    lists = lists_of(asker)
    lists.keep_to("210987654321")
    assert lists.vpcs() == ()
    assert asker.warnings[0].startswith(
        f"The credentials are those of account {ACCOUNT}, not of 2109"
    )
    same = lists_of(asker)
    same.keep_to(ACCOUNT)
    assert len(same.vpcs()) == 1


def test_a_broken_profile_is_a_line(monkeypatch: pytest.MonkeyPatch, asker: Answering) -> None:
    """AWS_PROFILE may name what is not there; the answers can be typed."""
    monkeypatch.undo()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_REGION", "eu-west-2")
    aws = lists_of(asker)
    assert (aws.region, list(aws.regions()), aws.vpcs()) == ("eu-west-2", [], ())
    assert all("(nobody)" in line and "Please type" in line for line in asker.warnings)
