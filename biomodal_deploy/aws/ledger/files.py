"""A ledger and what was left, kept beside the sealed destroy plan for whoever asks later."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from biomodal_deploy.aws.ledger.model import Data, Ledger, Remains
from biomodal_deploy.errors import BundleRefused
from biomodal_deploy.files import replace
from biomodal_deploy.plan.sealed.files import read_private
from biomodal_deploy.plan.sealed.sealed import LEDGER_FILE, REMAINS_FILE

_MOST_BYTES = 20_000_000
_Model = TypeVar("_Model", bound=Data)


def save_ledger(folder: Path, ledger: Ledger) -> None:
    """Keep a ledger in a sealed plan's folder.

    Raises:
        UsageError: The system refused to write.
    """
    replace(folder / LEDGER_FILE, ledger.model_dump_json(indent=2).encode() + b"\n")


def save_remains(folder: Path, remains: Remains) -> None:
    """Keep what was left in a sealed plan's folder.

    Raises:
        UsageError: The system refused to write.
    """
    replace(folder / REMAINS_FILE, remains.model_dump_json(indent=2).encode() + b"\n")


def saved_ledger(folder: Path) -> Ledger | None:
    """Return the ledger that was taken for a sealed plan; None where there is none to read."""
    return _read(folder / LEDGER_FILE, Ledger)


def saved_remains(folder: Path) -> Remains | None:
    """Return what was left after a sealed plan was applied; None where there is none to read."""
    return _read(folder / REMAINS_FILE, Remains)


def _read(path: Path, model: type[_Model]) -> _Model | None:
    try:
        return model.model_validate_json(read_private(path, _MOST_BYTES))
    except (BundleRefused, ValidationError):
        return None
