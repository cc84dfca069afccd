"""The files that synthesis writes: a manifest, and each stack's JSON and assets.

Terraform and people keep other files in the same folders. Those are left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from biomodal_deploy import files as private
from biomodal_deploy.engine.synthesis.inputs import InDoubt
from biomodal_deploy.engine.synthesis.result import MANIFEST, read_stacks

_ASSETS: Final = "assets"
_STACK_FILES: Final = ("cdk.tf.json", "cdk.tf", "metadata.json")
# Clocks of file systems run behind by a tick.
_TICK_NS: Final = 20_000_000


class File(BaseModel):
    """A file by its path below the output folder."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64"
    )

    path: str
    mode: int
    content: bytes


def collect(output: Path, *, since: int, known: Collection[str]) -> tuple[File, ...]:
    """Return what a synthesis wrote.

    Args:
        output: The folder that it wrote to.
        since: When it began, in nanoseconds.
        known: Digests of the files that it could copy.

    Raises:
        InDoubt: It left a file as it was, wrote one that is not of a synthesis, or has an asset
            that is no copy of a known file.
    """
    paths = {output / MANIFEST}
    for stack in read_stacks(output):
        if not stack.directory.resolve().is_relative_to(output.resolve()):
            raise InDoubt(f"{stack.directory} is not in {output}")
        paths |= {path for name in _STACK_FILES if (path := stack.directory / name).is_file()}
        paths |= set(_assets(stack.directory))
    if others := _written(output, since - _TICK_NS) ^ paths:
        raise InDoubt(f"{min(others)} is not what a synthesis writes, or writes each time")
    files = tuple(_read(path, output) for path in sorted(paths))
    for file in files:
        digest = hashlib.sha256(file.content).hexdigest()
        if f"/{_ASSETS}/" in file.path and digest not in known:
            raise InDoubt(f"{file.path} comes from somewhere else")
    return files


def restore(output: Path, files: Sequence[File]) -> None:
    """Bring a folder to the state that a synthesis leaves: these files, and none of a former one.

    Assets come first and the manifest comes last, so that each file finds what it names.
    """
    private.make(output)
    with _alone(output):
        order = sorted(files, key=lambda file: (file.path == MANIFEST, _ASSETS not in file.path))
        for file in order:
            _put(output / file.path, file)
        kept = {output / file.path for file in files}
        for stack in {path.parent for path in kept if path.name in _STACK_FILES}:
            for old in {*_assets(stack), *(stack / name for name in _STACK_FILES)} - kept:
                old.unlink(missing_ok=True)
            for folder in sorted(stack.glob(f"{_ASSETS}/**"), reverse=True):
                with suppress(OSError):  # still in use
                    folder.rmdir()


def _assets(stack: Path) -> Iterator[Path]:
    return (path for path in stack.glob(f"{_ASSETS}/**/*") if not path.is_dir())


def _written(output: Path, since: int) -> set[Path]:
    found = set()
    for folder, folders, names in os.walk(output):
        folders[:] = [each for each in folders if each != ".terraform"]
        found |= {path for name in names if _changed(path := Path(folder, name), since)}
    return found


def _changed(path: Path, since: int) -> bool:
    return path.lstat().st_mtime_ns > since


def _read(path: Path, output: Path) -> File:
    if path.is_symlink():
        raise InDoubt(f"{path} is a link")
    mode = stat.S_IMODE(path.stat().st_mode)
    return File(path=path.relative_to(output).as_posix(), mode=mode, content=path.read_bytes())


def _put(path: Path, file: File) -> None:
    with suppress(OSError):
        if not path.is_symlink() and path.read_bytes() == file.content:
            path.chmod(file.mode)
            return
    private.make(path.parent)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as writing:
            writing.write(file.content)
        Path(draft).chmod(file.mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    """Keep out an app that publishes under the same lock."""
    descriptor = os.open(output, os.O_RDONLY)
    try:
        with suppress(OSError):  # Some network file systems know no locks.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
