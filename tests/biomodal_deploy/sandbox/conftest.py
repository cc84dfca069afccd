"""An unpatched moto in the test's own process, and patches that last as long as the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader
from moto import mock_aws

from biomodal_deploy.sandbox.patches import Patch

# EC2's model alone is five megabytes of JSON: read once, not by each test's client.
_MODELS: Final = create_loader()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """An unpatched moto in this process."""
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # they are slow, and not asked for
    with mock_aws():
        core = botocore.session.get_session()
        core.register_component("data_loader", _MODELS)
        session = boto3.Session(region_name="us-east-1", botocore_session=core)
        yield lambda service: session.client(service)  # type: ignore[call-overload]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Patch], None]:
    """Applies a patch until the end of the test."""

    def apply(patch: Patch) -> None:
        for change in patch.changes:
            old = getattr(change.owner, change.name, None)
            monkeypatch.setattr(change.owner, change.name, change.made_from(old), raising=False)

    return apply
