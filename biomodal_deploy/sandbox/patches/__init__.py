"""Small, named patches around moto: where it differs from AWS in what our stacks use.

Each patch is a function that returns its changes and whose docstring says why it is there. Its
test fails without it, so a moto that mends a gap shows which patch can go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from biomodal_deploy.sandbox.patches import (
    batch,
    batch_jobs,
    budgets,
    console,
    ec2,
    ecr,
    iam,
    instances,
    volumes,
)
from biomodal_deploy.sandbox.patches.change import Change

Patch: TypeAlias = Callable[[], list[Change]]

PATCHES: Final[tuple[Patch, ...]] = (
    *batch.PATCHES,
    *batch_jobs.PATCHES,
    *budgets.PATCHES,
    *console.PATCHES,
    *ecr.PATCHES,
    *iam.PATCHES,
    *instances.PATCHES,
    *ec2.PATCHES,
    *volumes.PATCHES,
)

__all__ = ["PATCHES", "Patch", "apply"]


def apply() -> None:
    """Apply every patch; once in a process, before its first request."""
    for patch in PATCHES:
        for change in patch():
            change.apply()
