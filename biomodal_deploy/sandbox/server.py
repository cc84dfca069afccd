"""The child process: moto on loopback, patched and seeded, until its parent is gone.

Started as `python -m biomodal_deploy.sandbox.server REGION ACCOUNT_ID DIRECTORY`. Its standard
input is a pipe that its parent holds open and never writes to: the end of it is the parent's
end, however that came about (SIGKILL included), on Linux and macOS alike. One line of JSON on
standard output says that it is ready, and where.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never
from xml.sax.saxutils import escape

from pydantic import TypeAdapter

from biomodal_deploy.sandbox.account import CONFIG_FILE, PREFIX, Account

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


LOOPBACK: Final = "127.0.0.1"
_REMOVAL_LIMIT_S: Final = 30.0
Middleware = Callable[["WSGIApplication", str], "WSGIApplication"]


def _unchanged(application: WSGIApplication, _account_id: str) -> WSGIApplication:
    return application


def main(
    region: str, account_id: str, directory: Path, *, middleware: Middleware = _unchanged
) -> Never:
    """Serve until the parent's pipe ends.

    Args:
        directory: The sandbox's private folder, removed at the end: a parent that was killed
            could not do it.
        middleware: Wraps the services, given the account's number.
    """
    threading.Thread(target=_end_with_parent, args=[directory], daemon=True).start()
    # A fifth of the start was the search for garbage among modules, which stay.
    gc.disable()
    # The terminal's Ctrl-C is for Terraform, which still needs an account to finish in.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as report:
        # moto prints; whatever it says belongs into the log and not between us and the parent.
        os.dup2(2, 1)
        account = _serve(region, account_id, directory / CONFIG_FILE, middleware)
        gc.freeze()
        gc.enable()
        report.write(TypeAdapter(Account).dump_json(account).decode() + "\n")
    while True:
        signal.pause()


def _serve(region: str, account_id: str, config_file: Path, middleware: Middleware) -> Account:
    from biomodal_deploy.sandbox.inventory import IMAGES, client_factory, seed

    # Read when moto is imported. Its own 1,300 images cost a second and hold no Ubuntu 22.04.
    os.environ["MOTO_AMIS_PATH"] = str(IMAGES)
    os.environ["MOTO_ACCOUNT_ID"] = account_id
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    from biomodal_deploy.sandbox import patches

    patches.apply()

    class Handler(MotoRequestHandler):
        """Without a line in the log for each request."""

        # An answer goes out in one piece. Between its headers, which say that the connection will
        # be closed, and the rest, Go's client at times closes it itself: the AWS provider then
        # sends the request again, and meets what it has just made.
        wbufsize = 1 << 20

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    moto = middleware(DomainDispatcherApplication(create_backend_app), account_id)
    serializer = Serializer(moto, lambda text: print(text, file=sys.stderr, flush=True))
    server = make_server(LOOPBACK, 0, serializer, threaded=True, request_handler=Handler)
    host, port = server.socket.getsockname()[:2]
    if host != LOOPBACK:
        raise RuntimeError(f"bound {host}, not {LOOPBACK}")
    # Read by moto where it starts a job's container, which has to find its way back here.
    os.environ["MOTO_PORT"] = str(port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://{LOOPBACK}:{port}"
    clients = client_factory(endpoint, region, config_file)
    return seed(clients, endpoint=endpoint, region=region, account_id=account_id)


def _end_with_parent(directory: Path) -> None:
    while os.read(0, 1):
        pass
    if directory.name.startswith(PREFIX):
        _remove(directory)
    os._exit(0)  # Nothing here is worth keeping, and no thread may hold it up.


def _remove(directory: Path) -> None:
    """Remove a folder that a command which was just told to stop may still write to."""
    deadline = time.monotonic() + _REMOVAL_LIMIT_S
    while directory.exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.05)


GAP: Final = "SandboxGap"

_SCOPE: Final = re.compile(r"Credential=[^/]*/\d{8}/[^/]*/(?P<service>[^/]+)/aws4_request")
_ERROR: Final = "<Error><Code>{code}</Code><Message>{message}</Message></Error>"
# Each protocol has its own shape for an error, and an SDK that cannot read it says only "501".
_XML: Final = {
    "ec2": f"<Response><Errors>{_ERROR}</Errors></Response>",
    "iam": f"<ErrorResponse>{_ERROR}</ErrorResponse>",
    "s3": _ERROR,
    "sts": f"<ErrorResponse>{_ERROR}</ErrorResponse>",
}


class Serializer:
    """Answers for moto: one request at a time, and a gap is answered at once.

    moto's backends are dictionaries without locks, and Terraform sends ten requests at once: in an
    order, none meets a dictionary that changes under it.

    Where moto lacks something it raises, and its server answers 500. The AWS provider takes that
    for a passing fault of AWS and tries again for ten minutes. Here the answer is 501, which no SDK
    retries, with a code of our own that no provider mistakes for a thing that AWS says.
    """

    def __init__(self, application: WSGIApplication, log: Callable[[str], None]) -> None:
        self._application, self._log = application, log
        self._one_at_a_time = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        with self._one_at_a_time:
            try:
                return list(self._application(environ, start_response))
            except Exception as error:  # noqa: BLE001 - answered, and logged whole
                self._log(traceback.format_exc())
                service = _service(environ)
                body, content_type = _gap(
                    service, f"moto cannot answer this {service} call: {error}"
                )
        headers = [
            ("Content-Type", content_type),
            ("Content-Length", str(len(body))),
            ("x-amzn-ErrorType", GAP),
        ]
        start_response("501 Not Implemented", headers)
        return [body]


def _service(environ: WSGIEnvironment) -> str:
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    return scope["service"] if scope else "aws"


def _gap(service: str, message: str) -> tuple[bytes, str]:
    if service in _XML:
        text = _XML[service].format(code=GAP, message=escape(message))
        return text.encode(), "text/xml"
    return json.dumps({"__type": GAP, "message": message}).encode(), "application/json"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
