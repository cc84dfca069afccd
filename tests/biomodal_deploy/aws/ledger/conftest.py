"""An account of moto's in the test's own process, and one of recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from biomodal_deploy.aws.clients import Clients
from tests.support.moto import account, session
from tests.support.operated import REGION
from tests.support.recorded_aws import Recorded, RecordedAws


@pytest.fixture
def aws() -> Iterator[Callable[[str], Any]]:
    """An account with nothing in it."""
    with account(REGION) as client:
        yield client


@pytest.fixture
def clients(aws: Callable[[str], Any]) -> Clients:
    """How the ledger asks that account."""
    return _asking()


@cache
def _asking() -> Clients:
    return Clients(session(REGION), REGION)


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
