"""Writing both files: never over one that says something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.errors import UsageError

CONFIG_NAME: Final = "nextflow.config"
ENVIRONMENT_NAME: Final = "nextflow.env"


@dataclass(frozen=True)
class Written:
    """What lies there now.

    Attributes:
        paths: The files.
        changed: Those that were written; the others had this text already.
    """

    paths: tuple[Path, ...]
    changed: tuple[Path, ...]


def write_files(folder: Path, texts: Mapping[str, str], *, force: bool) -> Written:
    """Write files into a folder, which is made where it is missing.

    Args:
        folder: The folder.
        texts: Text by file name.
        force: Whether to write over files that say something else.

    Raises:
        UsageError: A file says something else, or the system refuses to write.
    """
    paths = {folder / name: text.encode() for name, text in texts.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        changed = [path for path, text in paths.items() if not _says(path, text)]
        # All are looked at before the first is written.
        for path in changed:
            if path.exists() and not force:
                raise UsageError(
                    "It is there already and says something else",
                    field=str(path),
                    fix="write it over with --force, or name another folder with --out",
                )
        for path in changed:
            files.write(path, paths[path], mode=files.public_mode())
    except OSError as error:
        raise UsageError(
            f"It cannot be written ({error.strerror or error})",
            field=str(error.filename or folder),
            fix="name another folder with --out",
        ) from None
    return Written(tuple(paths), tuple(changed))


def _says(path: Path, text: bytes) -> bool:
    try:
        return path.read_bytes() == text
    except FileNotFoundError:
        return False
