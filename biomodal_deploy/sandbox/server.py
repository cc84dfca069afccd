"""The child process: moto on loopback, patched and seeded, until its parent is gone.

Started as `python -m biomodal_deploy.sandbox.server REGION ACCOUNT_ID DIRECTORY`. Its standard
input is a pipe that its parent holds open and never writes to: the end of it is the parent's
end, however that came about (SIGKILL included), on Linux and macOS alike. One line of JSON on
standard output says that it is ready, and where.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never

from biomodal_deploy.sandbox.account import CONFIG_FILE, PREFIX, Account

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

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
    # The terminal's Ctrl-C is for Terraform, which still needs an account to finish in.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as report:
        # moto prints; whatever it says belongs into the log and not between us and the parent.
        os.dup2(2, 1)
        account = _serve(region, account_id, directory / CONFIG_FILE, middleware)
        report.write(json.dumps({**asdict(account), "baseline": _rows(account)}) + "\n")
    while True:
        signal.pause()


def _serve(region: str, account_id: str, config_file: Path, middleware: Middleware) -> Account:
    from biomodal_deploy.sandbox.inventory import client_factory
    from biomodal_deploy.sandbox.seed import IMAGES, seed
    from biomodal_deploy.sandbox.serializer import Gate

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
    gate = Gate(moto, lambda text: print(text, file=sys.stderr, flush=True))
    server = make_server(LOOPBACK, 0, gate, threaded=True, request_handler=Handler)
    host, port = server.socket.getsockname()[:2]
    if host != LOOPBACK:
        raise RuntimeError(f"bound {host}, not {LOOPBACK}")
    # Read by moto where it starts a job's container, which has to find its way back here.
    os.environ["MOTO_PORT"] = str(port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://{LOOPBACK}:{port}"
    clients = client_factory(endpoint, region, config_file)
    return seed(clients, endpoint=endpoint, region=region, account_id=account_id)


def _rows(account: Account) -> list[tuple[str, str]]:
    return sorted((item.kind, item.identifier) for item in account.baseline)


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


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
