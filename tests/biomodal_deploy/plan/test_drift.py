"""Which drift matters: the shapes are those of a real stack after its first apply."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.plan import Plan, ResourceChange
from tests.support.plans import plan as plan_of
from tests.support.plans import resource

LEAF: Final = {"constant_value": "x"}
GROUP: Final = "aws_security_group.ssh"
RULE: Final = {
    "cidr_blocks": ["0.0.0.0/0"],
    "description": "SSH",
    "from_port": 22,
    "ipv6_cidr_blocks": [],
    "prefix_list_ids": [],
    "protocol": "tcp",
    "security_groups": [],
    "self": False,
    "to_port": 22,
}
DISK: Final = {"sets": {"disk": [{"size": LEAF}]}}
# Some blocks can stand only once; Terraform writes those without a list.
ONCE: Final = {"sets": {"disk": {"size": LEAF}}}
NAME: Final[dict[str, Any]] = {"sets": {"name": LEAF}}


def managed(kind: str, **values: Any) -> dict[str, Any]:
    """Return a resource of the state before."""
    return {"type": f"aws_{kind}", "values": values}


def ingress_rule(group: str = "sg-1", **values: Any) -> dict[str, Any]:
    """Return a group's rule as a resource of its own: SSH from anywhere where nothing is given."""
    ssh = {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 22, "to_port": 22}
    given = values or ssh
    return managed("vpc_security_group_ingress_rule", security_group_id=group, **given)


SSH: Final = ingress_rule()


def drifted(
    address: str,
    before: Any,
    after: Any,
    *,
    sets: dict[str, Any] | None = None,
    managed: tuple[Any, ...] = (),
    action: str = "update",
    module: str = "",
    planned: dict[str, Any] | None = None,
) -> ResourceChange:
    """Return one drifted object of a plan whose configuration sets this for it."""
    found = resource(address, action, before, after, module_address=module)
    kind, name = found["type"], found["name"]
    block = {"mode": "managed", "type": kind, "name": name, "expressions": sets or {}}
    root: dict[str, Any] = {"resources": [block]}
    if module:
        root = {"module_calls": {"inner": {"module": root}}}
    plan = plan_of(
        *([planned] if planned else []),
        resource_drift=[found],
        configuration={"root_module": root},
        prior_state={"values": {"root_module": {"resources": list(managed)}}},
    )
    assert len(plan.drift) == 1
    assert plan.drifted == tuple(each for each in plan.drift if each.matters)
    assert plan.counts.drift == len(plan.drifted)
    return plan.drift[0]


def mattering(change: ResourceChange) -> list[str]:
    """Return the paths of what matters in a change."""
    return [each.path for each in change.updates if each.matters]


CASES: Final[dict[str, tuple[bool, Any, Any, dict[str, Any]]]] = {
    # Null, an empty text, list or map say the same to AWS, even where it is configured.
    "null and an empty map": (False, {"tags": None}, {"tags": {}}, NAME),
    "null and an empty text": (False, {"name": None}, {"name": ""}, NAME),
    "an empty list and null": (False, {"name": []}, {"name": None}, NAME),
    "null and an empty block": (False, {"name": None}, {"name": [{"a": "", "b": None}]}, NAME),
    "an argument that is set": (True, {"name": "a"}, {"name": "b"}, NAME),
    # A VM that got an Elastic IP has another public address; nobody configured the first.
    "what AWS computes": (False, {"public_ip": "1.1.1.1"}, {"public_ip": "2.2.2.2"}, NAME),
    "what AWS adds to a block": (False, {"disk": [{"id": "a"}]}, {"disk": [{"id": "b"}]}, DISK),
    "what a block sets": (True, {"disk": [{"size": 1}]}, {"disk": [{"size": 2}]}, DISK),
    "what AWS adds to the block": (False, {"disk": [{"id": "a"}]}, {"disk": [{"id": "b"}]}, ONCE),
    "what the block sets": (True, {"disk": [{"size": 1}]}, {"disk": [{"size": 2}]}, ONCE),
    # Access and bills hang on tags, configured or not.
    "tags": (True, {"tags": {}}, {"tags": {"team": "other"}}, {}),
    "a deleted object": (True, {"id": "a"}, None, {"action": "delete"}),
    # Terraform lists objects that only changed their address there as well.
    "a move alone": (False, {"id": "a"}, {"id": "a"}, {"action": "no-op"}),
}


@pytest.mark.parametrize(("matters", "before", "after", "more"), CASES.values(), ids=CASES)
def test_what_matters(before: Any, after: Any, more: dict[str, Any], *, matters: bool) -> None:
    """What the configuration sets, tags, and an object that is gone; not what AWS fills in."""
    assert drifted("aws_x.y", before, after, **more).matters is matters


ENVIRONMENT: Final = "aws_batch_compute_environment.batch"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"state": "ENABLED"}, {"state": "DISABLED"}),
        ({"disk": [{"iops": 3000}]}, {"disk": [{"iops": 4000}]}),
    ],
)
def test_what_the_plan_changes_back_matters(before: Any, after: Any) -> None:
    """A default of the provider, which stands in no configuration, is restored all the same."""
    sets = {"name": LEAF, "disk": [{"size": LEAF}]}
    back = resource(ENVIRONMENT, "update", after, before)
    assert drifted(ENVIRONMENT, before, after, sets=sets, planned=back).matters
    assert not drifted(ENVIRONMENT, before, after, sets=sets).matters


@pytest.mark.parametrize(
    "planned",
    [
        resource(ENVIRONMENT, "no-op", {"ip": "2"}, {"ip": "2"}),
        resource(ENVIRONMENT, "update", {"ip": "2", "x": 1}, {"ip": "2", "x": 2}),
        resource(ENVIRONMENT, "replace", {"ip": "2"}, {}, after_unknown={"ip": True}),
        resource("aws_x.other", "update", {"ip": "2"}, {"ip": "1"}),
    ],
)
def test_what_the_plan_leaves_does_not_matter(planned: dict[str, Any]) -> None:
    """Nor does what a replacement gets from AWS, or what another resource gets."""
    sets = {"name": LEAF}
    change = drifted(ENVIRONMENT, {"ip": "1"}, {"ip": "2"}, sets=sets, planned=planned)
    assert not change.matters


def test_an_object_without_configuration_matters() -> None:
    """Where the configuration does not know an object, nothing says what AWS may fill in."""
    assert plan_of(resource_drift=[resource("aws_x.y", "update", {"a": 1}, {"a": 2})]).drifted


@pytest.mark.parametrize(
    ("address", "module"),
    [
        ("aws_x.y", ""),
        ("module.inner.aws_x.y", "module.inner"),
        ('module.inner["a.b"].aws_x.y[0]', 'module.inner["a.b"]'),
        ("module.inner[3].aws_x.y", "module.inner[3]"),
    ],
)
def test_modules_and_instances_are_found(address: str, module: str) -> None:
    """The configuration has one block for all instances of a resource and of its module."""
    both = {"name": "b", "other": 2}
    change = drifted(address, {"name": "a", "other": 1}, both, module=module, **NAME)
    assert [each.path for each in change.updates] == ["name", "other"]
    assert mattering(change) == ["name"]


def ingress(*rules: dict[str, Any]) -> dict[str, Any]:
    """Return a security group with these rules."""
    return {"id": "sg-1", "ingress": list(rules)}


WIDE: Final = {**RULE, "cidr_blocks": ["10.0.0.0/8"], "ipv6_cidr_blocks": ["::/0"]}
OF_GROUP: Final = {**RULE, "cidr_blocks": [], "security_groups": ["sg-2"]}
ALL: Final = {**RULE, "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": []}
OLDER: Final = {"type": "ingress", "security_group_id": "sg-1"}
MADE: Final[dict[str, tuple[bool, list[Any], list[Any], list[Any]]]] = {
    # Right after an apply the group's own state knows none of its rules.
    "made by a resource": (False, [], [RULE], [SSH]),
    # After Terraform itself took a rule away the group's state still knows it.
    "gone with its resource": (False, [RULE], [], []),
    "made by a resource of another group": (True, [], [RULE], [ingress_rule("sg-2")]),
    "made by what is only read": (True, [], [RULE], [{**SSH, "mode": "data"}]),
    "everything from the group itself": (
        False,
        [],
        [{**ALL, "self": True}],
        [ingress_rule(referenced_security_group_id="sg-1", ip_protocol="-1")],
    ),
    "made by the older resource": (
        False,
        [],
        [WIDE, OF_GROUP],
        [
            managed("security_group_rule", **OLDER, **WIDE),
            managed(
                "security_group_rule",
                **{**RULE, **OLDER, "cidr_blocks": None, "source_security_group_id": "sg-2"},
            ),
        ],
    ),
}


@pytest.mark.parametrize(("matters", "before", "after", "of"), MADE.values(), ids=MADE)
def test_rules_that_a_resource_made_do_not_matter(
    before: list[Any], after: list[Any], of: list[Any], *, matters: bool
) -> None:
    """A rule counts for the group that it is of, and where this configuration made it."""
    change = drifted(GROUP, ingress(*before), ingress(*after), managed=tuple(of))
    assert change.matters is matters


@pytest.mark.parametrize(
    "opened",
    [
        {"from_port": 8080, "to_port": 8080},
        {"cidr_blocks": ["10.0.0.0/8"]},
        {"cidr_blocks": [], "ipv6_cidr_blocks": ["::/0"]},
        {"cidr_blocks": [], "security_groups": ["sg-2"]},
        {"cidr_blocks": [], "prefix_list_ids": ["pl-1"]},
        {"cidr_blocks": [], "self": True},
        {"protocol": "-1", "from_port": 0, "to_port": 0},
        {"protocol": "udp"},
    ],
)
@pytest.mark.parametrize("known", [(), (RULE,)], ids=["before a refresh", "after a refresh"])
def test_an_opened_port_matters(opened: dict[str, Any], known: tuple[Any, ...]) -> None:
    """Only what was opened by hand is named, whether or not the state knows the other rules."""
    after = ingress(RULE, {**RULE, **opened})
    assert mattering(drifted(GROUP, ingress(*known), after, managed=(SSH,))) == ["ingress[1]"]


def test_a_source_added_to_a_rule_matters() -> None:
    """AWS shows rules that differ in their source alone as one."""
    wider = {**RULE, "cidr_blocks": ["0.0.0.0/0", "10.0.0.0/8"]}
    change = drifted(GROUP, ingress(RULE), ingress(wider), managed=(SSH,))
    assert mattering(change) == ["ingress[0].cidr_blocks[1]"]


@pytest.mark.parametrize(
    ("address", "before", "after", "made_by"),
    [
        (
            "aws_iam_role.vm",
            {"inline_policy": []},
            {"inline_policy": [{"name": "vm", "policy": "{}"}]},
            managed("iam_role_policy", role="vm", name="vm"),
        ),
        (
            "aws_iam_role.vm",
            {"managed_policy_arns": []},
            {"managed_policy_arns": ["arn:p"]},
            managed("iam_role_policy_attachment", role="vm", policy_arn="arn:p"),
        ),
        (
            "aws_s3_bucket.b",
            {"policy": ""},
            {"policy": '{"Statement": []}'},
            managed("s3_bucket_policy", bucket="b"),
        ),
    ],
    ids=["inline", "attached", "of a bucket"],
)
def test_policies_matter_unless_a_resource_made_them(
    address: str, before: Any, after: Any, made_by: Any
) -> None:
    """A policy that was attached by hand is access; one that a resource attached is noise."""
    own = {"id": "b"} if "bucket" in address else {"name": "vm"}
    assert not drifted(address, own | before, own | after, managed=(made_by,)).matters
    assert drifted(address, own | before, own | after).matters


def test_a_hidden_value_matters_where_it_is_configured() -> None:
    """Hidden, and still compared."""
    hidden = {"before_sensitive": {"word": True}, "after_sensitive": {"word": True}}
    change = resource("aws_x.y", "update", {"word": "canary-1"}, {"word": "canary-2"}, **hidden)
    block = {"type": "aws_x", "name": "y", "expressions": {"word": LEAF}}
    configuration = {"root_module": {"resources": [block]}}
    plan = plan_of(resource_drift=[change], configuration=configuration)
    assert plan.drifted
    assert "canary" not in plan.model_dump_json()


def test_drift_is_read_back_as_it_was_sealed() -> None:
    """What `show` says of drift is what `plan` said."""
    plan = plan_of(resource_drift=[resource("aws_x.y", "update", {"tags": None}, {"tags": {}})])
    assert not plan.drifted
    assert Plan.from_changes(plan.to_changes()) == plan
