"""AWS, asked with the user's own credentials.

Connecting needs no AWS: a key and an address are enough. Where AWS helps to explain, and does not
answer, the work goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import UsageError

_T = TypeVar("_T")


class NoAnswer(Exception):
    """AWS did not answer; why does not matter to whoever asked for help only."""


def clients_for(region: str) -> Clients:
    """Return clients for a region.

    Raises:
        UsageError: AWS_PROFILE names no profile, or the AWS configuration cannot be read.
    """
    return Clients(open_session(region), region)


def helped(region: str, ask: Callable[[Clients], _T]) -> _T:
    """Return what AWS says.

    Raises:
        NoAnswer: It cannot be asked, or does not answer.
    """
    try:
        return ask(clients_for(region))
    except (BotoCoreError, ClientError, UsageError) as error:
        raise NoAnswer(str(error)) from error
