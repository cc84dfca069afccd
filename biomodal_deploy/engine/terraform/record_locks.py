"""Ask whether a process has locked a file."""

from __future__ import annotations

import fcntl
import os
import struct
import sys


def is_locked(descriptor: int) -> bool:
    """Return whether another process holds a record lock on an open file.

    It only asks: taking the lock to try it could make a Terraform that starts now fail.
    """
    kind, whence, start, length, pid = fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0
    try:
        # The two systems order `struct flock` differently.
        if sys.platform == "darwin":
            question = struct.pack("qqihh", start, length, pid, kind, whence)
            kind = struct.unpack("qqihh", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))[3]
        else:
            question = struct.pack("hhqqi", kind, whence, start, length, pid)
            kind = struct.unpack("hhqqi", fcntl.fcntl(descriptor, fcntl.F_GETLK, question))[0]
    except OSError:
        return False
    return bool(kind != fcntl.F_UNLCK)
