"""What a stack's state holds already: names that are taken, but by this very stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

# What AWS tells resources apart by; which of them the id is differs from type to type.
_IDS: Final = ("id", "name", "arn", "bucket", "key_name", "compute_environment_name")


def owned_by(state: Mapping[str, object]) -> frozenset[str]:
    """Return what a state holds as `TYPE:ID`, each resource under all of its ids.

    Args:
        state: What `terraform show -json` says of a state, or `terraform state pull`.
    """
    if "resources" in state:
        return frozenset(_pulled(state))
    values = state.get("values")
    root = values.get("root_module") if isinstance(values, Mapping) else None
    return frozenset(_ids(root)) if isinstance(root, Mapping) else frozenset()


def _pulled(state: Mapping[str, object]) -> Iterator[str]:
    for resource in _mappings(state.get("resources")):
        for instance in _mappings(resource.get("instances")):
            yield from _resource(resource, instance.get("attributes"))


def _ids(module: Mapping[str, object]) -> Iterator[str]:
    for resource in _mappings(module.get("resources")):
        yield from _resource(resource, resource.get("values"))
    for child in _mappings(module.get("child_modules")):
        yield from _ids(child)


def _resource(resource: Mapping[str, object], values: object) -> Iterator[str]:
    if resource.get("mode") == "managed" and isinstance(values, Mapping):
        for key in _IDS:
            if isinstance(value := values.get(key), str):
                yield f"{resource.get('type')}:{value}"


def _mappings(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, Mapping))
