"""An account of moto's in the test's own process, and one of recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

import boto3
import botocore.session
import pytest
from botocore.loaders import create_loader
from moto import mock_aws

from biomodal_deploy.aws.clients import Clients
from tests.support.operated import REGION
from tests.support.recorded_aws import Recorded, RecordedAws

# EC2's model alone is five megabytes of JSON: read once, not by each test's client.
_MODELS: Final = create_loader()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """An account with nothing in it."""
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # they are slow, and not asked for
    with mock_aws():
        yield _client


@pytest.fixture
def clients(aws: Callable[[str], Any]) -> Clients:
    """How the ledger asks that account."""
    return _asking()


# Clients outlive the accounts: making one takes longer than any test here.
@cache
def _session() -> boto3.Session:
    core = botocore.session.get_session()
    core.register_component("data_loader", _MODELS)
    return boto3.Session("test", "test", region_name=REGION, botocore_session=core)


@cache
def _client(service: str) -> Any:
    return _session().client(service)  # type: ignore[call-overload]


@cache
def _asking() -> Clients:
    return Clients(_session(), REGION)


@cache
def _recorded() -> tuple[RecordedAws, Clients]:
    aws = RecordedAws({})
    return aws, Clients(aws.session(REGION), REGION)


@pytest.fixture
def answering() -> Callable[[dict[str, Recorded]], Clients]:
    """Gives clients that are answered so; one set for all tests, making it takes longest."""

    def give(answers: dict[str, Recorded]) -> Clients:
        aws, found = _recorded()
        aws.answers = answers
        return found

    return give
