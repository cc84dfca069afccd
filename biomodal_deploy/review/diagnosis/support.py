"""A support bundle: what somebody else needs to help, in a folder or archive, without secrets."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import PRIVATE_DIR, PRIVATE_FILE, write_new, writing
from biomodal_deploy.plan.redactor import HIDDEN_TEXT
from biomodal_deploy.review.diagnosis.scrubbing import scrubbed, without_accounts

_ARCHIVES: Final = (".tar.gz", ".tgz")
_TOP: Final = "biomodal-aws-support"
_BEGINS: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_ENDS: Final = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")
# Of a log, the beginning says what ran, and the end what went wrong.
_HEAD: Final = 256 * 1024
_TAIL: Final = 2 * 1024 * 1024


class Cleaner:
    """Takes out of a text what must not leave this machine.

    Args:
        redact: Hides what the deployment's sensitive variables hold.
        home: The user's home folder, whose name says who it is.
    """

    def __init__(self, redact: Callable[[str], str], home: Path) -> None:
        self._redact, self._home = redact, str(home)

    def text(self, text: str) -> str:
        """Return a text without secrets and accounts."""
        clean = without_accounts(scrubbed(self._redact(text)))
        return clean.replace(self._home, "~") if len(self._home) > 1 else clean

    def log(self, stream: BinaryIO) -> str:
        """Return a log without them: its beginning and its end, where it is large."""
        return "".join(self._lines(_both_ends(stream)))

    def _lines(self, content: bytes) -> Iterator[str]:
        inside = False
        for line in content.decode("utf-8", "replace").replace("\x00", "").splitlines():
            if inside:
                inside = not _ENDS.search(line)
                continue
            begins = _BEGINS.search(line)
            if begins and not _ENDS.search(line):
                inside = True
                yield f"{self.text(line[: begins.start()])}{HIDDEN_TEXT}\n"
            else:
                yield f"{self.text(line)}\n"


def write_bundle(target: Path, files: Mapping[str, str]) -> Path:
    """Write a support bundle that only its owner may read.

    Args:
        target: A folder, or a file that ends with .tar.gz or .tgz; it must not exist yet.
        files: Contents by name.

    Raises:
        UsageError: It exists, or cannot be written.
    """
    if target.exists() or target.is_symlink():
        raise UsageError(
            "It exists already, and is not overwritten",
            field="--support-bundle",
            value=str(target),
            fix="give another name",
        )
    if target.name.endswith(_ARCHIVES):
        with writing(target):
            target.parent.mkdir(mode=PRIVATE_DIR, parents=True, exist_ok=True)
        write_new(target, _archive(files))
        return target
    with writing(target):
        target.mkdir(mode=PRIVATE_DIR, parents=True)
        for name, content in files.items():
            path = target / name
            path.parent.mkdir(mode=PRIVATE_DIR, exist_ok=True)
            write_new(path, content.encode())
    return target


def _archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            data = content.encode()
            member = tarfile.TarInfo(f"{_TOP}/{name}")
            member.size, member.mode = len(data), PRIVATE_FILE
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _both_ends(stream: BinaryIO) -> bytes:
    head = stream.read(_HEAD)
    size = stream.seek(0, io.SEEK_END)
    if size <= _HEAD + _TAIL:
        stream.seek(len(head))
        return head + stream.read()
    stream.seek(size - _TAIL)
    left_out = size - _HEAD - _TAIL
    # Whole lines: half of a secret is not recognised.
    first = head[: head.rfind(b"\n") + 1]
    last = stream.read().partition(b"\n")[2]
    return first + f"[about {left_out} bytes left out]\n".encode() + last
