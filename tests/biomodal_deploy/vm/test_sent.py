"""Programs for other machines: one text that a bare Python runs, small enough to be sent."""

from __future__ import annotations

import ast
import sys

import pytest

from biomodal_deploy.vm.sent import as_program


@pytest.mark.parametrize("name", ["on_machine.py", "smoke/probe.py"])
def test_the_standard_library_alone(name: str) -> None:
    """Nothing of ours and nothing that has to be installed is imported there."""
    tree = ast.parse(as_program("signed_calls.py", name))
    imported = {
        word.partition(".")[0]
        for node in ast.walk(tree)
        for word in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert len(defined) == len(set(defined))


def test_small_enough_for_batch() -> None:
    """ECS takes 8,192 characters of overrides, Batch 24 KiB of a definition: it fits into both."""
    assert len(as_program("signed_calls.py", "smoke/probe.py")) < 8192 - 256
