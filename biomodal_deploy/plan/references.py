"""Which resources a resource refers to, through data sources, variables and outputs of modules.

The document names what each argument mentions: `aws_iam_role.vm_role.arn`, `var.role`,
`module.bootstrap.role_arn`. Only names of the configuration come out, and no value of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from biomodal_deploy.plan.document import ModuleConfiguration, PlanDocument

INDEX: Final = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]')
_DEEPEST: Final = 100  # calls in calls; a document that goes deeper was not written by Terraform


def plain(address: str) -> str:
    """Return an address without the keys of `count` and `for_each`."""
    return INDEX.sub("", address)


class References:
    """What each resource of a plan refers to, and which provisioners it has, without keys."""

    def __init__(self, plan: PlanDocument) -> None:
        self.provisioners: dict[str, tuple[str, ...]] = {}
        self._mentions: dict[str, frozenset[str]] = {}
        self._known: set[str] = set()
        if plan.configuration:
            self._read(plan.configuration.root_module, "")

    def of(self, address: str) -> tuple[str, ...]:
        """Return resources and data sources, by address without keys, sorted.

        What lies behind a variable or an output is followed; what lies behind a resource or a
        data source is theirs.
        """
        found: set[str] = set()
        seen: set[str] = set()
        ahead = list(self._mentions.get(plain(address), ()))
        while ahead:
            name = ahead.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self._known:
                found.add(name)
            else:
                ahead.extend(self._mentions.get(name, ()))
        return tuple(sorted(found - {plain(address)}))

    def _read(self, module: ModuleConfiguration, prefix: str, depth: int = 0) -> None:
        for resource in module.resources:
            data = "data." if resource.mode == "data" else ""
            address = f"{prefix}{data}{resource.type}.{resource.name}"
            self._known.add(address)
            if resource.provisioners:
                self.provisioners[address] = tuple(each.type for each in resource.provisioners)
            self._mention(address, prefix, resource.expressions)
        for name, output in module.outputs.items():
            self._mention(f"{prefix}output.{name}", prefix, output.expression)
        for name, call in module.module_calls.items():
            inner = f"{prefix}module.{name}."
            for argument, expression in call.expressions.items():
                self._mention(f"{inner}var.{argument}", prefix, expression)
            if call.module and depth < _DEEPEST:
                self._read(call.module, inner, depth + 1)

    def _mention(self, what: str, prefix: str, expression: object) -> None:
        names = frozenset(f"{prefix}{name}" for name in _names(_mentioned(expression)))
        self._mentions[what] = self._mentions.get(what, frozenset()) | names


def _mentioned(expression: object) -> Iterator[str]:
    if isinstance(expression, dict):
        for key, inner in expression.items():
            if key == "references" and isinstance(inner, list):
                yield from (name for name in inner if isinstance(name, str))
            else:
                yield from _mentioned(inner)
    elif isinstance(expression, list):
        for inner in expression:
            yield from _mentioned(inner)


def _names(references: Iterable[str]) -> Iterator[str]:
    for reference in references:
        first, *rest = plain(reference).split(".")
        if first == "module" and len(rest) >= 2:
            yield f"module.{rest[0]}.output.{rest[1]}"
        elif first == "data" and len(rest) >= 2:
            yield ".".join((first, *rest[:2]))
        elif rest:
            yield f"{first}.{rest[0]}"
