"""From blocks, catalog and settings to needs: an action on its resources, in one phase, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.stack import StackSettings
from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.catalog import (
    Catalog,
    CatalogError,
    Condition,
    Grant,
    Phase,
    catalog,
    fill,
)
from biomodal_deploy.iam.functions import UNKNOWN, is_unknown
from biomodal_deploy.iam.stack import Block, Document, Module

EVERYTHING: Final = ("*",)

_WITH_WILDCARDS: Final = ("ArnEquals", "ArnLike", "StringLike")


@dataclass(frozen=True, kw_only=True)
class Need:
    """One action that Terraform needs for one block in one phase.

    Attributes:
        kind: Its kind, as in the catalog.
        resources: On what; `*` alone where AWS allows nothing narrower.
        tags: The block's tags, for judging other policies' conditions.
    """

    address: str
    kind: str
    phase: str
    action: str
    resources: tuple[str, ...]
    condition: Condition = field(hash=False)
    tags: Mapping[str, str] = field(hash=False, repr=False)
    why: str
    unobserved: str | None

    def only(self, resource: str) -> Need:
        """Return the need for one of its resources."""
        return replace(self, resources=(resource,))


@dataclass(frozen=True, kw_only=True)
class Needs:
    """All that a stack needs.

    Attributes:
        items: One by one, in the order of the stack's blocks.
        gaps: Addresses of which nothing is known: their permissions are not among the items.
    """

    place: Place
    items: tuple[Need, ...]
    gaps: tuple[str, ...]

    def of(self, phases: Iterable[Phase]) -> tuple[Need, ...]:
        """Return the needs of some phases."""
        wanted = frozenset(phases)
        return tuple(need for need in self.items if need.phase in wanted)


def needs_of(
    document: Document, values: Mapping[str, JsonValue], place: Place, known: Catalog | None = None
) -> Needs:
    """Return what Terraform needs to plan, apply, update and destroy a stack.

    Args:
        values: Its variables' values, as Terraform will have them.
        known: The catalog to use; the one that ships with this package where None.
    """
    stack = Module(document, values, place, known or catalog())
    gaps = stack.undescribed()
    items: list[Need] = []
    for block in stack.blocks():
        if block.about is None:
            gaps.append(block.address)
            continue
        for grant in block.about.grants:
            if _asked_for(block, grant):
                items += _needs(block, grant)
    return Needs(place=place, items=tuple(items), gaps=tuple(gaps))


def _asked_for(block: Block, grant: Grant) -> bool:
    if grant.when is None:
        return True
    name = grant.when.removeprefix("!")
    value: object
    if name == "tags":
        value = block.tags()
    elif name == "default_tags":
        value = block.module.default_tags
    else:
        value = block.get(name)
    return bool(value) is not grant.when.startswith("!")


def _needs(block: Block, grant: Grant) -> Iterator[Need]:
    condition = _condition(block, grant)
    for action in grant.actions:
        resources = tuple(resources_of(grant, action, block.module.place, block.fill))
        for phase in grant.phases:
            yield Need(
                address=block.address,
                kind=block.kind,
                phase=phase,
                action=action,
                resources=resources,
                condition=condition,
                tags=block.tags(),
                why=grant.why,
                unobserved=grant.unobserved,
            )


def resources_of(
    grant: Grant, action: str, place: Place, filled: Callable[[str], tuple[str, ...]]
) -> Iterator[str]:
    """Give the ARNs that an action of a grant is needed on.

    Raises:
        CatalogError: AWS's reference says that the action is not allowed on such a resource, or
            that it can be narrowed to one.
    """
    known = iam_reference.action(action)
    if known is None:
        raise CatalogError(f"IAM has no action {action}")
    # Of several actions, each takes the types that it can: `bucket` or `object`.
    takes = {
        kind: template
        for kind, template in grant.on.items()
        if known.on(kind.partition(":")[2] or kind)
    }
    if not takes:
        if grant.on or any(use.required for use in known.resources):
            raise CatalogError(f"{action} needs resources of another type than {list(grant.on)}")
        yield from EVERYTHING
    service = action.partition(":")[0]
    for kind, template in takes.items():
        full_kind = kind if ":" in kind else f"{service}:{kind}"
        for identifier in filled(template):
            named = identifier.startswith("arn:")
            arn = identifier if named else iam_reference.arn(full_kind, identifier, place)
            yield _with_wildcards(arn)


def _condition(block: Block, grant: Grant) -> Condition:
    place = block.module.place
    condition: Condition = {}
    for name in grant.conditions:
        label, _, argument = name.partition(":")
        principals = [p for word in argument.split(",") for p in place.principals(word)]
        own: dict[str, JsonValue] = {"argument": argument, "principals": [*principals]}

        def value_of(dotted: str, own: dict[str, JsonValue] = own) -> JsonValue:
            return own[dotted] if dotted in own else block.get(dotted)

        for operator, keys in block.module.catalog.condition(label).items():
            for key_template, templates in keys.items():
                [key] = fill(key_template, value_of)
                values = tuple(each for one in templates for each in fill(one, value_of))
                # What is not known cannot be asked for: the statement is wider by that much.
                in_part = operator in _WITH_WILDCARDS and UNKNOWN not in values
                if not is_unknown(key) and (in_part or not is_unknown([*values])):
                    texts = tuple(map(_with_wildcards, values))
                    condition.setdefault(_plainest(operator, texts), {})[key] = texts
    return condition


def _plainest(operator: str, values: tuple[str, ...]) -> str:
    wild = any(mark in value for value in values for mark in "*?")
    return "StringEquals" if operator == "StringLike" and not wild else operator


def _with_wildcards(text: str) -> str:
    return text.replace(UNKNOWN, "*")


_CHANGES: Final = (Phase.APPLY, Phase.UPDATE, Phase.DESTROY)


def remote_needs(settings: StackSettings, stack: str, place: Place) -> Iterator[Need]:
    """Yield what whoever plans needs, who may put a plan, and whoever applies, who may fetch it."""
    if history := settings.history:
        arn = _objects(place, history.bucket, history.prefix, stack)
        actions = ["s3:PutObject", "s3:GetObject"]
        actions += ["s3:PutObjectRetention"] if history.retain_days else []
        for action in actions:
            yield from _of_setting("history", action, arn, _CHANGES, "claims the plan")
    if store := settings.plan_store:
        arn = _objects(place, store.bucket, store.prefix, stack)
        yield from _of_setting("plan_store", "s3:PutObject", arn, (Phase.PLAN,), "stores the plan")
        yield from _of_setting("plan_store", "s3:GetObject", arn, _CHANGES, "fetches the plan")
        if key := store.kms_key_arn:
            region = store.region or place.region
            through = {"StringEquals": {"kms:ViaService": place.principals(f"s3.{region}")}}
            for action, phases in (
                ("kms:GenerateDataKey", (Phase.PLAN,)),
                ("kms:Decrypt", _CHANGES),
            ):
                yield from _of_setting(
                    "plan_store", action, key, phases, "encrypts the plan", through
                )


def _objects(place: Place, bucket: str, prefix: str, stack: str) -> str:
    # A key may hold a star, which in an ARN would stand for every other key.
    return f"arn:{place.partition}:s3:::{bucket}/{prefix.replace('*', '${*}')}{stack}/*"


def _of_setting(
    setting: str,
    action: str,
    resource: str,
    phases: tuple[Phase, ...],
    why: str,
    condition: Condition | None = None,
) -> Iterator[Need]:
    for phase in phases:
        yield Need(
            address=setting,
            kind=setting,
            phase=phase,
            action=action,
            resources=(resource,),
            condition=condition or {},
            tags={},
            why=why,
            unobserved=None,
        )
