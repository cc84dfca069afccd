"""An account for the preflight to look at, and its owner's session."""

from __future__ import annotations

import os
from collections.abc import Iterator

import boto3.session
import pytest

from biomodal_deploy.aws.preflight import target_from
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.sandbox import judged_sandbox
from tests.support.preflight_account import VM, Account


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account for all tests here."""
    with judged_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def session(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> boto3.session.Session:
    """The account's owner's session, found as a user's is: through the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in sandbox.environment({}).items():
        monkeypatch.setenv(name, value)
    return boto3.session.Session(region_name=sandbox.region)


@pytest.fixture
def target(sandbox: Sandbox) -> Target:
    """A native stack into the seeded network."""
    return target_from(sandbox.variables(VM), "native")


@pytest.fixture
def account(sandbox: Sandbox, target: Target, session: boto3.session.Session) -> Account:
    """That account, with what is to be made in it."""
    return Account(sandbox, target, session)
