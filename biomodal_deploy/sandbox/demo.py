"""A copy of the project beside a sandbox: nothing of the real one is touched."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from pydantic import JsonValue

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.config.contract.aws import SMOKE_IMAGE
from biomodal_deploy.config.settings import PROTECTED_KINDS
from biomodal_deploy.engine.process import capture, run_in_foreground
from biomodal_deploy.errors import EXIT_DONE, EngineError
from biomodal_deploy.sandbox import Sandbox
from biomodal_deploy.sandbox.scratch import scratch_environment

STACK: Final = "biomodal-aws-native"
STACKS: Final[dict[str, JsonValue]] = {
    "biomodal-aws": {"bootstrap": "module", "profile": "documented"},
    STACK: {"bootstrap": "native", "profile": "documented"},
}


@dataclass(frozen=True)
class StepResult:
    """One step of the demo.

    Attributes:
        step: Its title.
        ok: Whether it held.
        seconds: How long it took.
        note: What it showed.
        skipped: Whether it was not run, for the reason in the note.
    """

    step: str
    ok: bool
    seconds: float
    note: str
    skipped: bool = False


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
        """Run one command for its data."""
        argv = self._argv([*words, "--output", "json"])
        done = capture(argv, directory=self.folder, environment=self._environment)
        try:
            return json.loads(done.stdout)["data"]
        except ValueError:
            raise EngineError(f"biomodal-aws {words[0]} printed no JSON") from None

    def _argv(self, words: Sequence[str | Path]) -> list[str]:
        return [sys.executable, "-m", "biomodal_deploy", *map(str, words)]


class Skipped(Exception):
    """What a step needs is not here."""


def timed(title: str, step: Callable[[], tuple[bool, str]]) -> StepResult:
    """Run a step and time it."""
    started = time.monotonic()
    try:
        ok, note = step()
    except Skipped as reason:
        return StepResult(title, ok=True, seconds=0.0, note=str(reason), skipped=True)
    return StepResult(title, ok, round(time.monotonic() - started, 1), note)


Outcome = tuple[bool, str]


def synthesize(demo: Rehearsal) -> Outcome:
    """Both implementations become Terraform JSON."""
    status = demo.run("synth")
    files = sorted(demo.folder.glob("cdktf.out/stacks/*/cdk.tf.json"))
    return status == EXIT_DONE and len(files) == 2, f"{len(files)} stacks"


def validate(demo: Rehearsal) -> Outcome:
    """Terraform and the AWS provider accept the native stack."""
    return demo.run("validate", "--stack", STACK) == EXIT_DONE, "valid"


def plan(demo: Rehearsal) -> Outcome:
    """A plan to a file, sealed."""
    status = demo.run("plan", "--stack", STACK, "--var-file", demo.var_file)
    return status == EXIT_DONE and _has_changes(demo), _count(demo, "create")


def apply(demo: Rehearsal) -> Outcome:
    """Exactly that file, by its digest."""
    sealed = demo.ask("show", "--stack", STACK)
    digest = str(sealed["sha256"]) if isinstance(sealed, dict) else ""
    status = demo.run("apply", "--stack", STACK, "--expect-sha256", digest)
    return status == EXIT_DONE, "the approved digest"


def outputs(demo: Rehearsal) -> Outcome:
    """The documented outputs, all of them."""
    status = demo.run("output", "--stack", STACK)
    found = demo.ask("output", "--stack", STACK)
    names = set(found) if isinstance(found, dict) else set()
    return status == EXIT_DONE and names == set(OUTPUTS), f"{len(names)} of {len(OUTPUTS)}"


def no_changes(demo: Rehearsal) -> Outcome:
    """A second plan finds nothing to do."""
    status = demo.run("plan", "--stack", STACK, "--var-file", demo.var_file)
    return status == EXIT_DONE and not _has_changes(demo), "no changes"


def smoke(demo: Rehearsal) -> Outcome:
    """One job of its queue, in a container of this machine."""
    if missing := _no_containers():
        raise Skipped(f"not run: {missing}")
    status = demo.run("smoke", "--stack", STACK)
    return status == EXIT_DONE, f"exit status {status}"


def destroy_plan(demo: Rehearsal) -> Outcome:
    """A destroy plan, which names each protected resource that may go."""
    addresses = _protected(demo)
    allowed = [word for address in addresses for word in ("--allow-destroy", address)]
    status = demo.run("plan", "--destroy", "--stack", STACK, "--var-file", demo.var_file, *allowed)
    return status == EXIT_DONE and _has_changes(demo), _count(demo, "delete")


def destroy(demo: Rehearsal) -> Outcome:
    """Exactly that destroy plan, confirmed by the stack's name."""
    return demo.run("apply", "--stack", STACK, "--confirm", STACK) == EXIT_DONE, "confirmed"


def nothing_left(demo: Rehearsal) -> Outcome:
    """AWS itself says that nothing is left."""
    # Batch makes one group for the logs of all jobs of an account, and no stack owns it.
    left = [each for each in demo.sandbox.leftovers() if each.identifier != "/aws/batch/job"]
    return not left, ", ".join(f"{item.kind} {item.identifier}" for item in left) or "nothing"


def whole_history(demo: Rehearsal) -> Outcome:
    """Everything that was done is written down, and the log's chain is whole."""
    return demo.run("history", "--stack", STACK) == EXIT_DONE, "whole"


STEPS: Final[tuple[tuple[str, Callable[[Rehearsal], Outcome]], ...]] = (
    ("synthesize both stacks", synthesize),
    ("validate the native one", validate),
    ("plan to a sealed file", plan),
    ("apply exactly that file", apply),
    ("read the outputs", outputs),
    ("plan again: no changes", no_changes),
    ("run one job", smoke),
    ("plan the destruction", destroy_plan),
    ("apply the destroy plan", destroy),
    ("ask AWS what is left", nothing_left),
    ("read the history", whole_history),
)


def _no_containers() -> str | None:
    """Return what is missing to run a job here, and nothing is downloaded for it."""
    # Containers reach the account on loopback: elsewhere they run in a machine of their own.
    if sys.platform != "linux" or not os.environ.get("DOCKER_HOST", "unix:").startswith("unix:"):
        return "containers of this machine itself, on Linux"
    # The sandbox's own dependency, and rarely used.
    import docker

    try:
        client = docker.from_env(timeout=10)
        client.images.get(SMOKE_IMAGE)
    except docker.errors.ImageNotFound:
        return f"docker pull {SMOKE_IMAGE} brings the image"
    except docker.errors.DockerException:
        return "no container runtime answers (DOCKER_HOST)"
    client.close()
    return None


def _has_changes(demo: Rehearsal) -> bool:
    sealed = demo.ask("show", "--stack", STACK)
    return isinstance(sealed, dict) and sealed.get("has_changes") is True


def _count(demo: Rehearsal, action: str) -> str:
    sealed = demo.ask("show", "--stack", STACK)
    counts = sealed.get("counts") if isinstance(sealed, dict) else None
    number = counts.get(action) if isinstance(counts, dict) else None
    return f"{number} to {action}"


def _protected(demo: Rehearsal) -> list[str]:
    """Return the addresses that need an allowance, as the applied plan named them."""
    applied = min(demo.folder.glob(f"plans/{STACK}/*Z-*"))
    sealed = demo.ask("show", applied, "--stack", STACK)
    changes = sealed.get("changes", []) if isinstance(sealed, dict) else []
    addresses = [str(change["address"]) for change in changes]
    return [each for each in addresses if each.partition(".")[0] in PROTECTED_KINDS]
