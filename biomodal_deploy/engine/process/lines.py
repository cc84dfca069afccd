"""Lines out of chunks of bytes, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Stream: TypeAlias = Literal["stdout", "stderr"]

LONGEST_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a child printed.

    Attributes:
        text: Without its line end; undecodable bytes are replaced.
        left_out: How many bytes were dropped from the end of a line longer than the limit.
    """

    stream: Stream
    text: str
    left_out: int = 0


class LineSplitter:
    """Collects chunks and hands on whole lines."""

    def __init__(
        self, stream: Stream, on_line: Callable[[Line], None], longest: int = LONGEST_LINE
    ) -> None:
        self._stream, self._on_line, self._longest = stream, on_line, longest
        self._kept = bytearray()
        self._left_out = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._keep(chunk[start:end])
            start = end + 1
            self._hand_on()
        self._keep(chunk[start:])

    def close(self) -> None:
        """Hand on a last line that has no line end."""
        if self._kept or self._left_out:
            self._hand_on()

    def _keep(self, piece: bytes) -> None:
        room = self._longest - len(self._kept)
        self._kept += piece[:room]
        self._left_out += max(0, len(piece) - room)

    def _hand_on(self) -> None:
        text = self._kept.decode("utf-8", "replace").removesuffix("\r")
        line = Line(self._stream, text, self._left_out)
        # Before the call: one that raises must not see this line again.
        self._kept.clear()
        self._left_out = 0
        self._on_line(line)
