"""Bring the synthesized directories up to date: from the cache, or by running the app."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from biomodal_deploy.config.settings import output_directory, read_project_file
from biomodal_deploy.engine.synthesis.app import App
from biomodal_deploy.engine.synthesis.cache import Cache, Entry
from biomodal_deploy.engine.synthesis.inputs import InDoubt, Inputs, current
from biomodal_deploy.engine.synthesis.result import Synthesis, read_stacks
from biomodal_deploy.engine.synthesis.written import collect, restore
from biomodal_deploy.errors import EngineError


def synthesize(
    project_dir: Path,
    *,
    use_cache: bool = True,
    on_line: Callable[[str], None] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Synthesis:
    """Bring the synthesized directories up to date.

    Args:
        project_dir: The folder that holds `cdktf.json`.
        use_cache: Whether unchanged input may be answered from the cache.
        on_line: Told each line that the app prints.
        environment: The caller's environment.

    Raises:
        UsageError: The app says that a setting is wrong.
        EngineError: The app failed.
        Interrupted: It was asked to stop.
    """
    started = time.monotonic()
    folder = project_dir.absolute()
    project_file = read_project_file(folder)
    app = App.of(project_file, folder, environment)
    output = output_directory(folder, project_file, environment)
    tell = on_line or (lambda _: None)
    cache = _cache(app) if use_cache and app.observable else None
    if cache is None:
        app.run(tell)
        cached = False
    else:
        with cache.turn(output):
            cached = _from_cache(cache, app, output, tell)
    seconds = time.monotonic() - started
    return Synthesis(stacks=read_stacks(output), seconds=seconds, cached=cached)


def _cache(app: App) -> Cache | None:
    try:
        return Cache.of_user(app.environment)
    except OSError:
        return None


def _from_cache(cache: Cache, app: App, output: Path, tell: Callable[[str], None]) -> bool:
    """Restore what the cache has, or run the app and keep what it wrote.

    Returns:
        Whether it was restored.
    """
    try:
        inputs = current(app.project_dir, app.argv, output, app.environment)
    except InDoubt:
        app.run(tell)
        return False
    entry = cache.find(inputs)
    # Where it cannot be restored, the app says why it cannot be written.
    with suppress(OSError):
        if entry is not None:
            restore(output, entry.files)
            for line in entry.lines:
                tell(line)
            return True
    _run_and_keep(cache, app, inputs, tell)
    return False


def _run_and_keep(cache: Cache, app: App, inputs: Inputs, tell: Callable[[str], None]) -> None:
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        tell(line)

    began = time.time_ns()
    observed = app.observe(hear)
    with suppress(InDoubt, EngineError, OSError):
        read = cache.besides(observed, inputs)
        known = inputs.files.union(filter(None, read.values()))
        files = collect(inputs.output, since=began, known=known)
        # Someone may have saved a file meanwhile.
        if current(app.project_dir, app.argv, inputs.output, app.environment) == inputs:
            cache.keep(inputs, Entry(read=read, lines=tuple(lines), files=files))
