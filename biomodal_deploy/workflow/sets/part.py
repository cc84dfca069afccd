"""One deployment of a set: the command for it, run as a child process."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from biomodal_deploy.engine.process import Line, NotStarted, TooMuchOutput, collect
from biomodal_deploy.errors import EXIT_BUG, EXIT_ENGINE, EXIT_INTERRUPTED
from biomodal_deploy.workflow.sets.outcome import Envelope, Outcome, Problem
from biomodal_deploy.workflow.sets.telling import Told, parse

# -P: whatever lies in the project's folder is no part of this program.
_SELF: Final = (sys.executable, "-P", "-m", "biomodal_deploy")
_LAST_WORDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Part:
    """One deployment of a set.

    Attributes:
        stack: The deployment.
        words: The command and its arguments, without `--stack` and `--output`.
    """

    stack: str
    words: Sequence[str]

    def run(
        self,
        *,
        directory: Path,
        environment: Mapping[str, str],
        tell: Callable[[Told], None],
        wishes: int,
    ) -> Outcome:
        """Run it to its end.

        Args:
            directory: What relative paths start from.
            environment: All of its environment.
            tell: Told what goes on, in this thread.
            wishes: A pipe that has a byte for each wish to stop.
        """
        started = time.monotonic()
        notices: list[str] = []
        last_words: deque[str] = deque(maxlen=_LAST_WORDS)

        def on_line(line: Line) -> None:
            told = parse(line.text)
            if told is None:
                last_words.append(line.text)
                return
            if told.kind == "notice":
                notices.append(told.text)
            tell(told)

        command = [*_SELF, *self.words, "--stack", self.stack, "--output", "json", "--part"]
        try:
            ended = collect(
                command,
                directory=directory,
                environment=environment,
                on_line=on_line,
                wishes=wishes,
            )
            envelope = _envelope(ended.stdout, ended.returncode, last_words)
        except (NotStarted, TooMuchOutput) as error:
            envelope = _without_answer(EXIT_ENGINE, f"The command for it gave no answer: {error}")
        return Outcome(
            stack=self.stack,
            exit_status=envelope.exit_status,
            seconds=time.monotonic() - started,
            data=envelope.data,
            problem=envelope.error,
            notices=tuple(notices),
        )


def _envelope(answer: bytes, returncode: int, last_words: Sequence[str]) -> Envelope:
    try:
        return Envelope.model_validate_json(answer)
    except ValidationError:
        pass
    said = f": {' / '.join(last_words)}" if last_words else "."
    if returncode == EXIT_INTERRUPTED:
        return _without_answer(EXIT_INTERRUPTED, "Interrupted: nothing more was done.")
    if returncode < 0:
        # It could say nothing more; its Terraform was told to stop, and lets the lock go.
        message = f"The command for it was ended by signal {-returncode}{said}"
        return _without_answer(EXIT_INTERRUPTED, message)
    message = f"The command for it ended with {returncode} and gave no answer{said}"
    return _without_answer(EXIT_BUG, message)


def _without_answer(status: int, message: str) -> Envelope:
    code = {EXIT_INTERRUPTED: "interrupted", EXIT_ENGINE: "engine"}.get(status, "bug")
    return Envelope(exit_status=status, data=None, error=Problem(code=code, message=message))
