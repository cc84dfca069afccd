"""A target, and an environment in which no credentials of this machine are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.aws.preflight.target import Target
from tests.support.no_credentials import without_credentials
from tests.support.recorded_aws import NAME, REGION, SUBNET, VPC, RecordedAws


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_credentials(monkeypatch, tmp_path)


@pytest.fixture
def aws() -> RecordedAws:
    """An account that lacks nothing."""
    return RecordedAws()


@pytest.fixture
def target() -> Target:
    """A native stack into it."""
    return Target(
        region=REGION,
        vpc_id=VPC,
        subnet_id=SUBNET,
        vm_name=NAME,
        bootstrap="native",
        tags=(("environment", "development"),),
    )
