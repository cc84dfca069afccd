"""Compare what is synthesized with what the AWS bindings declare: run in a child process.

`python -m tests.support.frameworks PROJECT` prints, as JSON, each argument, block and attribute in
the project's synthesized stacks that the installed bindings' types do not have, and each one that
they require and that is missing. It proves names and shape, not what a provider says to values.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

# What Terraform itself takes in every block, and a binding does not declare as the provider's.
_META: Final = {"//", "provider", "count", "for_each", "provisioner", "connection", "dynamic"}
_REFERENCE: Final = re.compile(r"\b(data\.)?(aws_\w+)\.[\w-]+(?:\[[^]]*\])?\.([a-z_0-9]+)")


def _module(kind: str, *, data: bool) -> ModuleType:
    submodule = f"data_{kind}" if data else kind.removeprefix("aws_")
    return import_module(f"cdktf_cdktf_provider_aws.{submodule}")


def _bindings(kind: str, *, data: bool) -> Any:
    """Return the binding's class of a kind of resource or data source."""
    module = _module(kind, data=data)
    found: list[Any] = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__dict__.get("TF_RESOURCE_TYPE", None) is not None
    ]
    named = [each for each in found if kind == each.TF_RESOURCE_TYPE]
    if len(named) != 1:
        raise LookupError(f"{module.__name__} declares {len(named)} classes of {kind}")
    return named[0]


def _arguments(kind: Any) -> dict[str, tuple[bool, Any]]:
    """Return a type's arguments: whether each is required, and its type."""
    parameters = list(inspect.signature(kind.__init__).parameters.values())
    hints = typing.get_type_hints(kind.__init__)
    return {
        each.name: (each.default is inspect.Parameter.empty, hints.get(each.name))
        for each in parameters
        if each.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _structs(hint: Any) -> list[Any]:
    """Return the bindings' struct types inside a type."""
    if isinstance(hint, type) and hasattr(hint, "__jsii_type__"):
        return [] if getattr(hint, "_is_protocol", False) else [hint]
    return [found for each in typing.get_args(hint) for found in _structs(each)]


def _compare(where: str, block: dict[str, Any], kind: Any, given: set[str]) -> Iterator[str]:
    arguments = _arguments(kind)
    for name in sorted(block.keys() - arguments.keys() - _META):
        yield f"{where}: unknown {name}"
    for name, (required, hint) in sorted(arguments.items()):
        if required and name not in block.keys() | given:
            yield f"{where}: missing {name}"
        values = block.get(name)
        structs = _structs(hint)
        if name in ("lifecycle", "depends_on") or not structs:
            continue
        for each in values if isinstance(values, list) else [values]:
            if isinstance(each, dict):
                yield from _compare(f"{where}.{name}", each, structs[0], set())


def problems(document: dict[str, Any]) -> list[str]:
    """Return where a synthesized stack and the bindings' types differ."""
    found: list[str] = []
    for section in ("resource", "data"):
        for kind, named in document.get(section, {}).items():
            if not kind.startswith("aws_"):
                continue
            for name, block in named.items():
                declared = _bindings(kind, data=section == "data")
                where = f"{section}.{kind}.{name}"
                found += _compare(where, block, declared, {"scope", "id"})
    for data, kind, attribute in set(_REFERENCE.findall(json.dumps(document))):
        if not hasattr(_bindings(kind, data=bool(data)), attribute):
            found.append(f"{data}{kind}: unknown attribute {attribute}")
    return sorted(found)


def main(project: Path) -> None:
    """Print the problems of each stack."""
    stacks = {
        each.name: json.loads((each / "cdk.tf.json").read_bytes())
        for each in sorted((project / "cdktf.out" / "stacks").iterdir())
    }
    # Before the first is asked for its type: a binding that comes later is cut out alone.
    for document in stacks.values():
        for section in ("resource", "data"):
            for kind in document.get(section, {}):
                if kind.startswith("aws_"):
                    _module(kind, data=section == "data")
    print(json.dumps({name: problems(document) for name, document in stacks.items()}))


if __name__ == "__main__":
    import_module("biomodal_aws")
    main(Path(sys.argv[1]))
