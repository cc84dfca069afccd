"""Run the app command in a child process, as `cdktf synth` does, and read what it wrote."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, JsonValue, ValidationError

from biomodal_deploy.config.settings import ProjectFile, output_directory, read_project_file
from biomodal_deploy.engine.process import Ended, Line, NotStarted, run
from biomodal_deploy.engine.toolchain.node import find_node
from biomodal_deploy.errors import EXIT_USAGE, EngineError, Interrupted, UsageError
from biomodal_deploy.files import read_regular, write
from biomodal_deploy.folders import cache_folder

_PREFIX: Final = "error: "
_MANIFEST: Final = "manifest.json"


@dataclass(frozen=True)
class App:
    """An app command."""

    argv: tuple[str, ...]
    project_dir: Path
    environment: Mapping[str, str]

    @classmethod
    def of(
        cls, project_file: ProjectFile, project_dir: Path, environment: Mapping[str, str]
    ) -> App:
        """Return a project's app command.

        Raises:
            UsageError: It is no command, or BIOMODAL_NODE is no Node that will do.
        """
        try:
            argv = shlex.split(project_file.app)
        except ValueError as error:
            raise _no_command(str(error), project_file.app) from None
        if not argv:
            raise _no_command("it is empty", project_file.app)
        # The app's `python` is the one that runs us: the packages that it needs are beside it.
        path = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        if argv[0] in ("python", "python3"):
            argv[0] = sys.executable
        if shutil.which(argv[0], path=path) is None and not (project_dir / argv[0]).exists():
            raise _no_command("there is no such program", argv[0])
        return cls(tuple(argv), project_dir, {**environment, "PATH": path, **_node(environment)})

    def run(self, on_line: Callable[[str], None]) -> None:
        """Run it."""
        lines: list[Line] = []

        def receive(line: Line) -> None:
            lines.append(line)
            on_line(line.text)

        try:
            ended = run(
                self.argv, directory=self.project_dir, environment=self.environment, on_line=receive
            )
        except NotStarted as error:
            raise _no_command(str(error), self.argv[0], error.fix) from None
        if ended.error:
            raise ended.error
        if ended.returncode:
            raise self._failure(ended, lines)

    def _failure(self, ended: Ended, lines: Sequence[Line]) -> Exception:
        if ended.steps:
            return Interrupted("Interrupted while synthesizing: nothing was written.")
        errors = [line.text for line in lines if line.stream == "stderr"]
        said = [line.removeprefix(_PREFIX) for line in errors if line.startswith(_PREFIX)]
        if ended.returncode == EXIT_USAGE and said:
            return _Said(said[-1])
        last = next((line for line in reversed(errors) if line.strip()), "it said nothing")
        return EngineError(
            f"the app command failed: {last}",
            log=self._log(lines) if lines else None,
            returncode=ended.returncode,
        )

    def _log(self, lines: Sequence[Line]) -> Path | None:
        content = "".join(f"{line.text}\n" for line in lines).encode("utf-8", "replace")
        try:
            folder = cache_folder("logs", environment=self.environment)
        except OSError:
            folder = Path(tempfile.mkdtemp(prefix="biomodal-aws-"))
        try:
            write(folder / "synthesis.log", content)
        except OSError:
            return None
        return folder / "synthesis.log"


def _no_command(reason: str, value: str, fix: str | None = None) -> UsageError:
    return UsageError(
        f"cannot be started ({reason})",
        field="cdktf.json: app",
        value=value,
        fix=fix or 'name a program, as in "python main.py"',
    )


class _Said(UsageError):
    """The app's own line, field, rule and fix included."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.args = (line,)


def _node(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what makes jsii start the Node that our own setting names; nothing without one."""
    if not environment.get("BIOMODAL_NODE"):
        return {}
    return {"JSII_NODE": str(find_node(environment).path)}


@dataclass(frozen=True, kw_only=True)
class SynthesizedDirectory:
    """One stack that was written.

    Attributes:
        directory: Its folder, absolute.
    """

    name: str
    directory: Path
    resources: int


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """What was synthesized."""

    seconds: float
    stacks: tuple[SynthesizedDirectory, ...]


def synthesize(
    project_dir: Path,
    *,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Synthesis:
    """Synthesize all stacks of a project. The app itself publishes what it wrote in one step.

    Raises:
        UsageError: The app reports that a setting is wrong.
        EngineError: The app failed, or wrote no manifest.
        Interrupted: It was asked to stop.
    """
    started = time.monotonic()
    folder = project_dir.absolute()
    project_file = read_project_file(folder)
    output = output_directory(folder, project_file, environment)
    App.of(project_file, folder, environment).run(on_line or (lambda _: None))
    return Synthesis(stacks=_read_stacks(output), seconds=round(time.monotonic() - started, 3))


class _ManifestStack(BaseModel):
    name: str
    workingDirectory: str  # noqa: N815 - cdktf's spelling


class _Manifest(BaseModel):
    stacks: dict[str, _ManifestStack]


class _Blocks(BaseModel):
    resource: dict[str, dict[str, JsonValue]] = {}
    module: dict[str, JsonValue] = {}


def _read_stacks(output: Path) -> tuple[SynthesizedDirectory, ...]:
    try:
        manifest = _Manifest.model_validate_json(read_regular(output / _MANIFEST))
    except (OSError, ValidationError):
        raise EngineError(f"the app command wrote no manifest to {output}") from None
    return tuple(
        SynthesizedDirectory(
            name=stack.name,
            directory=output / stack.workingDirectory,
            resources=_resources(output / stack.workingDirectory / "cdk.tf.json"),
        )
        for stack in sorted(manifest.stacks.values(), key=lambda each: each.name)
    )


def _resources(path: Path) -> int:
    try:
        blocks = _Blocks.model_validate_json(read_regular(path))
    except (OSError, ValidationError):
        return 0
    return sum(map(len, blocks.resource.values())) + len(blocks.module)
