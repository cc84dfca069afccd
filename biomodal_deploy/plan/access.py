"""Access as Terraform shows it on one resource and configures it on others.

A security group shows every rule that it has, whichever resource made it, and a role all of its
policies. Right after an apply the group's own state knows none of them, so Terraform calls each
one drift. Less what the plan's other resources give, only access remains that was given by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from biomodal_deploy.plan.document import Module, PlanDocument

Grant: TypeAlias = tuple[object, ...]
_Values: TypeAlias = Mapping[str, object]
_Reader: TypeAlias = Callable[[object, object], Iterator[Grant]]

_ONE_RULE: Final = {
    "aws_vpc_security_group_ingress_rule": "ingress",
    "aws_vpc_security_group_egress_rule": "egress",
}
_SOURCES: Final = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
_SOURCE_LISTS: Final = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")


class ManagedAccess:
    """The access that a plan's resources give.

    Args:
        plan: The plan; its state was refreshed.
    """

    def __init__(self, plan: PlanDocument) -> None:
        self._grants = frozenset(_given(plan.prior_state.values.root_module))

    def by_hand(self, kind: str, values: object, attribute: str, shown: object) -> frozenset[Grant]:
        """Return the access that an attribute shows and no resource gives.

        Args:
            kind: The type of the resource that shows it.
            shown: Its value, or one element of that.

        Returns:
            What was given by hand; nothing for an attribute that is not about access.
        """
        known = _READERS.get((kind, attribute))
        if known is None:
            return frozenset()
        key, read = known
        owner = _map(values).get(key)
        return frozenset((attribute, owner, *each) for each in read(shown, owner)) - self._grants


def _given(module: Module) -> Iterator[Grant]:
    for resource in module.resources:
        if resource.mode == "managed":
            yield from _given_by(resource.type, _map(resource.values))
    for child in module.child_modules:
        yield from _given(child)


def _given_by(kind: str, values: _Values) -> Iterator[Grant]:
    if kind in _ONE_RULE:
        span = _span(values.get("ip_protocol"), values)
        for source in filter(None, map(values.get, _SOURCES)):
            yield (_ONE_RULE[kind], values.get("security_group_id"), *span, source)
    elif kind == "aws_security_group_rule":
        group = values.get("security_group_id")
        rule = {**values, "security_groups": [values.get("source_security_group_id")]}
        for grant in _rules(rule, group):
            yield (values.get("type"), group, *grant)
    elif kind == "aws_iam_role_policy":
        yield ("inline_policy", values.get("role"), values.get("name"))
    elif kind == "aws_iam_role_policy_attachment":
        yield ("managed_policy_arns", values.get("role"), values.get("policy_arn"))
    elif kind == "aws_s3_bucket_policy":
        yield ("policy", values.get("bucket"))


def _rules(shown: object, group: object) -> Iterator[Grant]:
    """Yield who may send what, one source each: AWS merges rules that differ in that alone."""
    for rule in map(_map, _list(shown)):
        sources = [source for name in _SOURCE_LISTS for source in _list(rule.get(name))]
        for source in [*sources, group if rule.get("self") else None]:
            if source is not None:
                yield (*_span(rule.get("protocol"), rule), source)


def _span(protocol: object, rule: _Values) -> Grant:
    # One resource leaves the ports of a rule for everything empty, another says 0.
    everything = protocol in ("-1", "all")
    return ("-1",) if everything else (protocol, rule.get("from_port"), rule.get("to_port"))


def _policies(shown: object, _: object) -> Iterator[Grant]:
    return ((_map(policy).get("name"),) for policy in _list(shown))


def _each(shown: object, _: object) -> Iterator[Grant]:
    return ((item,) for item in _list(shown))


def _any(shown: object, _: object) -> Iterator[Grant]:
    if shown:
        yield ()


# By type and attribute: what names the resource elsewhere, and how to read what it shows.
_READERS: Final[Mapping[tuple[str, str], tuple[str, _Reader]]] = {
    ("aws_security_group", "ingress"): ("id", _rules),
    ("aws_security_group", "egress"): ("id", _rules),
    ("aws_iam_role", "inline_policy"): ("name", _policies),
    ("aws_iam_role", "managed_policy_arns"): ("name", _each),
    ("aws_s3_bucket", "policy"): ("id", _any),
}


def _map(value: object) -> _Values:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]
