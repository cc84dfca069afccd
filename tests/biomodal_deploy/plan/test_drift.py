"""Which drift matters: the shapes are those of a real stack after its first apply."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.plan import Plan, ResourceChange, read_plan
from tests.support.plans import document, encoded, resource

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
SSH: Final = {
    "type": "aws_vpc_security_group_ingress_rule",
    "values": {
        "security_group_id": "sg-1",
        "cidr_ipv4": "0.0.0.0/0",
        "ip_protocol": "tcp",
        "from_port": 22,
        "to_port": 22,
    },
}
ROLE_POLICY: Final = {"type": "aws_iam_role_policy", "values": {"role": "vm", "name": "vm"}}


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
    plan = read_plan(
        encoded(
            document(
                *([planned] if planned else []),
                resource_drift=[found],
                configuration={"root_module": root},
                prior_state={"values": {"root_module": {"resources": list(managed)}}},
            )
        )
    )[0]
    assert len(plan.drift) == 1
    assert plan.drifted == tuple(each for each in plan.drift if each.matters)
    assert plan.counts.drift == len(plan.drifted)
    return plan.drift[0]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"tags": None}, {"tags": {}}),
        ({"name": None}, {"name": ""}),
        ({"name": []}, {"name": None}),
        ({"name": None}, {"name": [{"a": "", "b": None}]}),
    ],
)
def test_nothing_and_nothing_are_the_same(before: Any, after: Any) -> None:
    """Null, an empty text, list or map say the same to AWS, even where it is configured."""
    assert not drifted("aws_x.y", before, after, sets={"name": LEAF}).matters


def test_what_is_configured_matters() -> None:
    """An argument that the configuration sets was changed by hand."""
    change = drifted("aws_x.y", {"name": "a"}, {"name": "b"}, sets={"name": LEAF})
    assert change.matters
    assert [each.path for each in change.updates if each.matters] == ["name"]


def test_what_aws_computes_does_not_matter() -> None:
    """A VM that got an Elastic IP has another public address; nobody configured the first."""
    before, after = {"public_ip": "1.1.1.1"}, {"public_ip": "2.2.2.2"}
    assert not drifted("aws_instance.vm", before, after, sets={"ami": LEAF}).matters


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


def test_a_block_is_read_inside() -> None:
    """Of a block only its arguments are configured, and not what AWS adds to it."""
    sets = {"disk": [{"size": LEAF}]}
    id_ = drifted("aws_x.y", {"disk": [{"id": "a"}]}, {"disk": [{"id": "b"}]}, sets=sets)
    size = drifted("aws_x.y", {"disk": [{"size": 1}]}, {"disk": [{"size": 2}]}, sets=sets)
    assert (id_.matters, size.matters) == (False, True)


def test_a_single_block_is_read_inside() -> None:
    """Some blocks can stand only once; Terraform writes those without a list."""
    sets = {"disk": {"size": LEAF}}
    id_ = drifted("aws_x.y", {"disk": [{"id": "a"}]}, {"disk": [{"id": "b"}]}, sets=sets)
    size = drifted("aws_x.y", {"disk": [{"size": 1}]}, {"disk": [{"size": 2}]}, sets=sets)
    assert (id_.matters, size.matters) == (False, True)


def test_tags_matter() -> None:
    """Access and bills hang on tags, configured or not."""
    assert drifted("aws_x.y", {"tags": {}}, {"tags": {"team": "other"}}).matters


def test_a_deleted_object_matters() -> None:
    """Whatever it was."""
    assert drifted("aws_x.y", {"id": "a"}, None, action="delete").matters


def test_a_move_alone_is_no_drift() -> None:
    """Terraform lists objects that only changed their address there as well."""
    assert not drifted("aws_x.y", {"id": "a"}, {"id": "a"}, action="no-op").matters


def test_an_object_without_configuration_matters() -> None:
    """Where the configuration does not know an object, nothing says what AWS may fill in."""
    plan = read_plan(
        encoded(document(resource_drift=[resource("aws_x.y", "update", {"a": 1}, {"a": 2})]))
    )[0]
    assert plan.drift[0].matters


@pytest.mark.parametrize(
    ("address", "module"),
    [
        ("module.inner.aws_x.y", "module.inner"),
        ('module.inner["a.b"].aws_x.y[0]', 'module.inner["a.b"]'),
        ("module.inner[3].aws_x.y", "module.inner[3]"),
    ],
)
def test_modules_and_instances_are_found(address: str, module: str) -> None:
    """The configuration has one block for all instances of a resource and of its module."""
    sets = {"name": LEAF}
    both = {"name": "b", "other": 2}
    change = drifted(address, {"name": "a", "other": 1}, both, sets=sets, module=module)
    assert [(each.path, each.matters) for each in change.updates] == [
        ("name", True),
        ("other", False),
    ]


def ingress(*rules: dict[str, Any]) -> dict[str, Any]:
    """Return a security group with these rules."""
    return {"id": "sg-1", "ingress": list(rules)}


def test_a_rule_that_a_resource_made_does_not_matter() -> None:
    """Right after an apply the group's own state knows none of its rules."""
    change = drifted(GROUP, ingress(), ingress(RULE), managed=(SSH,))
    assert not change.matters


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
    change = drifted(GROUP, ingress(*known), after, managed=(SSH,))
    assert [each.path for each in change.updates if each.matters] == ["ingress[1]"]


def test_a_source_added_to_a_rule_matters() -> None:
    """AWS shows rules that differ in their source alone as one."""
    wider = {**RULE, "cidr_blocks": ["0.0.0.0/0", "10.0.0.0/8"]}
    change = drifted(GROUP, ingress(RULE), ingress(wider), managed=(SSH,))
    assert [each.path for each in change.updates if each.matters] == ["ingress[0].cidr_blocks[1]"]


def test_a_rule_that_is_gone_shows_on_its_own_resource() -> None:
    """After Terraform itself took a rule away the group's state still knows it."""
    assert not drifted(GROUP, ingress(RULE), ingress()).matters


def test_rules_of_each_kind_of_resource_are_known() -> None:
    """The older rule resource, a group that lets itself in, everything, another group."""
    everything = {**RULE, "protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": []}
    shown = [
        {**everything, "self": True},
        {**RULE, "cidr_blocks": ["10.0.0.0/8"], "ipv6_cidr_blocks": ["::/0"]},
        {**RULE, "cidr_blocks": [], "security_groups": ["sg-2"]},
    ]
    managed = (
        {
            "type": "aws_vpc_security_group_ingress_rule",
            "values": {
                "security_group_id": "sg-1",
                "referenced_security_group_id": "sg-1",
                "ip_protocol": "-1",
            },
        },
        {
            "type": "aws_security_group_rule",
            "values": {
                **RULE,
                "type": "ingress",
                "security_group_id": "sg-1",
                "cidr_blocks": ["10.0.0.0/8"],
                "ipv6_cidr_blocks": ["::/0"],
            },
        },
        {
            "type": "aws_security_group_rule",
            "values": {
                **RULE,
                "type": "ingress",
                "security_group_id": "sg-1",
                "cidr_blocks": None,
                "source_security_group_id": "sg-2",
            },
        },
    )
    assert not drifted(GROUP, ingress(), ingress(*shown), managed=managed).matters


def test_another_groups_rule_opens_nothing_here() -> None:
    """A rule counts for the group that it is of."""
    elsewhere = {**SSH, "values": {**SSH["values"], "security_group_id": "sg-2"}}  # type: ignore[dict-item]
    assert drifted(GROUP, ingress(), ingress(RULE), managed=(elsewhere,)).matters


def test_a_data_source_gives_no_access() -> None:
    """What is only read was not made by this configuration."""
    assert drifted(GROUP, ingress(), ingress(RULE), managed=({**SSH, "mode": "data"},)).matters


@pytest.mark.parametrize(
    ("address", "before", "after", "managed"),
    [
        (
            "aws_iam_role.vm",
            {"name": "vm", "inline_policy": []},
            {"name": "vm", "inline_policy": [{"name": "vm", "policy": "{}"}]},
            ROLE_POLICY,
        ),
        (
            "aws_iam_role.vm",
            {"name": "vm", "managed_policy_arns": []},
            {"name": "vm", "managed_policy_arns": ["arn:p"]},
            {
                "type": "aws_iam_role_policy_attachment",
                "values": {"role": "vm", "policy_arn": "arn:p"},
            },
        ),
        (
            "aws_s3_bucket.b",
            {"id": "b", "policy": ""},
            {"id": "b", "policy": '{"Statement": []}'},
            {"type": "aws_s3_bucket_policy", "values": {"bucket": "b"}},
        ),
    ],
)
def test_policies_matter_unless_a_resource_made_them(
    address: str, before: Any, after: Any, managed: Any
) -> None:
    """A policy that was attached by hand is access; one that a resource attached is noise."""
    assert not drifted(address, before, after, managed=(managed,)).matters
    assert drifted(address, before, after).matters


def test_a_hidden_value_matters_where_it_is_configured() -> None:
    """Hidden, and still compared."""
    change = resource(
        "aws_x.y",
        "update",
        {"word": "canary-before"},
        {"word": "canary-after"},
        before_sensitive={"word": True},
        after_sensitive={"word": True},
    )
    block = {"type": "aws_x", "name": "y", "expressions": {"word": LEAF}}
    plan = read_plan(
        encoded(
            document(resource_drift=[change], configuration={"root_module": {"resources": [block]}})
        )
    )[0]
    assert plan.drifted
    assert "canary" not in plan.model_dump_json()


def test_drift_is_read_back_as_it_was_sealed() -> None:
    """What `show` says of drift is what `plan` said."""
    plan = read_plan(
        encoded(
            document(
                resource_drift=[resource("aws_x.y", "update", {"tags": None}, {"tags": {}})],
                configuration={"root_module": {}},
            )
        )
    )[0]
    assert not plan.drifted
    assert Plan.from_changes(plan.to_changes()) == plan
