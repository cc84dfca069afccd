"""An environment in which other programs, such as cdktf, find the tools that were chosen here."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from biomodal_deploy.engine.toolchain.node import find_node, node_environment
from biomodal_deploy.engine.toolchain.provider_mirror import (
    cli_config_environment,
    find_provider_source,
    providers_lock_environment,
)
from biomodal_deploy.engine.toolchain.terraform_binary import find_terraform, shim


def tool_environment(
    folder: Path, *, project_dir: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return an environment with Terraform, Node, providers and this Python's programs in it.

    Args:
        folder: A private folder, which has to outlive the programs.
        project_dir: The project, whose `node_modules` may hold cdktf's command line.

    Raises:
        UsageError: No Terraform that will do is found, or a setting is wrong.
    """
    source = find_provider_source(environ)
    terraform = shim(folder, find_terraform(environ=environ))
    node = find_node(environ)
    environment = {
        **environ,
        **(node_environment(node, environ) if node.ok else {}),
        **cli_config_environment(folder / "terraform-cli", source, environ),
        **providers_lock_environment(source, environ),
        "TERRAFORM_BINARY_NAME": str(terraform),
        "CHECKPOINT_DISABLE": "1",
    }
    first = [str(Path(sys.executable).parent), str(project_dir / "node_modules" / ".bin")]
    if terraform.parent == folder:
        first.append(str(folder))
    environment["PATH"] = os.pathsep.join([*first, environment.get("PATH", os.defpath)])
    return environment
