"""Which of the differences between state and reality matter, and which AWS just filled in.

Right after an apply Terraform finds drift in half of the resources: tags that were nothing and
are now an empty map, an address that a machine got with its Elastic IP, rules and policies that
other resources made. Who sees that each day overlooks the port that somebody opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from biomodal_deploy.plan.changes import Action, Values, as_list, as_map
from biomodal_deploy.plan.diff import Difference, Path
from biomodal_deploy.plan.document import Module, ModuleConfiguration, PlanDocument, ResourceChange
from biomodal_deploy.plan.references import plain

Grant: TypeAlias = tuple[object, ...]
_Reader: TypeAlias = Callable[[object, object], Iterator[Grant]]

LEGACY_RULE: Final = "aws_security_group_rule"
ONE_RULE: Final = {
    "aws_vpc_security_group_ingress_rule": "ingress",
    "aws_vpc_security_group_egress_rule": "egress",
}
SOURCES: Final = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
SOURCE_LISTS: Final = ("cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups")
_EXPRESSION: Final = frozenset({"constant_value", "references"})
_TAGS: Final = ("tags", "tags_all")


class ManagedAccess:
    """The access that a plan's resources give, by which what was given by hand is told.

    A security group shows every rule that it has, whichever resource made it, and a role all of
    its policies. Right after an apply the group's own state knows none of them, so Terraform calls
    each one drift. Less what the plan's other resources give, only access remains that was given
    by hand.
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
        owner = as_map(values).get(key)
        return frozenset((attribute, owner, *each) for each in read(shown, owner)) - self._grants


def _given(module: Module) -> Iterator[Grant]:
    for resource in module.resources:
        if resource.mode == "managed":
            yield from _given_by(resource.type, as_map(resource.values))
    for child in module.child_modules:
        yield from _given(child)


def _given_by(kind: str, values: Values) -> Iterator[Grant]:
    if kind in ONE_RULE:
        span = _span(values.get("ip_protocol"), values)
        for source in filter(None, map(values.get, SOURCES)):
            yield (ONE_RULE[kind], values.get("security_group_id"), *span, source)
    elif kind == LEGACY_RULE:
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
    for rule in map(as_map, as_list(shown)):
        sources = [source for name in SOURCE_LISTS for source in as_list(rule.get(name))]
        for source in [*sources, group if rule.get("self") else None]:
            if source is not None:
                yield (*_span(rule.get("protocol"), rule), source)


def _span(protocol: object, rule: Values) -> Grant:
    # One resource leaves the ports of a rule for everything empty, another says 0.
    everything = protocol in ("-1", "all")
    return ("-1",) if everything else (protocol, rule.get("from_port"), rule.get("to_port"))


def _any(shown: object, _: object) -> Iterator[Grant]:
    if shown:
        yield ()


# By type and attribute: what names the resource elsewhere, and how to read what it shows.
_READERS: Final[Mapping[tuple[str, str], tuple[str, _Reader]]] = {
    ("aws_security_group", "ingress"): ("id", _rules),
    ("aws_security_group", "egress"): ("id", _rules),
    ("aws_iam_role", "inline_policy"): (
        "name",
        lambda shown, _: ((as_map(policy).get("name"),) for policy in as_list(shown)),
    ),
    ("aws_iam_role", "managed_policy_arns"): (
        "name",
        lambda shown, _: ((item,) for item in as_list(shown)),
    ),
    ("aws_s3_bucket", "policy"): ("id", _any),
}


class DriftJudge:
    """Says which differences of drifted objects matter.

    Those do that touch what the configuration sets, tags, or access that was given by hand, and
    whatever the plan changes back: a default of the provider is configured nowhere, and a plan
    restores it all the same. The rest was computed by AWS. An argument that only a `dynamic` block
    sets counts as computed where the plan leaves it alone: Terraform's document does not show it.
    """

    def __init__(self, plan: PlanDocument) -> None:
        root = plan.configuration.root_module if plan.configuration else None
        self._configured = dict(_resources(root)) if root else None
        self._access = ManagedAccess(plan)
        self._planned = {
            (each.address, each.deposed): each.change
            for each in plan.resource_changes
            if Action.of(each.change.actions).acts
        }

    def matters(self, resource: ResourceChange, found: Difference) -> bool:
        """Whether a difference of a drifted object matters."""
        if _is_empty(found.before) and _is_empty(found.after):
            return False
        attribute = str(found.path[0]) if found.path else ""
        settings = self._settings(resource)
        if attribute in _TAGS or settings is None:
            return True
        if attribute in settings and _sets(settings[attribute], found.path[1:]):
            return True
        return self._reverted(resource, found) or self._opened(resource, attribute, found)

    def _settings(self, resource: ResourceChange) -> Mapping[str, object] | None:
        """Return what the configuration sets; None where it does not know the object."""
        if self._configured is None:
            return None
        address = f"{resource.type}.{resource.name}"
        if resource.module_address:
            address = f"{plain(resource.module_address)}.{address}"
        return self._configured.get(address)

    def _reverted(self, resource: ResourceChange, found: Difference) -> bool:
        """Whether the plan takes a difference back, to the value that it had before."""
        planned = self._planned.get((resource.address, resource.deposed))
        if planned is None or not isinstance(planned.after, dict):
            return False
        after = _at(planned.after, found.path)
        return after == found.before and _at(planned.before, found.path) == found.after

    def _opened(self, resource: ResourceChange, attribute: str, found: Difference) -> bool:
        """Whether access was given by hand. What was taken away shows on its own resource."""
        if found.after is None:
            return False
        before, after = resource.change.before, resource.change.after
        shown = _of(after, attribute)
        index = found.path[1] if len(found.path) > 1 else None
        if isinstance(shown, list) and isinstance(index, int):
            shown = shown[index]
        new = self._access.by_hand(resource.type, after, attribute, shown)
        old = self._access.by_hand(resource.type, before, attribute, _of(before, attribute))
        return bool(new - old)


def _resources(
    module: ModuleConfiguration, prefix: str = ""
) -> Iterator[tuple[str, Mapping[str, object]]]:
    for resource in module.resources:
        if resource.mode == "managed":
            yield f"{prefix}{resource.type}.{resource.name}", resource.expressions
    for name, call in module.module_calls.items():
        if call.module:
            yield from _resources(call.module, f"{prefix}module.{name}.")


def _sets(settings: object, path: Path) -> bool:
    """Whether a configuration sets what lies at a path, or something within it."""
    if not path:
        return True
    if isinstance(settings, list):  # blocks, which an index chooses from; a set has no order
        rest = path[1:] if isinstance(path[0], int) else path
        return any(_sets(block, rest) for block in settings)
    if not isinstance(settings, dict) or settings.keys() <= _EXPRESSION:
        return True
    key = path[0]
    if isinstance(key, int):  # a single block, which the state holds as a list of one
        return _sets(settings, path[1:])
    return key in settings and _sets(settings[key], path[1:])


def _is_empty(value: object) -> bool:
    """Whether a value says nothing: null and an empty list are the same to AWS."""
    if isinstance(value, dict):
        return all(map(_is_empty, value.values()))
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or value == ""


def _at(value: object, path: Path) -> object:
    """Return what lies at a path; None where nothing does, or where only the apply knows it."""
    for key in path:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def _of(values: object, attribute: str) -> object:
    return values.get(attribute) if isinstance(values, dict) else None
