"""Ask a Terraform for its version: once in a process, and early where it will be needed."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain.probe import ProbeError, Question
from biomodal_deploy.engine.toolchain.tool import numbers


@dataclass(frozen=True)
class _Asked:
    """Whom the version is asked, and all that the answer depends on."""

    prefix: tuple[str, ...]
    stamp: tuple[int, int]
    environ: tuple[tuple[str, str], ...]
    cwd: Path | None

    def ask(self) -> Question:
        argv = [*self.prefix, "version", "-json"]
        return Question(argv, environ=dict(self.environ), cwd=self.cwd)


_AHEAD: Final[dict[_Asked, Question]] = {}


def version_of(prefix: tuple[str, ...], environ: Mapping[str, str], cwd: Path | None) -> str:
    """Return the version of a Terraform.

    Args:
        prefix: What stands before its own arguments.
        environ: The caller's environment.
        cwd: Where it is asked.

    Raises:
        OSError: It is not there.
        ProbeError: It does not answer as Terraform does.
    """
    return _version(_asked(prefix, environ, cwd))


@contextmanager
def version_asked(
    prefix: tuple[str, ...], environ: Mapping[str, str], cwd: Path | None
) -> Iterator[None]:
    """Have what `version_of` will be asked answered beside what else is done in the block.

    What goes wrong is raised by `version_of`; a program that nobody asked by the end is ended.

    Args:
        prefix: As for `version_of`.
        environ: As for `version_of`.
        cwd: As for `version_of`.
    """
    question = None
    with suppress(OSError, ProbeError):
        asked = _asked(prefix, environ, cwd)
        question = _AHEAD[asked] = asked.ask()
    try:
        yield
    finally:
        if question:
            _AHEAD.pop(asked, None)
            question.drop()


def _asked(prefix: tuple[str, ...], environ: Mapping[str, str], cwd: Path | None) -> _Asked:
    stat = Path(prefix[-1]).stat()
    return _Asked(prefix, (stat.st_mtime_ns, stat.st_size), _environment(environ), cwd)


def _environment(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    # Version managers need the user's own variables; Terraform's would only change its answer.
    # An empty CLI configuration: a fault in the user's own is reported by the command that
    # needs it, in Terraform's words, and not as a broken program.
    kept = {name: value for name, value in environ.items() if not name.startswith("TF_")}
    kept |= {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return tuple(sorted(kept.items()))


# In this process only: a version manager's launcher keeps its size and date while the version
# behind it changes, so an answer kept on disk would lie.
@functools.lru_cache(maxsize=16)
def _version(asked: _Asked) -> str:
    answer = (_AHEAD.pop(asked, None) or asked.ask()).answer()
    try:
        version = json.loads(answer.text)["terraform_version"]
    except (ValueError, TypeError, KeyError):
        version = None
    if answer.status or not isinstance(version, str) or numbers(version) is None:
        raise ProbeError(f"It does not answer as terraform ({answer.first_line})")
    return version
