"""Tests for review.report.access: every broadening is called out, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from biomodal_deploy.review.report.access.comparison import access_changes, drift_access
from tests.support.everything import allow, policy
from tests.support.plans import plan, resource

RULE = "aws_vpc_security_group_ingress_rule.ssh"
PARTS: dict[str, Any] = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22}


def rule(cidr: str, **more: Any) -> dict[str, Any]:
    """Return the values of a rule resource."""
    return {**PARTS, "security_group_id": "sg-1", "cidr_ipv4": cidr, **more}


def inline(*cidrs: str, **more: Any) -> dict[str, Any]:
    """Return the values of a group with one rule of its own."""
    shown = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": [*cidrs], **more}
    return {"id": "sg-1", "ingress": [shown]}


def gains(*resources: Any, **more: Any) -> list[str]:
    """Return all gains of a plan, with their alarms."""
    return [
        f"{gain.alarm}: {gain.text}" if gain.alarm else gain.text
        for change in access_changes(plan(*resources, **more))
        for gain in change.gains
    ]


def new_rule(cidr: str, direction: str = "ingress") -> Any:
    """Return a new rule of a group for SSH."""
    return resource(f"aws_vpc_security_group_{direction}_rule.r", "create", None, rule(cidr))


def severities(*resources: Any) -> list[str]:
    """Return how much each gain of a plan matters."""
    return [gain.severity for each in access_changes(plan(*resources)) for gain in each.gains]


def removed(*resources: Any) -> list[str]:
    """Return all that ends by a plan."""
    return [text for change in access_changes(plan(*resources)) for text in change.removed]


class TestRules:
    """Rules of security groups, one source each."""

    @pytest.mark.parametrize("cidr", ["0.0.0.0/0", "8.0.0.0/4"])
    def test_open_to_everybody(self, cidr: str) -> None:
        """A source that is as good as the internet raises the alarm."""
        assert gains(resource(RULE, "create", None, rule(cidr))) == [
            f"anyone: incoming tcp 22 from {cidr}"
        ]

    def test_wider(self) -> None:
        """A wider source, and wider ports, are more than before."""
        assert gains(resource(RULE, "update", rule("10.0.0.0/16"), rule("10.0.0.0/8"))) == [
            "incoming tcp 22 from 10.0.0.0/8"
        ]
        wide = rule("10.0.0.0/16", to_port=25)
        assert gains(resource(RULE, "update", rule("10.0.0.0/16"), wide)) == [
            "incoming tcp 22-25 from 10.0.0.0/16"
        ]

    def test_narrower(self) -> None:
        """A narrower source is no broadening; what ends is told."""
        change = resource(RULE, "update", rule("10.0.0.0/8"), rule("10.0.0.0/16"))
        assert gains(change) == []
        assert removed(change) == ["incoming tcp 22 from 10.0.0.0/8"]

    def test_one_element_of_many(self) -> None:
        """Only the source that is new is named, not the rules around it."""
        before, after = inline("10.0.0.0/8"), inline("10.0.0.0/8", "192.168.0.0/24")
        group = resource("aws_security_group.g", "update", before, after)
        assert gains(group) == ["incoming tcp 22 from 192.168.0.0/24"]
        assert removed(group) == []

    def test_the_same_rule_from_another_resource(self) -> None:
        """What one resource gives up and another takes over changes nothing."""
        old = resource("aws_security_group.g", "update", inline("10.0.0.0/8"), {"id": "sg-1"})
        new = resource(RULE, "create", None, rule("10.0.0.0/8"))
        assert gains(old, new) == []
        assert removed(old, new) == []

    def test_another_group_covers_nothing(self) -> None:
        """The same source into another group is new access."""
        old = resource("aws_x.y", "delete", {}, None)
        gone = resource(f"{RULE}_old", "delete", rule("10.0.0.0/8"), None)
        new = resource(RULE, "create", None, rule("10.0.0.0/8", security_group_id="sg-2"))
        assert gains(old, gone, new) == ["incoming tcp 22 from 10.0.0.0/8"]

    def test_everything_covers_one_port(self) -> None:
        """A rule for all traffic, in either spelling, covers a narrower one."""
        wide = rule("10.0.0.0/8", ip_protocol="-1", from_port=None, to_port=None)
        assert gains(resource(RULE, "update", wide, rule("10.0.0.0/8"))) == []
        assert gains(resource(RULE, "update", rule("10.0.0.0/8"), wide)) == [
            "incoming traffic of every kind from 10.0.0.0/8"
        ]

    def test_a_source_not_yet_known(self) -> None:
        """It counts as more: nobody can say yet that it is not."""
        change = resource(
            RULE,
            "update",
            rule("10.0.0.0/8"),
            rule("x", cidr_ipv4=None),
            after_unknown={"cidr_ipv4": True},
        )
        assert gains(change) == ["incoming tcp 22 from (known after apply)"]

    def test_forgotten_rules_go_on(self) -> None:
        """What Terraform forgets still lets its traffic through."""
        assert removed(resource(RULE, "forget", rule("10.0.0.0/8"), None)) == []

    def test_odd_values(self) -> None:
        """Values of any shape are told, not tripped over."""
        odd: dict[str, Any] = {
            "cidr_ipv4": ["?"],
            "from_port": "22",
            "to_port": {},
            "ip_protocol": None,
        }
        assert len(gains(resource(RULE, "create", None, odd))) == 1
        assert gains(resource("aws_security_group.g", "create", None, {"ingress": "all"})) == []


class TestPolicies:
    """Statements of IAM policies, action by action."""

    def changed(self, before: str | None, after: str | None) -> Any:
        """Return an update of a role's policy."""
        return resource("aws_iam_role_policy.p", "update", {"policy": before}, {"policy": after})

    def test_only_the_new_action(self) -> None:
        """An added action is named, those beside it are not."""
        before = policy({"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"})
        after = policy(
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
        )
        assert gains(self.changed(before, after)) == ["allowed: s3:PutObject on *"]
        assert removed(self.changed(after, before)) == ["no longer allowed: s3:PutObject on *"]

    def test_a_wildcard_covers(self) -> None:
        """What a pattern allowed already is nothing new; the pattern itself is."""
        wide, narrow = policy(allow("s3:*")), policy(allow("S3:getobject", "arn:aws:s3:::a/*"))
        assert gains(self.changed(wide, narrow)) == []
        assert gains(self.changed(narrow, wide)) == ["allowed: s3:* on *"]

    def test_everything(self) -> None:
        """A policy for all actions on all resources raises the alarm."""
        assert gains(self.changed(None, policy(allow("*")))) == ["everything: allowed: * on *"]

    def test_a_condition_that_goes(self) -> None:
        """The same statement without its condition allows more."""
        bound = policy(allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "true"}}))
        free = policy(allow("s3:GetObject"))
        assert gains(self.changed(bound, free)) == ["allowed: s3:GetObject on *"]
        assert gains(self.changed(free, bound)) == []

    def test_a_denial_that_goes(self) -> None:
        """What is no longer denied is a broadening too."""
        denied = policy({**allow("s3:*"), "Effect": "Deny"})
        assert gains(self.changed(denied, policy())) == ["no longer denied: s3:* on *"]
        gone = resource("aws_s3_bucket_policy.p", "delete", {"policy": denied}, None)
        assert gains(gone) == ["no longer denied: s3:* on *"]

    @pytest.mark.parametrize("principal", ["*", {"AWS": "*"}])
    def test_a_public_principal(self, principal: Any) -> None:
        """A policy that lets in every account raises the alarm."""
        public = policy(allow("s3:GetObject", Principal=principal))
        (gain,) = gains(resource("aws_s3_bucket_policy.p", "create", None, {"policy": public}))
        assert gain.startswith("anyone: allowed: s3:GetObject on * to ")

    def test_the_other_way_round(self) -> None:
        """`NotAction` is everything but those: nothing narrower covers it."""
        other = policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})
        assert gains(self.changed(policy(allow("s3:*")), other)) == [
            "allowed: everything but iam:* on *"
        ]

    def test_a_document_that_is_read_later(self) -> None:
        """A policy that is known after the apply is read from its document in the plan."""
        statement = {"effect": "Allow", "actions": ["s3:PutObject"], "resources": ["*"]}
        read = resource(
            "data.aws_iam_policy_document.d", "read", None, {"statement": [statement]}, mode="data"
        )
        role = resource(
            "aws_iam_role_policy.p",
            "update",
            {"policy": policy(allow("s3:GetObject"))},
            {},
            after_unknown={"policy": True},
        )
        reference = {"policy": {"references": ["data.aws_iam_policy_document.d.json"]}}
        configured = {
            "root_module": {
                "resources": [
                    {"type": "aws_iam_policy_document", "name": "d", "mode": "data"},
                    {"type": "aws_iam_role_policy", "name": "p", "expressions": reference},
                ]
            }
        }
        assert gains(read, role, configuration=configured) == ["allowed: s3:PutObject on *"]
        (unknown,) = gains(role)
        assert "known only after the apply" in unknown

    def test_hostile_patterns_take_no_time(self) -> None:
        """A pattern of many stars is matched like any other."""
        stars = "s3:" + "*a" * 2000
        assert gains(self.changed(policy(allow(stars)), policy(allow("s3:" + "a" * 5000 + "b"))))


class TestTheRest:
    """Attachments, settings that keep somebody out, keys."""

    def test_attached(self) -> None:
        """A managed policy that a role gets; an administrator's raises the alarm."""
        admin = {"role": "vm", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
        assert gains(resource("aws_iam_role_policy_attachment.a", "create", None, admin)) == [
            f"everything: attached: {admin['policy_arn']} to vm"
        ]

    @pytest.mark.parametrize(
        ("kind", "before", "after"),
        [
            (
                "aws_s3_bucket_public_access_block",
                {"block_public_policy": True},
                {"block_public_policy": False},
            ),
            ("aws_instance", {"metadata_options": [{"http_tokens": "required"}]}, {}),
            ("aws_instance", {"key_name": "a"}, {"key_name": "b"}),
            ("aws_instance", {"vpc_security_group_ids": ["a"]}, {"vpc_security_group_ids": ["b"]}),
            ("aws_key_pair", {"public_key": "a"}, {"public_key": "b"}),
            ("aws_iam_role", {"permissions_boundary": "arn"}, {"permissions_boundary": None}),
        ],
    )
    def test_turned_off(self, kind: str, before: Any, after: Any) -> None:
        """Each is told, and turning it back on is not."""
        assert gains(resource(f"{kind}.x", "update", before, after))
        if kind != "aws_key_pair" and "key_name" not in before:
            assert gains(resource(f"{kind}.x", "update", before, before)) == []

    def test_a_block_that_goes(self) -> None:
        """Without the block, objects of the bucket can be made public."""
        block = resource(
            "aws_s3_bucket_public_access_block.b", "delete", {"block_public_acls": True}, None
        )
        assert any("is gone" in gain for gain in gains(block))

    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            ("aws_s3_bucket_public_access_block", {"bucket": "b", "block_public_acls": True}),
            (
                "aws_s3_bucket_policy",
                {"bucket": "b", "policy": policy({**allow("s3:*"), "Effect": "Deny"})},
            ),
        ],
    )
    def test_a_block_that_dies_with_its_bucket(self, kind: str, values: Any) -> None:
        """Of a bucket that is destroyed nothing opens; of another one with that name, it does."""
        goes = resource(f"{kind}.b", "delete", values, None)
        bucket = resource("aws_s3_bucket.b", "delete", {"id": "b", "bucket": "b"}, None)
        other = resource("aws_iam_role.b", "delete", {"id": "b", "name": "b"}, None)
        assert gains(goes, bucket) == []
        assert gains(goes, other) != []

    def test_a_denial_that_dies_with_its_role(self) -> None:
        """What a destroyed role was denied is no access for anybody."""
        denied = policy({**allow("s3:*"), "Effect": "Deny"})
        own = resource("aws_iam_role_policy.p", "delete", {"role": "r", "policy": denied}, None)
        role = resource("aws_iam_role.r", "delete", {"id": "r", "assume_role_policy": denied}, None)
        assert gains(own, role) == []
        assert gains(own) == ["no longer denied: s3:* on *"]

    @pytest.mark.parametrize(
        ("change", "severity"),
        [
            (new_rule("0.0.0.0/0"), "high"),
            (new_rule("54.230.1.7/32"), "medium"),
            (new_rule("10.0.0.0/8"), "low"),
            (new_rule("0.0.0.0/0", direction="egress"), "low"),
        ],
    )
    def test_severity_of_rules(self, change: Any, severity: str) -> None:
        """SSH to the world is grave; private networks and outgoing traffic are not."""
        assert severities(change) == [severity]

    @pytest.mark.parametrize(
        ("statement", "severity"),
        [
            (allow("*"), "high"),
            (allow("s3:GetObject"), "medium"),
            (
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "ec2.amazonaws.com"},
                },
                "low",
            ),
            (
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"AWS": "arn:aws:iam::999999999999:root"},
                },
                "medium",
            ),
            ({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}, "high"),
        ],
    )
    def test_severity_of_statements(self, statement: Any, severity: str) -> None:
        """Everything, and everybody, is grave; a role for EC2 alone is not."""
        role = {"name": "r", "assume_role_policy": policy(statement)}
        assert severities(resource("aws_iam_role.r", "create", None, role)) == [severity]

    def test_whose_access_it_is(self) -> None:
        """By its name in AWS; by its address where it has none yet."""
        named = {"role": "vm", "policy": policy(allow("s3:*"))}
        (change,) = access_changes(plan(resource("aws_iam_role_policy.p", "create", None, named)))
        assert change.who == "role vm"
        (change,) = access_changes(plan(new_rule("10.0.0.0/8")))
        assert change.who == "security group sg-1"

    def test_a_routine_change_says_nothing(self) -> None:
        """Most changes are not about access."""
        assert gains(resource("aws_instance.vm", "update", {"a": 1}, {"a": 2})) == []


def test_drift_by_hand() -> None:
    """A port that somebody opened is told; rules that other resources gave are not."""
    ours = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8"]}
    hand = {**ours, "cidr_blocks": ["0.0.0.0/0"]}
    drift = resource("aws_security_group.g", "update", {"id": "sg", "ingress": []}, {"id": "sg"})
    drift["change"]["after"]["ingress"] = [ours, hand]
    given = {"security_group_id": "sg", **PARTS, "cidr_ipv4": "10.0.0.0/8"}
    state = {
        "values": {
            "root_module": {
                "resources": [{"type": "aws_vpc_security_group_ingress_rule", "values": given}]
            }
        }
    }
    configured = {"root_module": {"resources": [{"type": "aws_security_group", "name": "g"}]}}
    found = drift_access(plan(resource_drift=[drift], prior_state=state, configuration=configured))
    assert [gain.text for change in found for gain in change.gains] == [
        "incoming tcp 22 from 0.0.0.0/0"
    ]
