"""A target, and an environment in which no credentials of this machine are found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from biomodal_deploy.preflight import Target
from tests.support.recorded_aws import NAME, REGION, SUBNET, VPC, RecordedAws


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("BOTO_CONFIG", str(tmp_path / "no-boto-config"))


@pytest.fixture
def aws() -> RecordedAws:
    """An account that lacks nothing."""
    return RecordedAws()


@pytest.fixture
def target() -> Target:
    """A native deployment into it."""
    return Target(
        region=REGION,
        vpc_id=VPC,
        subnet_id=SUBNET,
        vm_name=NAME,
        bootstrap="native",
        tags=(("environment", "development"),),
    )
