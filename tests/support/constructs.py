"""Constructs in a stack of their own, for the tests of the library."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

from cdktf import App, TerraformStack
from cdktf import Testing as CdktfTesting
from constructs import Construct

from biomodal_aws import Part


def synthesized(build: Callable[[TerraformStack], object]) -> dict[str, Any]:
    """Return the resources of a stack, by kind and name, without cdktf's notes."""
    stack = TerraformStack(App(stack_traces=False, outdir="unused"), "stack")
    build(stack)
    document = json.loads(CdktfTesting.synth(stack))
    return {
        kind: {
            name: {key: value for key, value in block.items() if key != "//"}
            for name, block in named.items()
        }
        for kind, named in document.get("resource", {}).items()
    }


def assert_one_signature(construct: type[Construct]) -> None:
    """It takes `scope, id_` first and keywords after them, and documents each argument."""
    parameters = list(inspect.signature(construct.__init__).parameters.values())[1:]
    assert [each.name for each in parameters[:2]] == ["scope", "id_"], construct
    assert all(each.kind is inspect.Parameter.KEYWORD_ONLY for each in parameters[2:]), construct
    # What every construct takes, the base of all documents once.
    documents = [Part.__doc__] * 2 + [construct.__doc__] * (len(parameters) - 2)
    for each, text in zip(parameters, documents, strict=True):
        assert f"\n        {each.name}: " in (text or ""), each.name
