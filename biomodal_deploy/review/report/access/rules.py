"""Security group rules as one source each, so that two sets of them can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from biomodal_deploy.plan import ResourceChange
from biomodal_deploy.plan.changes import Values, as_list, as_map
from biomodal_deploy.plan.drift import LEGACY_RULE, ONE_RULE, SOURCE_LISTS, SOURCES
from biomodal_deploy.review.report.access import Severity, vague

GROUPS: Final = frozenset({"aws_security_group", "aws_default_security_group"})
_EVERYTHING: Final = ("-1", "all")
_PORTS: Final = (0, 65535)
_ANYONE_BITS: Final = 4  # a source of a sixteenth of the internet is as good as open


@dataclass(frozen=True)
class SecurityGroupRule:
    """Traffic that one security group lets through, from or to one source.

    Attributes:
        owner: The group.
        direction: `in` or `out`.
        protocol: `-1` for everything.
        ports: The first and the last; None where they are not known.
        source: A CIDR, a prefix list or a group.
    """

    owner: str
    direction: str
    protocol: str
    ports: tuple[int, int] | None
    source: str

    def covers(self, other: SecurityGroupRule) -> bool:
        """Whether it lets through all that another does."""
        if (self.owner, self.direction) != (other.owner, other.direction):
            return False
        if self.protocol not in _EVERYTHING:
            if self.protocol != other.protocol or self.ports is None or other.ports is None:
                return False
            if not self.ports[0] <= other.ports[0] <= other.ports[1] <= self.ports[1]:
                return False
        return _contains(self.source, other.source)

    @property
    def anyone(self) -> bool:
        """Whether everybody on the internet may send."""
        network = _network(self.source)
        return self.direction == "in" and network is not None and network.prefixlen <= _ANYONE_BITS

    @property
    def severity(self) -> Severity:
        """How much it matters that somebody may send this."""
        network = _network(self.source)
        if self.anyone:
            return Severity.HIGH
        outside = self.direction == "in" and (network is None or not network.is_private)
        return Severity.MEDIUM if outside and not self._is_group else Severity.LOW

    @property
    def _is_group(self) -> bool:
        return self.source.startswith("sg-") or self.source == self.owner

    def __str__(self) -> str:
        way = "from" if self.direction == "in" else "to"
        return f"{'incoming' if self.direction == 'in' else 'outgoing'} {self._what()} {way} " + (
            self.source
        )

    def _what(self) -> str:
        if self.protocol in _EVERYTHING:
            return "traffic of every kind"
        if self.ports is None:
            return f"{self.protocol}, ports not yet known,"
        low, high = self.ports
        if (low, high) == _PORTS or low < 0:
            return f"{self.protocol}, every port,"
        return f"{self.protocol} {low}" if low == high else f"{self.protocol} {low}-{high}"


def shows_rules(change: ResourceChange) -> bool:
    """Whether a resource is about security group rules."""
    return change.type in ONE_RULE or change.type in GROUPS or change.type == LEGACY_RULE


def rules_of(change: ResourceChange, values: Values) -> Iterator[SecurityGroupRule]:
    """Yield the rules that a resource gives, with the values before or after."""
    if change.type in ONE_RULE:
        owner = _owner(change, values, "security_group_id")
        direction = "in" if ONE_RULE[change.type] == "ingress" else "out"
        for source in filter(None, map(values.get, SOURCES)):
            protocol = str(values.get("ip_protocol"))
            yield SecurityGroupRule(owner, direction, protocol, _ports(values), str(source))
    elif change.type == LEGACY_RULE:
        owner = _owner(change, values, "security_group_id")
        direction = "in" if values.get("type") == "ingress" else "out"
        rule = {**values, "security_groups": values.get("source_security_group_id")}
        yield from _rules(owner, direction, [rule])
    elif change.type in GROUPS:
        owner = _owner(change, values, "id")
        for name, direction in (("ingress", "in"), ("egress", "out")):
            yield from _rules(owner, direction, as_list(values.get(name)))


def _rules(owner: str, direction: str, shown: list[object]) -> Iterator[SecurityGroupRule]:
    for rule in map(as_map, shown):
        sources = [source for name in SOURCE_LISTS for source in as_list(rule.get(name))]
        if rule.get("self") is True:
            sources.append(owner)
        for source in filter(None, sources):
            yield SecurityGroupRule(
                owner, direction, str(rule.get("protocol")), _ports(rule), str(source)
            )


def _owner(change: ResourceChange, values: Values, key: str) -> str:
    """Return the group's id; where it has none yet, the address that is referred to."""
    known = (values.get(key), (change.before or {}).get(key))
    for owner in known:
        if isinstance(owner, str) and owner and not vague(owner):
            return owner
    if change.type in GROUPS:
        return change.address
    groups = [name for name in change.refers_to if ".aws_security_group." in f".{name}"]
    return groups[0] if len(groups) == 1 else change.address


def _ports(rule: Values) -> tuple[int, int] | None:
    low, high = rule.get("from_port"), rule.get("to_port")
    if type(low) is int and type(high) is int:
        return low, high
    return _PORTS if low is None and high is None else None


def _contains(outer: str, inner: str) -> bool:
    if vague(outer) or vague(inner):
        return False
    if outer == inner:
        return True
    mine, theirs = _network(outer), _network(inner)
    if isinstance(mine, IPv4Network) and isinstance(theirs, IPv4Network):
        return theirs.subnet_of(mine)
    if isinstance(mine, IPv6Network) and isinstance(theirs, IPv6Network):
        return theirs.subnet_of(mine)
    return False


def _network(source: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(source, strict=False)
    except ValueError:
        return None  # a prefix list, or another group
