"""The programs that this project stands on: which were chosen, their versions, and why."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain.node import find_node, node_environment
from biomodal_deploy.engine.toolchain.provider_mirror import (
    AWS,
    ProviderSource,
    cli_config_environment,
    find_provider_source,
    providers_lock_environment,
    required_providers,
)
from biomodal_deploy.engine.toolchain.terraform_binary import Terraform, find_terraform, shim
from biomodal_deploy.engine.toolchain.tool import Tool
from biomodal_deploy.errors import UsageError

__all__ = [
    "ProviderSource",
    "Terraform",
    "Tool",
    "cli_config_environment",
    "find_node",
    "find_provider_source",
    "find_terraform",
    "inspect",
    "node_environment",
    "providers_lock_environment",
    "required_providers",
    "shim",
]

_PACKAGES: Final = ("cdktf", "cdktf-cdktf-provider-aws", "constructs", "jsii")


@dataclass(frozen=True)
class Toolchain:
    """Everything that was chosen, for `doctor --toolchain`.

    Attributes:
        tools: Terraform, the provider source, Node, Python and cdktf's packages, in that order.
            One that is missing is in the list too, and its reason is the error's one line.
    """

    tools: tuple[Tool, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return all(tool.ok for tool in self.tools)


def inspect(terraform: str | None = None, *, environ: Mapping[str, str] = os.environ) -> Toolchain:
    """Look at every tool; what is wrong is part of the answer and raises nothing."""
    python = Tool(
        "python",
        Path(sys.executable),
        platform.python_version(),
        "environment",
        "runs this command",
    )
    return Toolchain(
        (
            _or_missing(
                "terraform", lambda: _terraform(find_terraform(terraform, environ=environ))
            ),
            _or_missing("providers", lambda: _providers(find_provider_source(environ))),
            _or_missing("node", lambda: find_node(environ)),
            python,
            *map(_package, _PACKAGES),
        )
    )


def _terraform(found: Terraform) -> Tool:
    return Tool(found.product, found.path, found.version, found.source, found.reason)


def _providers(found: ProviderSource) -> Tool:
    place = Path(found.location) if found.location and "://" not in found.location else None
    where = f"{found.kind}: {found.reason}"
    if place is None and found.location:
        where += f" ({found.location})"
    if found.others:
        seen = (f"{other.directory} ({', '.join(other.versions(AWS))})" for other in found.others)
        where += f"; also seen: {', '.join(seen)}"
    return Tool("aws provider", place, ", ".join(found.versions) or None, "environment", where)


def _package(name: str) -> Tool:
    try:
        return Tool(name, None, version(name), "environment", "installed beside this command")
    except PackageNotFoundError:
        return Tool(name, None, None, "missing", f'not installed. Fix: pip install "{name}".')


def _or_missing(name: str, look: Callable[[], Tool]) -> Tool:
    try:
        return look()
    except UsageError as error:
        return Tool(name, None, None, "missing", str(error))


def tool_environment(
    folder: Path, *, project_dir: Path, environ: Mapping[str, str]
) -> dict[str, str]:
    """Return an environment with Terraform, Node, providers and this Python's programs in it.

    Args:
        folder: A private folder, which has to outlive the programs.
        project_dir: The project, whose `node_modules` may hold cdktf's command line.
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
