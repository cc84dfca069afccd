"""The digest of the Terraform that runs: a version is only what a program says of itself.

It has 90 MB, so the digest is kept for as long as the file is the same one: path, inode, size, and
the times of its content and of its inode. Providers need no digest of ours: at each start Terraform
itself compares what is installed with the checksums of the lock file, and that file is sealed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError
from biomodal_deploy.folders import cache_folder

_KEPT: Final = TypeAdapter(dict[str, str])
_MOST_KEPT: Final = 50


def program_sha256(program: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return the SHA-256 of a program's file; of a version manager that is its launcher.

    Args:
        environment: Where the user's cache folder is found.
    """
    path = program.resolve()
    kept_in, kept = _read_kept(environment)
    try:
        with path.open("rb") as file:
            key = _status_key(path, os.fstat(file.fileno()))
            if key in kept:
                return kept[key]
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", field=str(path), fix="make it readable"
        ) from None
    if kept_in is not None:
        newest = dict([*kept.items()][-_MOST_KEPT:])
        with suppress(OSError):
            files.write(kept_in, _KEPT.dump_json({**newest, key: digest}))
    return digest


def _status_key(path: Path, status: os.stat_result) -> str:
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    return f"{path}:{status.st_dev}:{status.st_ino}:{status.st_size}:{times}"


def _read_kept(environment: Mapping[str, str]) -> tuple[Path | None, dict[str, str]]:
    kept = None
    try:
        kept = cache_folder(environment=environment) / "program-digests.json"
        return kept, _KEPT.validate_json(files.read_regular(kept))
    except (OSError, ValidationError):
        return kept, {}  # nothing is kept, so it is computed
