"""What killed commands left in clear: cleared by the next command, whichever that is.

A plan file and the values beside it hold every secret, and a state's copy too. Whoever is killed
cannot remove them, so each command looks first, and removes what no living process owns. What a
living command or a living Terraform works with stays, and so does an unused sealed plan.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.files import sweep
from biomodal_deploy.plan.sealed import prune

# Where the project writes, from its own folder.
_WRITTEN: Final = (
    "",
    "locks",
    "environments",
    "state",
    "state/backups",
    "plans",
    "plans/*",
    "plans/*/logs",
    "plans/*/ssh",
    "plans/*/draft-*",
    "plans/*/*Z-*",
)
_SECRET: Final = ("draft-*/[!l]*", "*Z-*/plan.tfplan", "*Z-*/variables.tfvars.json")


def clear_leftovers(project_dir: Path, plans: Path) -> None:
    """Remove what dead commands left under a project; never fail.

    Args:
        project_dir: The folder that holds `cdktf.json`.
        plans: The folder of all sealed plans.
    """
    # Once a copy of the user's Terraform CLI configuration, tokens included; in memory today.
    shutil.rmtree(plans / ".terraform-cli", ignore_errors=True)
    with suppress(OSError):
        sweep(*(path for pattern in _WRITTEN for path in _folders(project_dir, pattern)))
        if stacks := {
            path.relative_to(plans).parts[0]
            for pattern in _SECRET
            for path in plans.glob(f"*/{pattern}")
        }:
            for stack in sorted(stacks):
                with suppress(BiomodalError, OSError):
                    prune(plans, stack)


def _folders(project_dir: Path, pattern: str) -> list[Path]:
    return list(project_dir.glob(pattern)) if pattern else [project_dir]
