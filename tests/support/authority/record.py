"""The record of calls: a line of JSON each, for whoever asks afterwards what was needed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from biomodal_deploy.iam.evaluate import Decision, Request
from tests.support.authority.call import ApiCall


class RecordedRequest(BaseModel):
    """One thing that was authorized."""

    model_config = ConfigDict(frozen=True)

    action: str
    resource: str
    context: dict[str, tuple[str, ...]]
    allowed: bool


class RecordedCall(BaseModel):
    """One call of an API."""

    model_config = ConfigDict(frozen=True)

    user: str | None  # the IAM user that called, None for the account's owner
    service: str  # the service
    operation: str  # the operation
    invocation: str  # the SDK's id of the call
    requests: tuple[RecordedRequest, ...]  # what was authorized
    status: int  # the HTTP status of the answer


class Recorder:
    """Appends calls to a file, mode 0600."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(
        self,
        call: ApiCall,
        user: str | None,
        judged: Sequence[tuple[Request, Decision]],
        status: int,
    ) -> None:
        """Append one call; requests arrive in parallel, and a line is written at once."""
        recorded = RecordedCall(
            user=user,
            service=call.service,
            operation=call.operation,
            invocation=call.invocation,
            requests=tuple(
                RecordedRequest(
                    action=request.action,
                    resource=request.resource,
                    context=dict(request.context),
                    allowed=decision.allowed,
                )
                for request, decision in judged
            ),
            status=status,
        )
        os.write(self._descriptor, recorded.model_dump_json().encode() + b"\n")


def read_record(path: Path) -> list[RecordedCall]:
    """Read what was recorded."""
    return [RecordedCall.model_validate_json(line) for line in path.read_bytes().splitlines()]
