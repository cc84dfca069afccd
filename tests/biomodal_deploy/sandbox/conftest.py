"""An unpatched moto in the test's own process, and patches that last as long as the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from biomodal_deploy.sandbox.patches import Patch
from tests.support.moto import account


@pytest.fixture
def aws() -> Iterator[Callable[[str], Any]]:
    """An unpatched moto in this process."""
    with account() as client:
        yield client


@pytest.fixture
def ec2(aws: Callable[[str], Any]) -> Any:
    """EC2 there."""
    return aws("ec2")


@pytest.fixture
def budgets(aws: Callable[[str], Any]) -> Any:
    """AWS Budgets there."""
    return aws("budgets")


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Patch], None]:
    """Applies a patch until the end of the test."""

    def apply(patch: Patch) -> None:
        for change in patch.changes:
            old = getattr(change.owner, change.name, None)
            monkeypatch.setattr(change.owner, change.name, change.made_from(old), raising=False)

    return apply
