"""Statements of IAM policies, taken apart so that two policies can be compared."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final, TypeAlias

from biomodal_deploy.iam.evaluate import matches
from biomodal_deploy.plan.changes import Values, as_list, as_map
from biomodal_deploy.review.report.access import (
    Severity,
    vague,
    words,
)

# Action, resource, principal.
Part: TypeAlias = tuple[str, str, str]

_MOST_PARTS: Final = 20_000  # a statement with more is compared as a whole


@dataclass(frozen=True)
class ComparedStatement:
    """One statement.

    Attributes:
        denies: Whether it takes access away.
        actions, resources, principals: What it is about; `everything but ...` for `NotAction` and
            its like. A policy of a role or user names no principal.
        condition: Its conditions as canonical JSON; empty where there are none.
    """

    denies: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...]
    condition: str

    def parts(self) -> Iterator[Part]:
        """Yield every combination of what it is about."""
        parts = (self.actions, self.resources or ("",), self.principals or ("",))
        if len(parts[0]) * len(parts[1]) * len(parts[2]) > _MOST_PARTS:
            yield tuple(", ".join(each) for each in parts)  # type: ignore[misc]
        else:
            yield from product(*parts)

    def covers(self, part: Part, other: ComparedStatement) -> bool:
        """Whether it says of a part of another statement the same."""
        if self.denies != other.denies or self.condition not in ("", other.condition):
            return False
        if self.denies and self.condition != other.condition:
            return False
        action, resource, principal = part
        return (
            any(_matches(each.lower(), action.lower()) for each in self.actions)
            and any(_matches(each, resource) for each in self.resources or ("",))
            and any(_matches(each, principal) for each in self.principals or ("",))
        )

    @property
    def alarm(self) -> str:
        """What it opens to everybody, or to everything; empty where it does neither."""
        if self.denies:
            return ""
        if any(each in ("*", "AWS *") for each in self.principals) and not self.condition:
            return "anyone"
        return "everything" if "*" in self.actions and "*" in self.resources else ""

    @property
    def severity(self) -> Severity:
        """How much it matters that somebody may do this."""
        if self.alarm:
            return Severity.HIGH
        services = all(each.startswith("Service ") for each in self.principals)
        if self.principals and services and set(self.actions) <= {"sts:AssumeRole"}:
            return Severity.LOW  # a role for EC2 or Batch: what it may do stands in its policies
        return Severity.MEDIUM


def statements_of(document: object) -> tuple[ComparedStatement, ...] | None:
    """Read a policy: its JSON text, or what a policy document of Terraform's says.

    Returns:
        None where it is no policy, or cannot be told yet.
    """
    if isinstance(document, str):
        return _of_text(document)
    if not isinstance(document, dict):
        return None
    if "Statement" in document:
        return tuple(_of_json(as_map(each)) for each in as_list(document["Statement"]))
    if isinstance(document.get("statement"), list):
        return tuple(_of_block(as_map(each)) for each in as_list(document["statement"]))
    return None


@lru_cache(maxsize=1_000)
def _of_text(text: str) -> tuple[ComparedStatement, ...] | None:
    """Read a policy's JSON text; many resources of a plan have the same."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return statements_of(json.loads(text))
    except (ValueError, RecursionError):
        return None


def statement_lines(document: object) -> tuple[str, ...]:
    """Return a policy as one line for each statement; nothing where it is no policy."""
    return tuple(
        f"{'deny' if each.denies else 'allow'} "
        + _line(each, each.actions, each.resources, each.principals)
        for each in statements_of(document) or ()
    )


def not_covered(
    statements: Iterable[ComparedStatement], others: Sequence[ComparedStatement], *, denies: bool
) -> Iterator[tuple[str, ComparedStatement]]:
    """Yield what statements say and no other statement does, as a line and the statement."""
    for statement in statements:
        if statement.denies is not denies:
            continue
        parts = list(statement.parts())
        new = [part for part in parts if not any(o.covers(part, statement) for o in others)]
        if len(new) == len(parts):
            line = _line(statement, statement.actions, statement.resources, statement.principals)
            yield line, statement
            continue
        together: dict[frozenset[tuple[str, str]], list[str]] = {}
        by_action: dict[str, set[tuple[str, str]]] = {}
        for action, resource, principal in new:
            by_action.setdefault(action, set()).add((resource, principal))
        for action, where in by_action.items():
            together.setdefault(frozenset(where), []).append(action)
        for key, actions in together.items():
            resources = sorted({resource for resource, _ in key if resource})
            principals = sorted({principal for _, principal in key if principal})
            yield _line(statement, actions, resources, principals), statement


def _line(
    statement: ComparedStatement,
    actions: Sequence[str],
    resources: Sequence[str],
    principals: Sequence[str],
) -> str:
    text = ", ".join(actions) or "nothing"
    text += f" on {', '.join(resources)}" if resources else ""
    text += f" to {', '.join(principals)}" if principals else ""
    text += f" if {statement.condition}" if statement.condition else ""
    return text


def _of_json(statement: Values) -> ComparedStatement:
    principals = [*_principals(statement.get("Principal"))]
    if "NotPrincipal" in statement:
        principals.append(_but(_principals(statement["NotPrincipal"])))
    condition = statement.get("Condition")
    return ComparedStatement(
        denies=statement.get("Effect") == "Deny",
        actions=_said(statement, "Action", "NotAction"),
        resources=_said(statement, "Resource", "NotResource"),
        principals=tuple(principals),
        condition=_canonical(condition) if condition else "",
    )


def _of_block(statement: Values) -> ComparedStatement:
    principals = [
        f"{as_map(each).get('type')} {name}"
        for each in as_list(statement.get("principals"))
        for name in words(as_map(each).get("identifiers"))
    ]
    others = as_list(statement.get("not_principals"))
    if others:
        principals.append(f"everyone but {_canonical(others)}")
    condition = statement.get("condition")
    return ComparedStatement(
        denies=statement.get("effect") == "Deny",
        actions=_said(statement, "actions", "not_actions"),
        resources=_said(statement, "resources", "not_resources"),
        principals=tuple(each.replace("* *", "*") for each in principals),
        condition=_canonical(_conditions(as_list(condition))) if condition else "",
    )


def _conditions(blocks: list[object]) -> object:
    """Return condition blocks in the form that they have in JSON."""
    found: dict[str, dict[str, object]] = {}
    for block in map(as_map, blocks):
        values = as_list(block.get("values"))
        under = found.setdefault(str(block.get("test")), {})
        under[str(block.get("variable"))] = values[0] if len(values) == 1 else values
    return found


def _said(statement: Values, key: str, inverse: str) -> tuple[str, ...]:
    said = words(statement.get(key))
    others = words(statement.get(inverse))
    return (*said, _but(others)) if others else said


def _but(names: Iterable[str]) -> str:
    return f"everything but {', '.join(sorted(names))}"


def _principals(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for kind, names in value.items():
            yield from (f"{kind} {name}" for name in words(names))
    else:
        yield from words(value)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _matches(pattern: str, text: str) -> bool:
    # As a pattern of the other policy a text covers no less than what it spells.
    if pattern in ("*", "AWS *"):
        return True
    if vague(pattern) or vague(text) or text.startswith("everything but "):
        return False
    return matches(pattern, text)
