"""What all patches have in common."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.sandbox import patches
from biomodal_deploy.sandbox.patches import Change

HERE: Final = Path(__file__).parent


@pytest.mark.parametrize("patch", patches.all_patches(), ids=lambda patch: patch.name)
def test_every_patch_has_a_test(patch: patches.Patch) -> None:
    """A patch cannot be added without the test that shows why it is there, beside its module's."""
    module = patch.module.rpartition(".")[2]
    tree = ast.parse((HERE / f"test_{module}.py").read_text(encoding="utf-8"))
    tests = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
    assert f"test_{patch.name}" in tests


def test_a_patch_of_a_name_that_moto_lost_is_noticed() -> None:
    """A later moto without the patched method stops the sandbox at its start."""
    with pytest.raises(AttributeError, match="renamed"):
        Change(object(), "renamed", lambda old: old).apply()


def test_a_patch_that_moto_made_needless_is_noticed() -> None:
    """So does one that now has what a patch adds."""
    with pytest.raises(AttributeError, match="apply"):
        Change(Change, "apply", lambda _: None, new=True).apply()
