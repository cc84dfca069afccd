"""Plans of both profiles, from an AWS account on loopback: no real account is needed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain import (
    cli_config_environment,
    find_provider_source,
    find_terraform,
)
from biomodal_deploy.sandbox import Sandbox

_LIMIT_S: Final = 300


class NoPlan(Exception):
    """Terraform could not plan here."""


def plans(stacks: Iterable[Path], workdir: Path) -> dict[str, str]:
    """Return what `terraform show -json` says of a plan of each stack, by the stack's name.

    Args:
        stacks: Synthesized directories.
        workdir: A private folder.

    Raises:
        NoPlan: There is no provider, or Terraform refuses.
    """
    with Sandbox.start(workdir) as sandbox:
        source = find_provider_source(wanted={"hashicorp/aws": "~> 5.100"})
        environment = {
            **sandbox.environment(os.environ),
            **cli_config_environment(workdir / "terraform-cli", source),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }

        def terraform(stack: Path, *arguments: str) -> str:
            done = subprocess.run(
                [*find_terraform().argv_prefix, *arguments],
                cwd=stack,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_LIMIT_S,
                check=False,
            )
            if done.returncode:
                raise NoPlan(" ".join(done.stderr.split())[:300])
            return done.stdout

        shown = {}
        for stack in stacks:
            sandbox.write_tfvars(stack / "terraform.tfvars")
            terraform(stack, "init", "-input=false")
            terraform(stack, "plan", "-input=false", "-out=tfplan")
            shown[stack.name] = terraform(stack, "show", "-json", "tfplan")
        return shown
