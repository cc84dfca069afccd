"""A copy of the project beside a sandbox: nothing of the real one is touched."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from pydantic import JsonValue

from biomodal_deploy.engine.process import capture
from biomodal_deploy.engine.process.foreground import run_in_foreground
from biomodal_deploy.errors import EngineError
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.scratch import scratch_environment

STACK: Final = "biomodal-aws-native"
STACKS: Final[dict[str, JsonValue]] = {
    "biomodal-aws": {"bootstrap": "module", "profile": "documented"},
    STACK: {"bootstrap": "native", "profile": "documented"},
}


@dataclass(frozen=True)
class StepResult:
    """What became of one step."""

    title: str
    ok: bool
    seconds: float
    note: str = ""


class Rehearsal:
    """A project copy and an account on loopback, for the demo's steps.

    Args:
        folder: A private, empty folder.
        announce: Told each command before it runs.
        screen: Where the commands print for people; our own standard output where None.
    """

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        environment: Mapping[str, str],
        announce: Callable[[str], None],
        screen: IO[str] | None = None,
    ) -> None:
        self.folder, self.sandbox, self._screen = folder, sandbox, screen
        # Variables that move the output, and the state with it, mean the caller's own project.
        self._environment = scratch_environment(sandbox.environment(environment))
        self._announce = announce
        self.var_file = sandbox.write_tfvars(folder / "sandbox.tfvars")

    def run(self, *words: str | Path) -> int:
        """Run one command of `biomodal-aws` for people to see, and return its exit status."""
        self._announce(shlex.join(["biomodal-aws", *map(str, words)]))
        return run_in_foreground(
            self._argv(words),
            directory=self.folder,
            environment=self._environment,
            stdout=self._screen,
        )

    def ask(self, *words: str | Path) -> object:
        """Run one command for its data.

        Raises:
            EngineError: It failed.
        """
        argv = self._argv([*words, "--output", "json"])
        done = capture(argv, directory=self.folder, environment=self._environment)
        try:
            return json.loads(done.stdout)["data"]
        except ValueError:
            raise EngineError(f"biomodal-aws {words[0]} printed no JSON") from None

    def _argv(self, words: Sequence[str | Path]) -> list[str]:
        return [sys.executable, "-m", "biomodal_deploy", *map(str, words)]


def timed(title: str, step: Callable[[], tuple[bool, str]]) -> StepResult:
    """Run a step and time it."""
    started = time.monotonic()
    ok, note = step()
    return StepResult(title, ok, time.monotonic() - started, note)
