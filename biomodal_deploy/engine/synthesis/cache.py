"""Unchanged input, no work: what a synthesis wrote, by the digest of what it depends on.

What is known before the app runs (the project's files, the environment, Python, Node, packages)
makes the key. What the app was seen to read besides is kept with the entry and compared. Where
anything is in doubt there is no entry, and the app runs. Nothing sees whether an app reads the
clock or throws dice: such an app is to be run with `--no-cache`.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import source_from_cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from biomodal_deploy import files as private
from biomodal_deploy.engine.synthesis.app import Observed
from biomodal_deploy.engine.synthesis.inputs import InDoubt, Inputs, state
from biomodal_deploy.engine.synthesis.written import File

_LARGEST: Final = 32 << 20
_MOST: Final = 64
_OLDEST_S: Final = 30 * 24 * 3600


class Entry(BaseModel):
    """What a synthesis wrote and said.

    Attributes:
        read: What it read besides what its key stands for, and the state that it was in.
        lines: What it printed.
        files: What it wrote.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    read: dict[str, str | None]
    lines: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def holds(self) -> bool:
        """Whether all that it depends on is as it was."""
        return all(state(Path(path)) == before for path, before in self.read.items())


class Cache:
    """The entries of a user.

    Args:
        folder: A private folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of_user(cls, environment: Mapping[str, str]) -> Cache:
        """Open the user's cache.

        Raises:
            OSError: There is no folder for it that is safe from others.
        """
        return cls(private.cache_folder("synthesis", environment=environment))

    @contextmanager
    def turn(self, output: Path) -> Iterator[None]:
        """Wait for other syntheses into the same folder, and keep them waiting meanwhile."""
        name = hashlib.sha256(os.fsencode(output)).hexdigest()
        descriptor = os.open(self._folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with suppress(OSError):  # Some network file systems know no locks.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def find(self, inputs: Inputs) -> Entry | None:
        """Return the entry for an input; None where there is none, or it is not sound."""
        path = self._path(inputs)
        with suppress(OSError, ValueError):
            digest, _, content = path.read_bytes().partition(b"\n")
            if private.is_private(path) and _digest(content) == digest:
                entry = Entry.model_validate_json(content)
                if entry.holds:
                    os.utime(path)
                    return entry
        return None

    def keep(self, inputs: Inputs, entry: Entry) -> None:
        """Keep an entry, and drop the oldest ones."""
        content = entry.model_dump_json().encode()
        if len(content) > _LARGEST:
            return
        private.write(self._path(inputs), _digest(content) + b"\n" + content)
        self._prune()

    def besides(self, observed: Observed, inputs: Inputs) -> dict[str, str | None]:
        """Return what an app read besides what its inputs stand for, and the state that is in.

        Raises:
            InDoubt: It did something that no file accounts for.
        """
        if observed.outward:
            raise InDoubt(f"the app did more than read files: {', '.join(observed.outward)}")
        # What the construct library keeps is made of packages.
        stood_for = [*_installed(), self._folder.parent]
        return {
            str(path): state(path)
            for path in sorted(map(_source, observed.read))
            if not inputs.cover(path) and not any(map(path.is_relative_to, stood_for))
        }

    def _path(self, inputs: Inputs) -> Path:
        return self._folder / f"{inputs.key}.json"

    def _prune(self) -> None:
        with suppress(OSError):
            entries = sorted(
                self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True
            )
            for place, path in enumerate(entries):
                if place >= _MOST or path.stat().st_mtime < time.time() - _OLDEST_S:
                    path.unlink()


def _installed() -> list[Path]:
    """Return the folders that the versions of Python and of the packages stand for."""
    folders = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")]
    return [*folders, *(folder.resolve() for folder in folders)]


def _source(path: Path) -> Path:
    # Byte code is read in its source's place, and is made anew only after a change is noticed.
    with suppress(ValueError, NotImplementedError):
        if path.suffix == ".pyc":
            return Path(source_from_cache(str(path)))
    return path


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def clear_cache(environment: Mapping[str, str] = os.environ) -> int:
    """Remove what is kept for later runs: synthesized output, and slices of the AWS bindings.

    Returns:
        How many bytes are free again.
    """
    folder = private.cache_folder(environment=environment)
    freed = 0
    for name in ("bindings", "synthesis"):
        freed += sum(path.lstat().st_size for path in folder.glob(f"{name}/**/*"))
        shutil.rmtree(folder / name, ignore_errors=True)
    return freed
