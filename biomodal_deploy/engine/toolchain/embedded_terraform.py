"""Behave as the `terraform` executable, from the shared library that pip installs.

Started by `process.python` with LIBRARY ARGUMENT..., so it may import nothing but the standard
library. It lives in a process of its own because Terraform's runtime takes over SIGINT and SIGTERM
of the process that loads it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import Never


def main(library: str, arguments: Sequence[str]) -> Never:
    """Run Terraform's command line on this process's own descriptors, and end as it ends."""
    # As in a plain executable: Python's handlers would wait for a call that never returns, and
    # an ignored SIGPIPE would be inherited by every provider.
    for signum in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(signum, signal.SIG_DFL)
    run = ctypes.CDLL(library).RunCli
    run.argtypes = [ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int64, ctypes.c_int64]
    run.restype = ctypes.c_int
    encoded = [os.fsencode(argument) for argument in arguments]
    status = run(len(encoded), (ctypes.c_char_p * len(encoded))(*encoded), 1, 2)
    # The Go runtime still has threads, and Python's own clean-up has nothing to do here.
    os._exit(status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
