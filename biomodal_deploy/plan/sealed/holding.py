"""The very bytes that were hashed, held so that nobody can exchange them before they are used."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.files import PRIVATE_FILE, memory_file, path_of, seal, writing
from biomodal_deploy.plan.sealed.files import opened

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Held:
    """A copy of a file.

    Attributes:
        path: Where a child process can open it, as long as this process lives.
        in_memory: Whether it is on no disk, and nobody can write to it any more.
    """

    path: Path
    sha256: str
    in_memory: bool


@contextlib.contextmanager
def held(path: Path, fallback: Path) -> Iterator[Held]:
    """Copy a private file, and hash the copy: between a check and a use nothing can be exchanged.

    The copy is in memory and sealed by the kernel where there is such a thing (Linux), so a kill
    leaves no secret behind. Elsewhere it is a private file.

    Args:
        fallback: Where the copy is made if it cannot be in memory; taken away at the end.

    Raises:
        SealedPlanRefused: The file is missing, or others could have touched it.
        UsageError: The copy cannot be written.
    """
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(opened(path))
        descriptor = memory_file()
        in_memory = descriptor is not None
        if descriptor is None:
            stack.callback(fallback.unlink, missing_ok=True)
            fallback.unlink(missing_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with writing(fallback):
                descriptor = os.open(fallback, flags, PRIVATE_FILE)
        stack.callback(os.close, descriptor)
        digest = hashlib.sha256()
        with writing(fallback):
            while chunk := os.read(source, _CHUNK):
                digest.update(chunk)
                while chunk:
                    chunk = chunk[os.write(descriptor, chunk) :]
        if in_memory:
            seal(descriptor)
        yield Held(path_of(descriptor) if in_memory else fallback, digest.hexdigest(), in_memory)
