"""IAM before the sandbox: every call of an IAM user is authorized as AWS does it, and recorded.

moto's own enforcement judges actions against the resource `*` and takes no conditions, so a policy
that names its resources is refused everything. Here a call becomes what AWS authorizes (actions on
ARNs, with condition keys), judged by the user's own policies.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from biomodal_deploy.iam import Place
from biomodal_deploy.iam.evaluate import Decision, Request, decide
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall, parse_call
from tests.support.authority.common import UnknownCallError
from tests.support.authority.record import Recorder
from tests.support.authority.refusal import refusal
from tests.support.authority.requests import requests_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RECORD_VARIABLE: Final = "BIOMODAL_SANDBOX_RECORD"
"""Environment variable of the server: the file to which every call is appended."""


class Authority:
    """Answers 403 to what an IAM user may not do, and lets everything else through.

    The account's owner may do all, as the root user may. A user is judged by the policies that IAM
    holds for them at that moment.
    """

    def __init__(
        self, application: WSGIApplication, account_id: str, record: Path | None = None
    ) -> None:
        self._application, self._account_id = application, account_id
        self._recorder = Recorder(record) if record else None

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        call = parse_call(environ, body)
        if call is None:
            return self._application(environ, start_response)
        account = Account(_place(call.region, self._account_id))
        user = account.user_of(call.key_id)
        if user is None and self._recorder is None:
            return self._application(environ, start_response)
        judged = self._judged(call, account, user)
        refused = next((each for each, decision in judged if not decision.allowed), None)
        if refused:
            answer = refusal(call, f"{account.place.account}:user/{user}", refused)
            self._note(call, user, judged, answer.status)
            start_response(answer.status_line, answer.headers)
            return [answer.body]
        return self._application(environ, self._noting(call, user, judged, start_response))

    def _judged(
        self, call: ApiCall, account: Account, user: str | None
    ) -> list[tuple[Request, Decision]]:
        try:
            requests = requests_of(call, account)
        except UnknownCallError as error:
            if user is None:
                return []
            unknown = Request(action=f"{call.service}:{call.operation}", resource=str(error))
            return [(unknown, Decision(allowed=False))]
        if user is None:
            return [(request, Decision(allowed=True)) for request in requests]
        policies = list(account.policies_of(user))
        return [(request, decide(policies, request)) for request in requests]

    def _noting(
        self,
        call: ApiCall,
        user: str | None,
        judged: list[tuple[Request, Decision]],
        start_response: StartResponse,
    ) -> StartResponse:
        def start(
            status: str, headers: list[tuple[str, str]], *more: object
        ) -> Callable[[bytes], object]:
            self._note(call, user, judged, int(status.split()[0]))
            return start_response(status, headers, *more)  # type: ignore[arg-type]

        return start

    def _note(
        self, call: ApiCall, user: str | None, judged: list[tuple[Request, Decision]], status: int
    ) -> None:
        if self._recorder:
            self._recorder.note(call, user, judged, status)


def guarded(application: WSGIApplication, account_id: str) -> Authority:
    """Return services with the guard before them, recording where the environment says so."""
    name = os.environ.get(RECORD_VARIABLE)
    return Authority(application, account_id, Path(name) if name else None)


_place = cache(Place.of)
