"""IAM's evaluation logic: would these policies allow that request?

Identity policies only, as the deployer's are. Boundaries, service control policies and policies of
resources are not asked. What a condition asks of the request and nobody knows is neither yes nor
no. Source: IAM user guide, "Policy evaluation logic" and "Condition operators".
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import eq
from typing import Final

from biomodal_deploy.iam.language import PolicyDocument, Statement

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_ESCAPES: Final = {"*": "*", "?": "?", "$": "$"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One thing that AWS authorizes; a call of the API can be several.

    Attributes:
        context: Values by condition key; none where the request is known to have no such key.
        complete: Whether a key that is not in the context is known to be absent.
    """

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    complete: bool = False

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return a condition key's values, none where it has none; None where nobody knows."""
        wanted = key.casefold()
        found = (values for name, values in self.context.items() if name.casefold() == wanted)
        return next(found, () if self.complete else None)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What IAM answers.

    Attributes:
        allowed: Whether it allows it; where that depends on something, whether it may.
        by: The statement that decides, None where none speaks of the request.
        depends_on: Condition keys whose values nobody knows and that decide it.
    """

    allowed: bool
    by: Statement | None = None
    depends_on: tuple[str, ...] = ()

    @property
    def certain(self) -> bool:
        """Whether it is allowed whatever the unknown values are."""
        return self.allowed and not self.depends_on


def decide(policies: Iterable[PolicyDocument], request: Request) -> Decision:
    """Return what IAM answers to a request under these policies together."""
    statements = [each for policy in policies for each in policy.statements]
    about = [each for each in statements if _speaks_of(each, request)]
    doubts: tuple[str, ...] = ()
    for statement in (each for each in about if each.effect == "Deny"):
        holds, unknown = _conditions_hold(statement, request)
        if holds:
            return Decision(allowed=False, by=statement)
        doubts += unknown
    perhaps: Decision | None = None
    for statement in (each for each in about if each.effect == "Allow"):
        holds, unknown = _conditions_hold(statement, request)
        if holds:
            return Decision(allowed=True, by=statement, depends_on=doubts)
        if unknown and perhaps is None:
            perhaps = Decision(allowed=True, by=statement, depends_on=doubts + unknown)
    return perhaps or Decision(allowed=False)


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Return whether a text matches a pattern of IAM's: `*` is anything and `?` one character."""
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    # IAM knows * and ?, and no [ranges]. Python's translation never backtracks into a star.
    text = fnmatch.translate(pattern.replace("[", "[[]"))
    return re.compile(text, re.IGNORECASE if ignore_case else 0)


def _speaks_of(statement: Statement, request: Request) -> bool:
    actions = statement.actions or statement.not_actions
    named = any(matches(each, request.action, ignore_case=True) for each in actions)
    if named is bool(statement.not_actions):
        return False
    resources = statement.resources or statement.not_resources
    on = any(matches(_substituted(each, request), request.resource) for each in resources)
    return on is not bool(statement.not_resources)


def _substituted(pattern: str, request: Request) -> str:
    """Return a pattern with IAM's variables put in; one without a value matches nothing."""

    def value(variable: re.Match[str]) -> str:
        name = variable[1].split(",")[0].strip()
        if name in _ESCAPES:
            return _ESCAPES[name]
        values = request.values(name)
        return values[0] if values and len(values) == 1 else "\0"

    return _VARIABLE.sub(value, pattern)


def _conditions_hold(statement: Statement, request: Request) -> tuple[bool | None, tuple[str, ...]]:
    """Return whether all conditions hold, None where that depends on keys, and those keys."""
    unknown: list[str] = []
    for operator, keys in statement.condition.items():
        for key, expected in keys.items():
            holds = _holds(
                operator, [_substituted(each, request) for each in expected], key, request
            )
            if holds is False:
                return False, ()
            if holds is None:
                unknown.append(key)
    return (None if unknown else True), tuple(unknown)


def _holds(operator: str, expected: Sequence[str], key: str, request: Request) -> bool | None:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    actual = request.values(key)
    test = _OPERATORS.get(name)
    # What an empty list of values means is not documented.
    if actual is None or not expected or (test is None and name != "Null"):
        return None
    if name == "Null" or test is None:
        return (not actual) is (expected[0].lower() == "true")
    negated = name in _NEGATED
    # An operator's own way is that one value suffices, and that none may where it is negated.
    every = quantifier == "ForAllValues" or (negated and quantifier != "ForAnyValue")
    if not actual:
        return if_exists or every
    each_holds = [
        any(test(value, wanted) for wanted in expected) is not negated for value in actual
    ]
    return all(each_holds) if every else any(each_holds)


def _arn(value: str, pattern: str) -> bool:
    # Part by part: a `*` in an ARN operator does not reach over a colon.
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) and all(map(matches, patterns, values))


def _same_in_any_case(value: str, wanted: str) -> bool:
    return value.casefold() == wanted.casefold()


_POSITIVE: Final[dict[str, Callable[[str, str], bool]]] = {
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _same_in_any_case,
    "StringEquals": eq,
    "StringEqualsIgnoreCase": _same_in_any_case,
    "StringLike": lambda value, pattern: matches(pattern, value),
}
_NEGATED: Final = {
    re.sub("(Equals|Like)", r"Not\1", name): test
    for name, test in _POSITIVE.items()
    if name != "Bool"
}
_OPERATORS: Final = _POSITIVE | _NEGATED
