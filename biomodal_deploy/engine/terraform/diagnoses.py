"""What Terraform's errors mean for programs and in one line: the catalog's word for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from biomodal_deploy.engine.terraform.events import Diagnostic
from biomodal_deploy.errors import EngineError
from biomodal_deploy.known_errors.matching import name_cause


@dataclass(frozen=True)
class Diagnosis:
    """A failure that was recognised.

    Attributes:
        cause: The catalog's word for it.
        code: The coarser word that `error.code` has.
        advice: The next step.
    """

    cause: str
    code: str
    advice: str


def diagnose(errors: Iterable[Diagnostic]) -> Diagnosis | None:
    """Return what the first recognised error means."""
    # Only here: the catalog is read where something failed.

    for error in errors:
        match = name_cause(f"{error.summary}\n{error.detail}")
        if match:
            entry = match.entry
            return Diagnosis(entry.id, entry.code or EngineError.code, match.advice())
    return None
