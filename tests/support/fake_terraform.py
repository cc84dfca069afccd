"""A stand-in for Terraform, only where the real one cannot be made to misbehave on demand.

What it does is in FAKE_MODE; FAKE_RECORD names a file that gets its whole argument list, as the
process list shows it. Everything that the real Terraform does is tested on the real one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

FLOOD: Final = 200_000
SUMMARY: Final = {
    "@message": "Plan: 1 to add",
    "type": "change_summary",
    "changes": {"add": 1, "change": 0, "import": 0, "remove": 0, "operation": "plan"},
}
TRUE_ERROR: Final = "the true cause"


def say(event: object) -> None:
    """Print one event."""
    print(json.dumps(event), flush=True)


def hook(kind: str, address: str) -> dict[str, object]:
    """Return an event about a resource."""
    resource = {"addr": address, "resource_type": "terraform_data", "resource_name": "x"}
    return {"@message": address, "type": kind, "hook": {"resource": resource, "action": "create"}}


def error(summary: str) -> dict[str, object]:
    """Return an error as an event."""
    diagnostic = {"severity": "error", "summary": summary, "detail": "", "address": "x.y"}
    return {"@message": f"Error: {summary}", "type": "diagnostic", "diagnostic": diagnostic}


def flood() -> int:
    """Say more than any pipe, queue or terminal takes at once."""
    for number in range(FLOOD):
        line = json.dumps(hook("refresh_start", f"terraform_data.many[{number}]"))
        sys.stdout.write(line + "\n")
    say(SUMMARY)
    return 0


def full_stderr() -> int:
    """Fill stderr before the first word on stdout: who reads one pipe first, hangs."""
    for number in range(100_000):
        sys.stderr.write(f"warning number {number} of a plugin that talks too much\n")
    sys.stderr.flush()
    say(SUMMARY)
    return 0


def mixed() -> int:
    """Put between the events what is none."""
    print("plain text", flush=True)
    print('{"half": ', flush=True)
    print('[1, 2, "an array"]', flush=True)
    print('{"@message": "from a later version", "type": "teleport", "to": "mars"}', flush=True)
    print('{"@message": "of another shape", "type": "apply_start", "hook": 7}', flush=True)
    sys.stdout.buffer.write(b"\xff\xfe bytes that are no text\n\n")
    sys.stdout.flush()
    say(SUMMARY)
    sys.stdout.write('{"@message":"no line end","type":"log"}')
    return 0


def long_line() -> int:
    """Say 50 MB without a line end, and go on."""
    for _ in range(50):
        sys.stdout.write("x" * (1 << 20))
    print(flush=True)
    say(SUMMARY)
    return 0


def fail() -> int:
    """Fail as the verb does: events or text, the cause first and noise after it."""
    if "-json" in sys.argv and sys.argv[1] in {"init", "plan", "apply"}:
        say(error(TRUE_ERROR))
        say(error("something that follows from it"))
        print("noise on the last line", file=sys.stderr)
        return 1
    print("Warning: of no importance\n", file=sys.stderr)
    print("\x1b[31m╷\x1b[0m\n\x1b[31m│\x1b[0m Error: " + TRUE_ERROR, file=sys.stderr)
    print("│ \n│ More of it.\n╵\nnoise on the last line", file=sys.stderr)
    return 1


def deaf() -> int:
    """Do not listen to SIGINT and SIGTERM, with a provider of one's own."""
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda got, _: say({"@message": f"got {got}", "type": "log"}))
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    say(hook("apply_start", "terraform_data.slow"))
    while True:
        time.sleep(60)


def interrupted() -> int:
    """Stop an apply on SIGINT after a while, and fail then; of a state know nothing."""
    if sys.argv[1] != "apply":
        return 1
    stopped = []
    signal.signal(signal.SIGINT, lambda got, _: stopped.append(got))
    say(hook("apply_start", "terraform_data.slow"))
    while not stopped:
        time.sleep(0.01)
    time.sleep(1.2)
    say(hook("apply_errored", "terraform_data.slow"))
    return 1


def finishing() -> int:
    """Have nothing left to do when SIGINT comes, and end well."""
    stopped = []
    signal.signal(signal.SIGINT, lambda got, _: stopped.append(got))
    say(hook("apply_start", "terraform_data.slow"))
    while not stopped:
        time.sleep(0.01)
    say(hook("apply_complete", "terraform_data.slow"))
    return 0


def garbled() -> int:
    """Print a secret where JSON is expected."""
    print('{"outputs": "canary')
    return 0


def daemon() -> int:
    """End, and leave a process that keeps the pipes open."""
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    say(SUMMARY)
    return 0


def killed() -> int:
    """Be killed, as by a machine that is out of memory."""
    say(hook("apply_start", "terraform_data.slow"))
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def main() -> int:
    """Do what FAKE_MODE says."""
    if record := os.environ.get("FAKE_RECORD"):
        with Path(record).open("ab") as file:
            file.write(Path("/proc/self/cmdline").read_bytes() + b"\n")
    modes = (
        flood,
        full_stderr,
        mixed,
        long_line,
        fail,
        deaf,
        interrupted,
        finishing,
        garbled,
        daemon,
        killed,
    )
    mode = {mode.__name__: mode for mode in modes}.get(os.environ.get("FAKE_MODE", ""))
    return mode() if mode else 1  # without a mode: fail and say nothing


if __name__ == "__main__":
    sys.exit(main())
