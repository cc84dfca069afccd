"""Real Terraform for engine tests: offline where the machine has a provider mirror."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.engine.toolchain import (
    ProviderSource,
    cli_config_environment,
    find_provider_source,
    find_terraform,
    providers_lock_environment,
)
from tests.support.mirror import kept_settings
from tests.support.processes import run_program


@dataclass(frozen=True)
class Engine:
    """A Terraform with the environment that it runs in."""

    prefix: tuple[str, ...]  # what starts it
    variables: Mapping[str, str]  # its environment

    def __call__(
        self, cwd: Path, *arguments: str, stdin: str | None = None, timeout: int = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run Terraform in a directory."""
        return run_program(
            [*self.prefix, *arguments],
            cwd=cwd,
            env=dict(self.variables),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            timeout=timeout,
        )

    def must(self, cwd: Path, *arguments: str, stdin: str | None = None) -> str:
        """Run Terraform, show what it said where it failed, and return its standard output."""
        done = self(cwd, *arguments, stdin=stdin)
        assert done.returncode == 0, f"terraform {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    def evaluate(self, cwd: Path, expression: str) -> Any:
        """Return the value of an expression in the configuration of a directory."""
        printed = self.must(cwd, "console", stdin=f"jsonencode({expression})\n")
        return json.loads(json.loads(printed))


def require_provider() -> ProviderSource:
    """Return where the AWS provider comes from; skip the test where only a registry has it."""
    source = find_provider_source(wanted={"hashicorp/aws": "~> 5.100"})
    if source.kind == "registry":
        pytest.skip("no provider mirror on this machine, and tests stay on loopback")
    return source


def bare_engine(home: Path) -> Engine:
    """Return Terraform for configurations without providers."""
    names = ("PATH", "TMPDIR", "GOGC", "GOMEMLIMIT")
    keep = {name: os.environ[name] for name in names if name in os.environ} | kept_settings()
    variables = keep | {"HOME": str(home), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    return Engine(find_terraform().argv_prefix, variables)


def provider_engine(home: Path, extra: Mapping[str, str] | None = None) -> Engine:
    """Return Terraform that finds the AWS provider in a mirror on this machine, if it has one."""
    bare = bare_engine(home)
    source = find_provider_source(wanted={"hashicorp/aws": "~> 5.100"})
    variables = {
        **bare.variables,
        **cli_config_environment(home / "terraform-cli", source),
        **providers_lock_environment(source),
        **(extra or {}),
    }
    return Engine(bare.prefix, variables)
