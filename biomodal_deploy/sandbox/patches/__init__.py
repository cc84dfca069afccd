"""Small, named patches around moto: where it differs from AWS in what our stacks use.

Each patch is a function whose docstring says why it is there. Its test fails without it, so a moto
that mends a gap shows which patch can go.
"""

from __future__ import annotations

from biomodal_deploy.sandbox.patches import batch, ec2, instances, services
from biomodal_deploy.sandbox.patches.patch import PATCHES, Patch

__all__ = ["PATCHES", "Patch", "apply", "batch", "ec2", "instances", "services"]


def apply() -> None:
    """Apply every patch; once in a process, before its first request."""
    for patch in PATCHES:
        for change in patch.changes:
            change.apply()
