"""The plan-file workflow: a command line and a Python API around Terraform.

`from biomodal_deploy import Project` is the way in. Importing the package loads nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from biomodal_deploy.errors import (
    BiomodalError,
    EngineError,
    GuardRefused,
    Interrupted,
    SealedPlanRefused,
    UsageError,
)

if TYPE_CHECKING:
    from biomodal_deploy.api import Project, ProjectPlan

__all__ = [
    "BiomodalError",
    "EngineError",
    "GuardRefused",
    "Interrupted",
    "Project",
    "ProjectPlan",
    "SealedPlanRefused",
    "UsageError",
]


def __getattr__(name: str) -> object:
    if name in ("Project", "ProjectPlan"):
        # On first use: the app imports this package for its contract and pays for no more.
        from biomodal_deploy import api as project

        return getattr(project, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
