"""The synthesized stacks, whole: new or existing bucket is a variable, so the JSON is the same."""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.support.snapshots import stable


@pytest.fixture
def readable(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """One JSON file each, keys sorted."""
    return snapshot.use_extension(JSONSnapshotExtension)


def test_module_stack(module_json: dict[str, Any], readable: SnapshotAssertion) -> None:
    """The documented stack changes only on purpose."""
    assert stable(module_json) == readable


def test_native_stack(native_json: dict[str, Any], readable: SnapshotAssertion) -> None:
    """The native stack changes only on purpose."""
    assert stable(native_json) == readable
