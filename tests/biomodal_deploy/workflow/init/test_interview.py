"""What is asked, in which order, what is not, and what is missing where nobody is asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from boto3.session import Session
from pydantic import JsonValue

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init import Asker
from biomodal_deploy.workflow.init.account import Account
from biomodal_deploy.workflow.init.answers import Answers, Given
from biomodal_deploy.workflow.init.interview import gather
from tests.support.answering import Answering
from tests.support.recorded_aws import ACCOUNT, REGION, SUBNET, VPC, RecordedAws

PLACE = {"region": REGION, "vpc_id": VPC, "subnet_id": SUBNET}
OPTIONS = {name: f"--{name.replace('_', '-')}" for name in (*PLACE, "vm_name")}
KEY = "ssh-ed25519 AAAA ada"


class Recorded(Account):
    """AWS with recorded answers."""

    region = REGION

    def __init__(self, asker: Asker) -> None:
        super().__init__(asker)
        self.recorded = RecordedAws()
        offers = [{"InstanceType": each} for each in ("m6i.large", "t3.large", "t4g.large")]
        odd = {"KeyName": "odd", "PublicKey": "ecdsa-sha2-nistp256 AAAA odd"}
        self.recorded.answers |= {
            "ec2.DescribeInstanceTypeOfferings": {"InstanceTypeOfferings": offers},
            "ec2.DescribeKeyPairs": {"KeyPairs": [{"KeyName": "ada", "PublicKey": KEY}, odd]},
        }

    def regions(self) -> list[str]:
        """Return two regions."""
        return ["eu-west-1", REGION]

    def _session(self, region: str | None) -> Session | None:
        return self.recorded.session(region or REGION)


def given(
    name: str | None = "dev", variables: Mapping[str, str] | None = None, **settings: str
) -> Given:
    """Return what the command line gave."""
    return Given(name=name, settings=settings, variables=variables or {}, options=OPTIONS)


def gathered(what: Given, asker: Answering | None = None, base: Answers | None = None) -> Answers:
    """Return what a stack needs."""
    base = base or Answers()
    return gather(what, base, taken={"prod": {}}, asker=asker, open_account=Recorded)


def refusal(what: Given, base: Answers | None = None) -> str:
    """Return the line that refuses it where nobody is asked."""
    with pytest.raises(UsageError) as refused:
        gathered(what, base=base)
    return str(refused.value)


NOBODY = (
    "NAME, --region, --vpc-id, --subnet-id: missing, and nobody can be asked here. "
    "Fix: give each of them."
)


@pytest.mark.parametrize(
    ("what", "line"),
    [
        (given(None), NOBODY),
        (given("dev", {"region": REGION}), "--vpc-id, --subnet-id: missing"),
        (given(None, bootstrap="prerequisites"), "NAME, --region: missing"),
        (given("d2", PLACE), "--vm-name: missing"),  # the name fits the stack and not the VM
        # A stack that is there is never written over.
        (given("prod", PLACE), 'NAME = "prod": cdktf.json has a stack of that name.'),
        (
            given("Dev", PLACE),
            'NAME = "Dev": A stack\'s name has lower-case letters, digits and single hyphens',
        ),
        (given("dev", PLACE, account="12"), '--account = "12": An AWS account id has 12 digits'),
    ],
)
def test_what_is_missing_or_wrong_is_one_line(what: Given, line: str) -> None:
    """Nobody finds out one option at a time; the VM is called like the stack."""
    assert refusal(what).startswith(line)


def test_nothing_is_asked_of_aws_where_nobody_is_asked() -> None:
    """The answers are the options and nothing else, with or without an account."""

    def opened(_: Asker) -> Account:
        raise AssertionError

    found = gather(given("dev", PLACE), Answers(), taken={}, asker=None, open_account=opened)
    assert found.values == {**PLACE, "vm_name": "dev"}
    assert found.entry == {
        "bootstrap": "module",
        "profile": "documented",
        "region": REGION,
        "var_files": ["environments/dev.tfvars"],
    }


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"region": "europe"}, '--region = "europe": An AWS region reads like us-east-1'),
        ({"vpc_id": "vpc-xyz"}, '--vpc-id = "vpc-xyz": A VPC id is vpc- and 8 to 17'),
        ({"subnet_id": "vpc-0a1b2c3d"}, '--subnet-id = "vpc-0a1b2c3d": A subnet id is subnet-'),
        ({"vm_name": "My_VM"}, '--vm-name = "My_VM": Amazon S3 bucket names hold only'),
        ({"instance_type": "t4g.large"}, "a Graviton (Arm) instance type cannot start it"),
        ({"bucket_force_destroy": "maybe"}, '--var bucket_force_destroy = "maybe": It must be a'),
        ({"vpc": "x"}, 'and profile documented. Fix: did you mean "vpc_id"?'),
        ({"ssh_public_key": KEY}, "no such variable with bootstrap module"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)  # fmt: skip
def test_each_value_is_checked_by_its_rule(variables: dict[str, str], line: str) -> None:
    """The rule is the contract's, word for word, and the option is named."""
    assert line in refusal(given("dev", {**PLACE, **variables}))


def test_lists_and_numbers_are_read_as_terraform_reads_them() -> None:
    """A list is an expression, a number is a number, and a wrong one names its rule."""
    kind = {"bootstrap": "native", "profile": "hardened"}
    networks = {"ssh_cidr_blocks": '["192.0.2.0/24"]', "vm_volume_gib": "200"}
    found = gathered(given("dev", {**PLACE, **networks}, **kind))
    assert found.values["ssh_cidr_blocks"] == ["192.0.2.0/24"]
    assert found.values["vm_volume_gib"] == 200
    wide = {"ssh_cidr_blocks": '["0.0.0.0/0"]'}
    assert "Port 22 is not opened to everyone" in refusal(given("dev", {**PLACE, **wide}, **kind))
    assert "ssh_cidr_blocks" in refusal(given("dev", {"ssh_cidr_blocks": "[", **PLACE}, **kind))


def test_a_person_is_asked_in_the_order_of_what_follows() -> None:
    """Each list rests on the answer before it, and every answer is written."""
    asker = Answering({"NAME": "dev", "bootstrap": "native", "vpc_id": VPC, "subnet_id": SUBNET})
    found = gathered(given(None), asker)
    assert asker.names == [
        "NAME",
        "bootstrap",
        "profile",
        "region",
        "account",
        "vpc_id",
        "subnet_id",
        "vm_name",
        "instance_type",
        "tag_value",
        "ssh_public_key",
    ]
    # An answer is written, also a default: terraform.tfvars may say something else.
    defaults = {"instance_type": "t3.large", "tag_value": "development"}
    assert found.values == {**PLACE, "vm_name": "dev", **defaults}
    assert found.settings["account"] == ACCOUNT
    types = asker.question("instance_type")
    assert [each.value for each in types.choices] == ["m6i.large", "t3.large"]
    assert asker.question("vm_name").rule_broken_by("Dev") is not None
    assert asker.question("NAME").rule_broken_by("prod") is not None


def test_a_key_pair_of_the_account_is_taken_by_name() -> None:
    """What is written is the key; a private key is refused when it is pasted."""
    asker = Answering({"ssh_public_key": "ada", "account": "any"})
    found = gathered(given("dev", PLACE, bootstrap="native"), asker)
    assert found.values["ssh_public_key"] == KEY
    assert "account" not in found.settings
    question = asker.question("ssh_public_key")
    assert [each.value for each in question.choices] == ["~/.ssh/dev.pub", "ada"]
    assert "private key" in (question.rule_broken_by("-----BEGIN PRIVATE KEY-----") or "")


def test_a_team_shares_its_states() -> None:
    """Where others have theirs in a bucket, a state on one machine is a choice and no accident."""
    place = {"kind": "s3", "bucket": "states", "region": REGION}
    kinds: dict[str, JsonValue] = {
        "a": {"backend": {**place, "key": "here"}},
        "b": {"backend": {**place}},
        "c": {"backend": {"kind": "partial", "config_files": ["c.hcl"]}},
        "d": {"backend": "local"},
        "e": {},
    }

    def kept(asker: Answering) -> JsonValue:
        what = given("dev", PLACE)
        found = gather(what, Answers(), taken=kinds, asker=asker, open_account=Recorded)
        return found.entry.get("backend")

    asker = Answering()
    assert kept(asker) == place
    choices = [(each.value, each.details) for each in asker.question("backend").choices]
    assert choices == [("as a", ("s3 states",)), ("local", ("a file on this machine",))]
    assert kept(Answering({"backend": "local"})) is None


def test_what_is_given_is_not_asked() -> None:
    """Options and questions can be mixed; roles of the account need no network."""
    asker = Answering({"profile": "documented", "instance_type": "m6i.large"})
    found = gathered(given("dev", {**PLACE, "vm_name": "x12"}, bootstrap="module"), asker)
    assert asker.names == ["profile", "account", "instance_type", "tag_value"]
    assert found.values["instance_type"] == "m6i.large"
    asker = Answering()
    roles = {"batch_service_role": "true"}
    found = gathered(given("roles", roles, bootstrap="prerequisites"), asker)
    assert asker.names == ["region", "account"]
    assert found.values == {"region": REGION, "batch_service_role": True}


BASE = Answers(
    settings={
        "bootstrap": "native",
        "profile": "hardened",
        "account": ACCOUNT,
        "region": REGION,
        "limits": {"max_deletes": 0},
    },
    values={
        **PLACE,
        "batch_subnet_ids": ["subnet-0000000a"],
        "access_log_bucket": "logs-of-ours",
        "tag_value": "lab",
    },
)


def test_a_copy_takes_over_all_that_fits() -> None:
    """Nothing is asked for again."""
    asker = Answering()
    found = gathered(given("dev"), asker, BASE)
    assert asker.names == ["vm_name", "instance_type"]
    assert found.values == {**BASE.values, "vm_name": "dev", "instance_type": "t3.large"}
    assert found.entry["limits"] == {"max_deletes": 0}


def test_a_copy_elsewhere_leaves_what_is_not_there() -> None:
    """Another VPC has other subnets, another region another VPC, another account other buckets."""
    vpc = gathered(
        given("dev", {"vpc_id": "vpc-11111111", "subnet_id": "subnet-11111111"}), base=BASE
    )
    assert "batch_subnet_ids" not in vpc.values
    assert "access_log_bucket" in vpc.values
    line = refusal(given("dev", {"region": "eu-west-1"}), base=BASE)
    assert line.startswith("--vpc-id, --subnet-id: missing")
    moved = gathered(given("dev", PLACE, account="210987654321"), base=BASE)
    assert moved.values == {**PLACE, "tag_value": "lab", "vm_name": "dev"}
    plain = gathered(given("dev", profile="documented"), base=BASE)
    assert plain.values == {**PLACE, "tag_value": "lab", "vm_name": "dev"}
