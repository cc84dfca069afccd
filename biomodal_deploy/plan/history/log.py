"""The file of a history: appended to by any number of processes, never rewritten."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import PRIVATE_FILE, private_dir, read_regular, writing
from biomodal_deploy.plan.history.entry import (
    FORMAT,
    START,
    Chain,
    Entry,
    Event,
    digest_of,
    newer_format,
    parse_entry,
    read_chain,
)
from biomodal_deploy.plan.sealed.facts import Actor, one_line
from biomodal_deploy.plan.sealed.files import sha256
from biomodal_deploy.plan.sealed.sealed_plan import stack_folder

HISTORY_FILE: Final = "history.jsonl"
_SET_ASIDE: Final = f"{HISTORY_FILE}.*"


class _Started(BaseModel):
    event: str
    sealed_plan: str | None = None


class History:
    """The history of one stack, in `plans/<stack>/history.jsonl`.

    Any number of processes may write to it.
    """

    def __init__(self, plans: Path, stack: str, *, redact: Callable[[str], str] = str) -> None:
        self.path = stack_folder(plans, stack) / HISTORY_FILE
        self._plans, self._stack, self._redact = plans, stack, redact

    def append(
        self,
        event: Event,
        *,
        sealed_plan: str | None = None,
        message: str = "",
        details: dict[str, str | int | bool | None] | None = None,
        now: datetime | None = None,
    ) -> Entry:
        """Write an entry down to the disk.

        Raises:
            SealedPlanRefused: A newer version wrote its last line.
        """
        private_dir(self._plans)
        private_dir(self.path.parent)
        with writing(self.path), self._open(os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX) as descriptor:
            os.fchmod(descriptor, PRIVATE_FILE)
            last, fragment = self._tail(descriptor)
            written = b""
            if fragment:
                last, written = self._mended(last, fragment)
            entry = self._entry(
                last,
                event,
                now,
                sealed_plan=sealed_plan,
                message=self._shown(message),
                details={
                    self._shown(key): self._shown(value) if isinstance(value, str) else value
                    for key, value in (details or {}).items()
                },
            )
            _write(descriptor, written + entry.line() + b"\n")
        return entry

    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, up to a break of the chain where there is one."""
        return self.verify_chain().entries

    def whole(self) -> tuple[Entry, ...]:
        """Return all entries of a history that nothing is wrong with.

        Raises:
            SealedPlanRefused: The chain is broken: which plans were used is not known then.
        """
        chain = self.verify_chain()
        if chain.broken_at:
            raise self._broken(f"line {chain.broken_at}", chain.why, newer=chain.newer)
        return chain.entries

    def verify_chain(self) -> Chain:
        """Read every entry, and say where the chain breaks."""
        try:
            with self._open(os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
                content = b"".join(iter(lambda: os.read(descriptor, 1 << 20), b""))
        except FileNotFoundError:
            return Chain(())
        except OSError as error:
            denied = isinstance(error, PermissionError)
            raise UsageError(
                f"cannot be read ({error.strerror})",
                field=str(self.path),
                fix="fix its permissions" if denied else "move it out of the way",
            ) from None
        return read_chain(content)

    def was_started(self, sealed_plan: str) -> bool:
        """Whether an apply of a sealed plan was begun: a copy of its folder cannot hide that.

        A broken history that was set aside counts as well, line by line.

        Raises:
            SealedPlanRefused: The chain is broken.
        """
        starts = [entry.sealed_plan for entry in self.whole() if entry.event is Event.APPLY_START]
        return sealed_plan in starts or any(
            sealed_plan in _started_in(path) for path in self.path.parent.glob(_SET_ASIDE)
        )

    def _mended(self, last: Entry | None, fragment: bytes) -> tuple[Entry, bytes]:
        """Return what ends a line that was cut short, and the entry that says so."""
        entry = parse_entry(fragment)
        if entry and entry.prev == (last.sha256 if last else START):
            return entry, b"\n"
        entry = self._entry(
            last,
            Event.MENDED,
            None,
            message="The line above was cut short: the process that wrote it died.",
            details={"bytes": len(fragment), "sha256": sha256(fragment)},
        )
        return entry, b"\n" + entry.line() + b"\n"

    def _entry(
        self,
        last: Entry | None,
        event: Event,
        now: datetime | None,
        *,
        sealed_plan: str | None = None,
        message: str = "",
        details: dict[str, str | int | bool | None] | None = None,
    ) -> Entry:
        draft = Entry(
            format=FORMAT,
            seq=last.seq + 1 if last else 1,
            at=now or datetime.now(UTC),
            event=event,
            stack=self._stack,
            sealed_plan=sealed_plan,
            by=Actor.me(),
            message=message,
            details=details or {},
            prev=last.sha256 if last else START,
            sha256=START,
        )
        return draft.model_copy(update={"sha256": digest_of(draft)})

    def _tail(self, descriptor: int) -> tuple[Entry | None, bytes]:
        """Return the last entry, and what stands after the last line's end."""
        for line, fragment in _lines_from_the_end(descriptor):
            if newer := newer_format(fragment) or newer_format(line):
                why = f"it was written by a newer version of biomodal-aws (format {newer})"
                raise self._broken("its last line", why, newer=True)
            if entry := parse_entry(line):
                return entry, fragment
        return None, fragment

    def _broken(self, where: str, why: str, *, newer: bool) -> SealedPlanRefused:
        if newer:
            return SealedPlanRefused(
                "history_newer",
                f"{self.path}: {where} cannot be used: {why}. Fix: upgrade biomodal-aws",
            )
        file = shlex.quote(str(self.path))
        return SealedPlanRefused(
            "history_broken",
            f"{self.path}: the history is broken at {where} ({why}), so which plans were applied "
            f"is unknown. Fix: restore the file from a backup, or set it aside with "
            f"`mv {file} {file}.broken` and plan again",
        )

    def _shown(self, text: str) -> str:
        return one_line(self._redact(text))

    @contextlib.contextmanager
    def _open(self, flags: int, lock: int) -> Iterator[int]:
        flags |= os.O_NOFOLLOW | os.O_CLOEXEC | os.O_APPEND | os.O_NONBLOCK
        descriptor = os.open(self.path, flags, PRIVATE_FILE)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise UsageError(
                    "not a regular file of yours",
                    field=str(self.path),
                    fix="move it out of the way",
                )
            fcntl.flock(descriptor, lock)
            yield descriptor
        finally:
            os.close(descriptor)


def _started_in(path: Path) -> set[str | None]:
    """Return the plans whose apply a file names, whatever else is wrong with it."""
    found = set()
    try:
        content = read_regular(path)
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror}), so which plans were applied is unknown",
            field=str(path),
            fix="make it readable, or move it out of the folder",
        ) from None
    for line in content.splitlines():
        with contextlib.suppress(ValidationError):
            entry = _Started.model_validate_json(line)
            if entry.event == Event.APPLY_START:
                found.add(entry.sealed_plan)
    return found


def _lines_from_the_end(descriptor: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield whole lines, the last first, each with what stands after the last line's end."""
    end = os.fstat(descriptor).st_size
    size = 1 << 16
    while True:
        start = max(0, end - size)
        *lines, fragment = os.pread(descriptor, end - start, start).split(b"\n")
        if start:
            lines = lines[1:]  # it may begin in the middle of a line
        yield from ((line, fragment) for line in reversed([b"", *lines] if not start else lines))
        if not start:
            return
        size *= 8


def _write(descriptor: int, content: bytes) -> None:
    size = os.fstat(descriptor).st_size
    try:
        data = memoryview(content)
        while data:
            data = data[os.write(descriptor, data) :]
        os.fsync(descriptor)
    except OSError:
        # A full disk must not leave half an entry.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)
        raise
