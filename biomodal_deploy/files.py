"""Files that are written whole or not at all, and private folders for them.

Every file that the project writes is written beside its place and then renamed. The draft is
locked by the process that writes it, so what a killed process left can be told from what a living
one is about to finish, and is removed by the next command (`sweep`).

The construct library writes with it too, so this module stays light.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import os
import re
import shlex
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.folders import OTHERS

PRIVATE_DIR: Final = 0o700
PRIVATE_FILE: Final = 0o600
_DRAFT: Final = re.compile(r"\..*\.[0-9a-f]{8}\.draft")


def read_regular(path: Path, most: int = -1) -> bytes:
    """Read a file that is one: not a pipe, which may never end, a device or a folder.

    Args:
        most: How many bytes are read; all of them where negative.

    Raises:
        OSError: It cannot be read, or is something else.
    """
    with regular(path) as file:
        return file.read(most)


@contextmanager
def regular(path: Path) -> Iterator[BufferedReader]:
    """Open a file that is one, for reading.

    Raises:
        OSError: It cannot be read, or is something else.
    """
    # Without waiting for whoever writes into a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.ENXIO, "not a regular file", str(path))
        with os.fdopen(os.dup(descriptor), "rb") as file:
            yield file
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes, *, mode: int = PRIVATE_FILE, durable: bool = False) -> None:
    """Write a file in one step: a reader finds all of it, or what was there before.

    Args:
        durable: Whether it is on the disk when this returns.

    Raises:
        OSError: The system refuses to write.
    """
    with _drafted(path, content, mode, durable=durable) as draft:
        draft.replace(path)
    if durable:
        sync(path.parent)


def replace(path: Path, content: bytes, *, mode: int = PRIVATE_FILE) -> None:
    """Write a file whole, in the place of one that may be there, down to the disk.

    Raises:
        UsageError: The system refused to write.
    """
    with writing(path):
        write(path, content, mode=mode, durable=True)


def write_new(path: Path, content: bytes) -> bool:
    """Write a private file that must not exist yet, down to the disk.

    Returns:
        False where it exists: of two that try at once exactly one gets True.

    Raises:
        UsageError: The system refused to write.
    """
    with writing(path), _drafted(path, content, PRIVATE_FILE, durable=True) as draft:
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return False
        except OSError:
            # A file system without hard links: an empty file reserves the name for the rename.
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            try:
                os.close(os.open(path, flags, PRIVATE_FILE))
            except FileExistsError:
                return False
            draft.replace(path)
    sync(path.parent)
    return True


def keep(folder: Path, name: str, content: bytes) -> Path:
    """Keep a secret for children of this process, for as long as it lives, and return its path.

    In memory where there is such a thing (Linux), so a kill leaves nothing behind. Elsewhere it is
    a private draft, which `sweep` clears once the process is gone.

    Args:
        folder: Where the draft is made if it cannot be in memory.

    Raises:
        UsageError: The system refused to write.
    """
    descriptor = memory_file()
    in_memory = descriptor is not None
    path = folder / name
    with writing(path):
        if descriptor is None:
            path, descriptor = _new_draft(private_dir(folder) / name)
            atexit.register(path.unlink, missing_ok=True)
        else:
            path = path_of(descriptor)
        while content:
            content = content[os.write(descriptor, content) :]
    if in_memory:
        seal(descriptor)
    return path


def memory_file() -> int | None:
    """Return an empty file in memory; None where there is none, or a child could not open it."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        descriptor = os.memfd_create("private", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:
        return None
    if path_of(descriptor).exists():
        return descriptor
    os.close(descriptor)
    return None


def path_of(descriptor: int) -> Path:
    """Return where another process of this user opens one of this process's open files."""
    return Path(f"/proc/{os.getpid()}/fd/{descriptor}")


def seal(descriptor: int) -> None:
    """Have the kernel refuse every further change of a file in memory."""
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)


def public_mode() -> int:
    """Return the mode that this user's files have: for what others may read."""
    umask = os.umask(0o077)
    os.umask(umask)
    return 0o666 & ~umask


def sync(path: Path) -> None:
    """Bring a file or a folder's entries down to the disk.

    Raises:
        UsageError: The system refused.
    """
    with writing(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def scratch(parent: Path, name: str) -> Iterator[Path]:
    """Make a private folder for the time of a block.

    Args:
        parent: The folder that it is made in; `sweep` clears it there after a kill.

    Raises:
        UsageError: The system refuses.
    """
    while True:
        path = _draft_beside(parent / name)
        with writing(parent):
            path.mkdir(mode=0o700)
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if _hold(path, descriptor):
            break
        os.close(descriptor)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(descriptor)


def sweep(*folders: Path) -> None:
    """Remove the drafts and scratch folders in some folders whose process is gone."""
    for folder in folders:
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if _DRAFT.fullmatch(entry.name):
                    with suppress(OSError):
                        _remove_if_left(Path(entry.path))


def _remove_if_left(path: Path) -> None:
    if path.lstat().st_uid != os.geteuid():
        return
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, flags)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


@contextmanager
def _drafted(path: Path, content: bytes, mode: int, *, durable: bool) -> Iterator[Path]:
    """Write a file's content beside it, and hold that until the block has put it in place."""
    sweep(path.parent)
    draft, descriptor = _new_draft(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            if durable:
                os.fsync(descriptor)
            yield draft
    finally:
        draft.unlink(missing_ok=True)


def _new_draft(path: Path) -> tuple[Path, int]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    while True:
        draft = _draft_beside(path)
        descriptor = os.open(draft, flags, PRIVATE_FILE)
        if _hold(draft, descriptor):
            return draft, descriptor
        os.close(descriptor)


def _draft_beside(path: Path) -> Path:
    # A name may be as long as the system allows already.
    return path.with_name(f".{path.name[:200]}.{os.urandom(4).hex()}.draft")


def _hold(path: Path, descriptor: int) -> bool:
    """Lock a draft for as long as this process lives; False where a sweep was faster."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # A file system without locks: nothing is swept there either.
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


_FIXES: Final = {
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space on the disk",
    errno.EFBIG: "allow larger files (ulimit -f)",
    errno.EMFILE: "allow more open files (`ulimit -n 4096`)",
    errno.ENFILE: "end programs that hold files open, or raise fs.file-max",
    errno.EAGAIN: "end programs, or allow more processes (`ulimit -u 4096`)",
    errno.ENOMEM: "end programs, or give this machine or container more memory",
    errno.EROFS: "choose a path on a file system that can be written",
}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk, a read-only folder and the like into one clear line.

    Raises:
        UsageError: The system refused to write.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot be written ({error.strerror or error})",
            field=str(path),
            fix=fix_for(error, path),
        ) from None


def fix_for(error: OSError, path: Path | None) -> str:
    """Return what helps against a refusal of the system, and against no other; empty if nothing."""
    if error.errno in _FIXES or path is None:
        return _FIXES.get(error.errno or 0, "")
    there = next((each for each in path.parents if each.exists()), Path("/"))
    if not there.is_dir():
        return f"{there} is a file: choose a path below a folder"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"fix the permissions of {path if path.exists() else there}, or choose another path"
    if there != path.parent:
        return f"create the folder {path.parent}, or choose a path in one that exists"
    return "choose another path"


def private_dir(path: Path) -> Path:
    """Make a folder that only its owner can enter, or make an existing one so."""
    with writing(path):
        path.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        if stat.S_IMODE(path.stat().st_mode) & OTHERS:
            path.chmod(PRIVATE_DIR)
    return path


def damaged_bytecode(error: BaseException) -> str | None:
    """Return what to say where Python cannot read what it has compiled; None for other errors.

    On a full disk Python 3.11 keeps the part that it could write, and every later start reads it.
    """
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if not isinstance(error, EOFError | ValueError | TypeError) or trace is None:
        return None
    frame = trace.tb_frame
    path = frame.f_locals.get("bytecode_path")
    if frame.f_code.co_name != "_compile_bytecode" or not path:
        return None
    top = Path(path).parent
    while top.name == "__pycache__" or (top.parent / "__init__.py").is_file():
        top = top.parent
    return (
        f"{path}: what Python has compiled is damaged, as a full disk leaves it. "
        f"Fix: find {shlex.quote(str(top))} -name '*.pyc' -delete"
    )
