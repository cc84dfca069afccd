"""Ask a Terraform for its version, once in a process."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path

from biomodal_deploy.engine.toolchain.probe import ProbeError, ask
from biomodal_deploy.engine.toolchain.tool import numbers


def version_of(prefix: tuple[str, ...], environ: Mapping[str, str], cwd: Path | None) -> str:
    """Return the version of a Terraform.

    Args:
        prefix: What stands before its own arguments.

    Raises:
        OSError: It is not there.
        ProbeError: does not answer as Terraform does.
    """
    stat = Path(prefix[-1]).stat()
    return _version(prefix, (stat.st_mtime_ns, stat.st_size), _environment(environ), cwd)


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
def _version(
    prefix: tuple[str, ...],
    _stamp: tuple[int, int],
    environ: tuple[tuple[str, str], ...],
    cwd: Path | None,
) -> str:
    answer = ask([*prefix, "version", "-json"], environ=dict(environ), cwd=cwd)
    try:
        version = json.loads(answer.text)["terraform_version"]
    except (ValueError, TypeError, KeyError):
        version = None
    if answer.status or not isinstance(version, str) or numbers(version) is None:
        raise ProbeError(f"does not answer as terraform ({answer.first_line})")
    return version
