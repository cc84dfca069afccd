"""Blocks that adopt resources, found from what a plan would delete and create."""

from __future__ import annotations

from typing import Any, Final

import pytest

from biomodal_deploy.plan.adoption import Blocks, Rule, adopted_settings, rule_groups, rule_of
from biomodal_deploy.plan.changes import Action, ResourceChange, Variable
from biomodal_deploy.plan.model import Plan

SSH: Rule = rule_of("sg-1", egress=False, protocol="tcp", ports=(22, 22), source="0.0.0.0/0")
# As a rule of the provider's older kind says it.
# As a rule of the provider's older kind says it, and as one of its own kind does.
_SSH: Final[dict[str, Any]] = {"security_group_id": "sg-1", "from_port": 22, "to_port": 22}
OPEN_SSH: Final = {**_SSH, "type": "ingress", "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}
NEW_SSH: Final = {**_SSH, "ip_protocol": "tcp", "cidr_ipv4": "0.0.0.0/0"}
RULE: Final = {"security_group_id": "sg-1", "ip_protocol": "-1", "cidr_ipv4": "0.0.0.0/0"}

VM_GROUP, HOSTS_GROUP = "aws_security_group.ssh", "aws_security_group.batch_hosts"


def change(address: str, action: Action, **values: object) -> ResourceChange:
    """Return a change of one resource, with its attributes before or after."""
    kind, name = address.partition("[")[0].split(".")[-2:]
    side = "after" if action is Action.CREATE else "before"
    return ResourceChange(address=address, type=kind, name=name, action=action, **{side: values})


def plan(*changes: ResourceChange, **variables: object) -> Plan:
    """Return a plan of these changes."""
    given = tuple(Variable(name=name, value=value) for name, value in variables.items())
    return Plan(format_version="1.2", resource_changes=changes, variables=given)


def test_the_likest_resource_is_moved() -> None:
    """Of two of a kind, the one with the same attributes, whatever the addresses are."""
    blocks = Blocks()
    assert blocks.add(
        plan(
            change("module.m.aws_iam_role.default", Action.DELETE, name="lab"),
            change("aws_iam_role.batch_host_role", Action.CREATE, name="lab-batch-host"),
            change("aws_iam_role.vm_role", Action.CREATE, name="lab"),
            change("aws_eip.public_ip", Action.CREATE, domain="vpc"),
        ),
        {},
    )
    assert blocks.moved == {"module.m.aws_iam_role.default": "aws_iam_role.vm_role"}


def test_a_whole_call_is_one_block() -> None:
    """Where every address inside a module stays, its call alone is moved."""
    blocks = Blocks()
    blocks.add(
        plan(
            *(
                change(f"module.{call}.aws_{kind}.default[0]", action, name="lab")
                for kind in ("eip", "instance")
                for call, action in (("vm", Action.DELETE), ("bootstrap", Action.CREATE))
            )
        ),
        {},
    )
    assert blocks.text() == "moved {\n  from = module.vm\n  to   = module.bootstrap\n}\n"


def test_a_rule_is_imported_and_its_old_resource_leaves_the_state() -> None:
    """Terraform cannot move between kinds; the rule itself stays in the account."""
    new = "aws_vpc_security_group_ingress_rule.ssh_from_anywhere"
    found = plan(
        change("module.m.aws_security_group_rule.ssh[0]", Action.DELETE, **OPEN_SSH),
        change(new, Action.CREATE, **NEW_SSH),
    )
    assert rule_groups(found) == {"sg-1"}
    blocks = Blocks()
    blocks.add(found, {SSH: "sgr-1"})
    assert blocks.imports == {new: "sgr-1"}
    assert blocks.removed == {"module.m.aws_security_group_rule.ssh"}


def test_a_rule_that_nothing_takes_over_stays_a_deletion() -> None:
    """An open port that leaves the state unnoticed would stay open."""
    blocks = Blocks()
    old = change("aws_security_group_rule.ssh", Action.DELETE, **OPEN_SSH)
    assert not blocks.add(plan(old), {SSH: "sgr-1"})
    assert blocks.text() == ""


def test_a_bucket_that_is_used_as_an_existing_one_leaves_the_state() -> None:
    """The stack has it no longer, and must not delete it."""
    blocks = Blocks()
    old = change("aws_s3_bucket.data_bucket[0]", Action.DELETE, bucket="lab-1")
    assert not blocks.add(plan(old, use_existing_bucket_url="s3://other"), {})
    assert blocks.add(plan(old, use_existing_bucket_url="s3://lab-1"), {})
    assert blocks.removed == {"aws_s3_bucket.data_bucket"}


def replaced(old: str, new: str, *paths: str) -> ResourceChange:
    """Return a security group that is moved, and replaced for these attributes."""
    return ResourceChange(
        address=new,
        previous_address=old,
        type="aws_security_group",
        name=new.rpartition(".")[2],
        action=Action.REPLACE,
        before={"id": "sg-1", "description": "ours", "vpc_id": "vpc-1"},
        replace_paths=paths,
    )


@pytest.mark.parametrize(
    ("old", "new", "path", "settings"),
    [
        # The module has an input for the VM's group, and none for the hosts' group.
        (VM_GROUP, "module.bootstrap.ssh", "description", {"ssh_description": "ours"}),
        (HOSTS_GROUP, "module.bootstrap.hosts", "description", {}),
        # What AWS cannot change becomes a setting only where that is why it would be replaced.
        (VM_GROUP, VM_GROUP, "description", {"ssh_description": "ours"}),
        (VM_GROUP, VM_GROUP, "vpc_id", {}),
    ],
)
def test_what_aws_cannot_change_becomes_a_setting(
    old: str, new: str, path: str, settings: dict[str, str]
) -> None:
    """The description that the VM's group has stays, where the module takes it."""
    assert adopted_settings(plan(replaced(old, new, path))) == settings


def test_the_hosts_group_that_the_module_would_replace_stays_in_the_account() -> None:
    """It leaves the state with its rules; one that is replaced for more is a loss to be named."""
    blocks = Blocks()
    old, new = "aws_security_group.batch_hosts", "module.bootstrap.aws_security_group.batch[0]"
    here, there = ({"name_prefix": "lab-batch-"} for _ in range(2))
    blocks.add(plan(change(old, Action.DELETE, **here), change(new, Action.CREATE, **there)), {})
    assert not blocks.add(plan(replaced(old, new, "description", "vpc_id")), {})
    assert blocks.moved == {old: new}
    assert blocks.add(plan(replaced(old, new, "description")), {})
    assert (blocks.moved, blocks.removed) == ({}, {old})
    group = change(old, Action.FORGET, id="sg-1")
    rule = change("aws_vpc_security_group_egress_rule.batch_hosts", Action.DELETE, **RULE)
    assert blocks.add(plan(group, rule), {})
    assert blocks.removed == {old, rule.address}


def test_a_private_key_leaves_the_state() -> None:
    """With the files that the module wrote: nothing of it is in the account."""
    blocks = Blocks()
    blocks.add(plan(change("module.m.tls_private_key.default", Action.DELETE)), {})
    assert blocks.removed == {"module.m.tls_private_key.default"}
