"""Start a program that is told to stop when the process that started it is gone.

Started by `process.python` with PARENT LOCK PROGRAM ARGUMENT..., it becomes the program: same
process id, no process between. It imports next to nothing, because each plan and apply waits for
it: `signal` and `typing` alone would double its time.

Why a launcher and not `preexec_fn`: that runs Python between fork and exec, where a lock that
another thread held (a progress display's, say) stays locked for ever. Why a signal and not a pipe
to the parent: Terraform does not watch one. Only Linux sends it; elsewhere Terraform works on.
"""

import fcntl
import os
import sys

try:
    import ctypes
except ImportError:  # a Python built without libffi: the program will not be told
    _LIBC = None
else:
    _LIBC = ctypes.CDLL(None)

_PR_SET_PDEATHSIG = 1
_SIGINT = 2
_SIGPIPE = 13


def main(parent: int, lock: int, argv: list[str]) -> None:
    """Ask for SIGINT at the parent's death, lock a descriptor, then become `argv`."""
    if _LIBC:
        if sys.platform == "linux":
            _LIBC.prctl(_PR_SET_PDEATHSIG, _SIGINT, 0, 0, 0)
        # Python ignores it, and an ignored SIGPIPE would be inherited by every provider.
        _LIBC.signal(_SIGPIPE, None)
    if os.getppid() != parent:
        # It died before the line above: no signal would come. Nothing has been started yet.
        sys.exit(128 + _SIGINT)
    if lock >= 0:
        try:  # noqa: SIM105 - contextlib is one of the imports that cost
            # A record lock is this process's own, through exec and to its end: no provider and no
            # provisioner's daemon holds it longer.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass  # a file system without locks: nobody can tell whether it still runs
    try:
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
