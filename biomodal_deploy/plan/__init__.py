"""A plan as data: `read_plan` reads and redacts what `terraform show -json` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from biomodal_deploy.plan import changes, document, model
from biomodal_deploy.plan.changes import (
    Action,
    AttributeChange,
    OutputChange,
    PlanKind,
    ResourceChange,
)
from biomodal_deploy.plan.diff import Difference, Path, differences, holds_unknown, spell
from biomodal_deploy.plan.drift import DriftJudge
from biomodal_deploy.plan.model import Counts, Plan, without_collecting
from biomodal_deploy.plan.redactor import HIDDEN_TEXT, Redactor, hides, mask
from biomodal_deploy.plan.references import References, plain
from biomodal_deploy.plan.secrets import secrets_of, sensitive_variables

__all__ = [
    "HIDDEN_TEXT",
    "Action",
    "AttributeChange",
    "Counts",
    "OutputChange",
    "Plan",
    "PlanKind",
    "Redactor",
    "ResourceChange",
    "read_plan",
]


_Matters: TypeAlias = Callable[[Difference], bool]

_NO_CONSTRUCTS: Mapping[str, str] = MappingProxyType({})
# Their attributes are kept where nothing changes as well: what an environment costs rests on them.
_KEPT_UNCHANGED = frozenset(
    {
        "aws_batch_compute_environment",
        "aws_ebs_volume",
        "aws_instance",
        "aws_launch_template",
        "aws_s3_bucket_lifecycle_configuration",
        "aws_vpc_endpoint",
    }
)
_INDEX_KEY = re.compile(r'\["(?:[^"\\]|\\.)*"\]')


def read_plan(
    raw: bytes, constructs: Mapping[str, str] = _NO_CONSTRUCTS, secrets: Iterable[str] = ()
) -> tuple[model.Plan, Redactor]:
    """Read and redact a plan document; return with it what scrubs its secrets from log lines.

    Args:
        raw: What `terraform show -json` printed.
        constructs: The construct path of resources and module calls, by address without keys.
        secrets: What is secret besides: values that nothing in the document marks.
    """
    with without_collecting():
        parsed = document.parse(raw)
        redactor = Redactor((*secrets_of(parsed), *secrets))
        return _Reader(redactor, References(parsed), constructs).plan(parsed), redactor


def _all(_: Difference) -> bool:
    return True


class _Reader:
    def __init__(
        self, redactor: Redactor, references: References, constructs: Mapping[str, str]
    ) -> None:
        self._redactor, self._references, self._constructs = redactor, references, constructs

    def plan(self, parsed: document.PlanDocument) -> model.Plan:
        secret = sensitive_variables(parsed)
        return model.Plan(
            format_version=parsed.format_version,
            terraform_version=parsed.terraform_version,
            timestamp=parsed.timestamp,
            applyable=parsed.applyable,
            complete=parsed.complete,
            errored=parsed.errored,
            resource_changes=tuple(map(self._resource, parsed.resource_changes)),
            output_changes=tuple(
                self._output(name, change) for name, change in sorted(parsed.output_changes.items())
            ),
            drift=tuple(self._drifted(DriftJudge(parsed), parsed.resource_drift)),
            deferred=tuple(
                changes.DeferredChange(reason=d.reason, change=self._resource(d.resource_change))
                for d in parsed.deferred_changes
            ),
            unknown_parts=tuple(self._unknown_parts(parsed)),
            checks=tuple(self._checks(parsed.checks)),
            variables=tuple(
                changes.Variable(
                    name=name,
                    value=self._redactor.value(mask(variable.value, name in secret)),
                    sensitive=name in secret,
                )
                for name, variable in sorted(parsed.variables.items())
            ),
            images=dict(self._images(parsed.prior_state.values.root_module)),
        )

    def _images(self, module: document.Module) -> Iterator[tuple[str, str]]:
        for resource in module.resources:
            if resource.type == "aws_ami" and isinstance(resource.values, dict):
                pair = (resource.values.get("id"), resource.values.get("name"))
                image, name = map(self._redactor.value, pair)
                if isinstance(image, str) and isinstance(name, str):
                    yield image, name
        for child in module.child_modules:
            yield from self._images(child)

    def _drifted(
        self, judge: DriftJudge, drift: Iterable[document.ResourceChange]
    ) -> Iterator[changes.ResourceChange]:
        return (self._resource(each, partial(judge.matters, each)) for each in drift)

    def _resource(
        self, resource: document.ResourceChange, matters: _Matters = _all
    ) -> changes.ResourceChange:
        change = resource.change
        action = Action.of(change.actions)
        shown = action is not Action.NO_OP or resource.type in _KEPT_UNCHANGED
        before = mask(change.before, change.before_sensitive) if shown else None
        after = mask(change.after, change.after_sensitive, change.after_unknown) if shown else None
        importing = change.importing
        return changes.ResourceChange(
            address=self._address(resource.address),
            type=resource.type,
            name=resource.name,
            action=action,
            actions=tuple(change.actions),
            module=self._address(resource.module_address),
            mode=resource.mode,
            provider=resource.provider_name,
            previous_address=self._address(resource.previous_address or "") or None,
            deposed=resource.deposed,
            reason=resource.action_reason,
            imported=importing is not None,
            import_id=self._redactor.text(importing.id) if importing and importing.id else None,
            replace_paths=tuple(self._path(path) for path in change.replace_paths),
            construct_path=self._construct_path(resource),
            refers_to=self._references.of(resource.address),
            provisioners=self._references.provisioners.get(plain(resource.address), ()),
            before=self._tree(before),
            after=self._tree(after),
            updates=tuple(self._updates(before, after, change.replace_paths, matters)),
        )

    def _construct_path(self, resource: document.ResourceChange) -> str:
        """Return its own construct's path, else that of the module call around it."""
        module = plain(resource.module_address)
        call = ".".join(module.split(".")[:2])
        path = self._constructs.get(plain(resource.address)) or self._constructs.get(call, "")
        return self._redactor.text(path)

    def _updates(
        self, before: object, after: object, replace_paths: list[list[str | int]], matters: _Matters
    ) -> Iterator[changes.AttributeChange]:
        if before is None or after is None:
            return
        for found in differences(before, after):
            old, new = self._redactor.value(found.before), self._redactor.value(found.after)
            yield changes.AttributeChange(
                path=self._path(found.path),
                before=old,
                after=new,
                sensitive=hides(old) or hides(new),
                unknown=holds_unknown(found.after),
                forces_replacement=any(_covers(path, found.path) for path in replace_paths),
                matters=matters(found),
            )

    def _output(self, name: str, change: document.Change) -> changes.OutputChange:
        after = mask(change.after, change.after_sensitive, change.after_unknown)
        old = self._redactor.value(mask(change.before, change.before_sensitive))
        new = self._redactor.value(after)
        return changes.OutputChange(
            name=name,
            action=Action.of(change.actions),
            before=old,
            after=new,
            sensitive=hides(old) or hides(new),
            unknown=holds_unknown(after),
        )

    def _unknown_parts(self, parsed: document.PlanDocument) -> Iterator[str]:
        for invocation in parsed.action_invocations:
            yield f"{self._address(invocation.address)}: invoked by the provider"
        if parsed.deferred_action_invocations:
            yield f"{len(parsed.deferred_action_invocations)} deferred invocations"

    def _checks(self, checks: list[document.Check]) -> Iterator[changes.Check]:
        for check in checks:
            if not check.instances:
                yield self._check(check, check.address, check.status, [])
            for instance in check.instances:
                yield self._check(check, instance.address, instance.status, instance.problems)

    def _check(
        self,
        check: document.Check,
        address: document.CheckAddress,
        status: str,
        problems: list[document.CheckProblem],
    ) -> changes.Check:
        return changes.Check(
            address=self._address(address.to_display or check.address.to_display),
            kind=check.address.kind,
            status=status,
            problems=tuple(self._redactor.text(problem.message) for problem in problems),
        )

    def _tree(self, value: object) -> dict[str, object] | None:
        tree = self._redactor.value(value)
        return tree if isinstance(tree, dict) else None if tree is None else {"": tree}

    def _path(self, path: Path | list[str | int]) -> str:
        return self._redactor.text(spell(path))

    def _address(self, address: str) -> str:
        # Only the keys of `for_each` are data. The rest is spelled in the configuration, and a
        # guard must find it there: a variable whose secret value is "default" hides no address.
        return _INDEX_KEY.sub(lambda key: self._redactor.text(key[0]), address)


def _covers(cause: list[str | int], path: Path) -> bool:
    shorter = min(len(cause), len(path))
    return tuple(cause[:shorter]) == path[:shorter]
