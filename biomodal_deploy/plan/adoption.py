"""What adopts existing resources: `moved`, `import` and `removed` blocks, found from a plan.

A plan without them would delete what the state holds under other addresses and create it again.
So each deletion is matched with the creation that it becomes, whatever the addresses on either
side are: an upstream module, a configuration of somebody's own, or another stack of this project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from biomodal_deploy.plan.changes import Action, ResourceChange
from biomodal_deploy.plan.drift import LEGACY_RULE, ONE_RULE
from biomodal_deploy.plan.model import Plan
from biomodal_deploy.plan.references import INDEX, plain

# Files on the machine that applied, and the private key in the state: nothing in AWS.
_LOCAL: Final = frozenset({"tls_private_key", "local_file", "local_sensitive_file"})
# What AWS cannot change in place and the stack takes from its settings instead.
_SETTINGS: Final = {
    ("aws_security_group.ssh", "description"): "ssh_description",
    ("aws_security_group.batch_hosts", "description"): "batch_description",
    ("aws_s3_bucket.data_bucket", "bucket"): "bucket",
}
# What the upstream module takes of it, by where a native stack has it.
_MODULE_SETTINGS: Final = {("aws_security_group.ssh", "description"): "ssh_description"}
_HOSTS_GROUP: Final = "aws_security_group.batch_hosts"

Rule = tuple[str, ...]
"""A permission as AWS knows it: group, direction, protocol, ports and range."""


@dataclass
class Blocks:
    """What Terraform is to adopt, and how.

    Attributes:
        moved: The new address by the old one.
        imports: The id by address.
        removed: Resources, without keys, that leave the state and stay in the account.
    """

    moved: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

    def add(self, plan: Plan, existing: Mapping[Rule, str]) -> bool:
        """Take from a plan what it would still delete and create again.

        Args:
            plan: The plan with the blocks so far.
            existing: The id of each security group rule that the account has.

        Returns:
            Whether there was anything.
        """
        moved = _moves(plan)
        imports = _rule_imports(plan, existing)
        left = _left_groups(plan)
        removed = _removals(plan, imports) | left
        self.moved = {
            old: new for old, new in (self.moved | moved).items() if plain(old) not in left
        }
        self.imports |= imports
        self.removed |= removed
        return bool(moved or imports or removed)

    def text(self) -> str:
        """Return them as a configuration, as `terraform fmt` leaves it."""
        blocks = [
            *(f"moved {{\n  from = {old}\n  to   = {new}\n}}\n" for old, new in self._calls()),
            *(
                f"import {{\n  to = {address}\n  id = {json.dumps(id_)}\n}}\n"
                for address, id_ in sorted(self.imports.items())
            ),
            *(
                f"removed {{\n  from = {address}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}\n"
                for address in sorted(self.removed)
            ),
        ]
        return "\n".join(blocks)

    def _calls(self) -> list[tuple[str, str]]:
        """Return the moves, one of a whole module call where all of it keeps its addresses."""
        calls = {(_call(old), _call(new)) for old, new in self.moved.items()}
        kept = dict(self.moved)
        for old_call, new_call in calls:
            inside = {old: new for old, new in kept.items() if _call(old) == old_call}
            same = all(
                new == f"{new_call}{old.removeprefix(old_call)}" for old, new in inside.items()
            )
            if old_call and new_call and same:
                kept = {old: new for old, new in kept.items() if old not in inside}
                kept[old_call] = new_call
        return sorted(kept.items())


def import_block(address: str, id_: str) -> str:
    """Return the block that imports one resource."""
    return Blocks(imports={address: id_}).text()


def rule_groups(plan: Plan) -> frozenset[str]:
    """Return the ids of the security groups that a plan would add rules to."""
    found = (
        (each.after or {}).get("security_group_id")
        for each in _of(plan, Action.CREATE)
        if _is_rule(each.type)
    )
    return frozenset(each for each in found if isinstance(each, str) and each.startswith("sg-"))


def adopted_settings(plan: Plan) -> dict[str, str | bool]:
    """Return what the stack's settings have to say, so that nothing is replaced for it."""
    found: dict[str, str | bool] = {}
    for each in plan.changes:
        for attribute, setting in _settings_of(each).items():
            value = (each.before or {}).get(attribute)
            if each.action.replaces and attribute in each.replace_paths and isinstance(value, str):
                found[setting] = value
        # AWS does not give the public key of an imported pair back.
        if each.type == "aws_key_pair" and each.imported and each.action.replaces:
            found["key_pair"] = True
    return found


def _settings_of(change: ResourceChange) -> dict[str, str]:
    """Return the setting for each attribute that a stack can keep."""
    address, settings = change.address, _SETTINGS
    if change.previous_address and _call(change.address):
        address, settings = change.previous_address, _MODULE_SETTINGS
    return {each: setting for (of, each), setting in settings.items() if of == plain(address)}


def _left_groups(plan: Plan) -> set[str]:
    """Return a native stack's group of hosts where the module would replace it for its description.

    It leaves the state and stays: AWS deletes no group that a host has, and jobs may run for days.
    """
    return {
        _HOSTS_GROUP
        for each in plan.changes
        if each.previous_address == _HOSTS_GROUP
        and _call(each.address)
        and each.action.replaces
        and each.replace_paths == ("description",)
    }


def _moves(plan: Plan) -> dict[str, str]:
    deleted = [each for each in _of(plan, Action.DELETE) if not _is_rule(each.type)]
    created = [each for each in _of(plan, Action.CREATE) if not _is_rule(each.type)]
    pairs = sorted(
        (
            (likeness, old, new)
            for old in deleted
            for new in created
            if old.type == new.type
            and ((likeness := _likeness(old, new)) or (_only(old, deleted) and _only(new, created)))
        ),
        key=lambda pair: (-pair[0], pair[1].address, pair[2].address),
    )
    moved: dict[str, str] = {}
    for _, old, new in pairs:
        if old.address not in moved and new.address not in moved.values():
            moved[old.address] = new.address
    return moved


def _only(one: ResourceChange, all_: Collection[ResourceChange]) -> bool:
    return sum(each.type == one.type for each in all_) == 1


def _likeness(old: ResourceChange, new: ResourceChange) -> int:
    """Return how much of a resource another one repeats; the same address in a call wins."""
    before, after = old.before or {}, new.after or {}
    same = sum(
        value == before.get(name) for name, value in after.items() if value not in (None, "", [])
    )
    rest = old.address.removeprefix(_call(old.address))
    return same + 1000 * (rest == new.address.removeprefix(_call(new.address)))


def _rule_imports(plan: Plan, existing: Mapping[Rule, str]) -> dict[str, str]:
    found = {}
    for each in _of(plan, Action.CREATE):
        rules = _rules(each.type, each.after or {})
        if not rules or not all(rule in existing for rule in rules):
            continue
        if each.type in ONE_RULE:
            found[each.address] = existing[rules[0]]
        else:
            group, direction, protocol, start, end, _ = rules[0]
            ranges = "_".join(rule[-1] for rule in rules)
            ports = f"{start or '0'}_{end or '0'}"
            found[each.address] = f"{group}_{direction}_{protocol}_{ports}_{ranges}"
    return found


def _removals(plan: Plan, imports: Collection[str]) -> set[str]:
    """Return what leaves the state: all objects of a resource, or none."""
    kept = {
        rule
        for each in _of(plan, Action.CREATE)
        if each.address in imports
        for rule in _rules(each.type, each.after or {})
    }
    bucket = next(
        (each.value for each in plan.variables if each.name == "use_existing_bucket_url"), None
    )
    left = {(each.before or {}).get("id") for each in _of(plan, Action.FORGET)}
    found: dict[str, bool] = {}
    for each in _of(plan, Action.DELETE):
        before = each.before or {}
        rules = _rules(each.type, before)
        covered = bool(rules) and (
            kept.issuperset(rules) or before.get("security_group_id") in left
        )
        existing = (
            each.type.startswith("aws_s3_bucket") and f"s3://{before.get('bucket')}" == bucket
        )
        address = plain(each.address)
        leaves = each.type in _LOCAL or covered or existing
        found[address] = found.get(address, True) and leaves
    return {address for address, leaves in found.items() if leaves}


def rule_of(
    group: str, *, egress: bool, protocol: str, ports: tuple[object, object], source: str
) -> Rule:
    """Return a rule as it is compared: ports mean nothing where every protocol passes."""
    start, end = ports if protocol != "-1" else (None, None)
    texts = ("" if port is None else str(port) for port in (start, end))
    return (group, "egress" if egress else "ingress", protocol, *texts, source)


def _rules(kind: str, values: Mapping[str, object]) -> list[Rule]:
    if not _is_rule(kind):
        return []
    egress = ONE_RULE.get(kind, values.get("type")) == "egress"
    protocol = str(values.get("ip_protocol" if kind in ONE_RULE else "protocol"))
    return [
        rule_of(
            str(values.get("security_group_id")),
            egress=egress,
            protocol=protocol,
            ports=(values.get("from_port"), values.get("to_port")),
            source=source,
        )
        for source in _ranges(kind, values)
    ]


def _ranges(kind: str, values: Mapping[str, object]) -> Iterator[str]:
    names = ("cidr_ipv4", "cidr_ipv6") if kind in ONE_RULE else ("cidr_blocks", "ipv6_cidr_blocks")
    for name in names:
        value = values.get(name)
        yield from map(str, value if isinstance(value, list) else [value] if value else [])


def _is_rule(kind: str) -> bool:
    return kind == LEGACY_RULE or kind in ONE_RULE


def _of(plan: Plan, action: Action) -> list[ResourceChange]:
    return [each for each in plan.changes if each.managed and each.action is action]


def _call(address: str) -> str:
    """Return the call of the outermost module that an address is in; empty in the root."""
    found = re.match(rf"module\.[\w-]+(?:{INDEX.pattern})?", address)
    return found[0] if found else ""
