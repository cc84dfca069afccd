"""A native stack in a temporary checkout, against an account on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.engine.toolchain import find_provider_source
from biomodal_deploy.sandbox import Sandbox
from tests.support.project import copy_app, run_main, write_stacks
from tests.support.terraform import Engine, provider_engine

NAME: Final = "native"
PLAN: Final = ("plan", "-input=false", "-no-color", "-var-file=terraform.tfvars")


@dataclass(frozen=True)
class NativeProject:
    """A checkout with one native stack, synthesized."""

    folder: Path  # the checkout
    sandbox: Sandbox  # the account
    terraform: Engine  # Terraform that reaches this account and no other

    @property
    def stack(self) -> Path:
        """The synthesized directory."""
        return self.folder / "cdktf.out" / "stacks" / NAME

    @property
    def state(self) -> Path:
        """Where the stack's state lies."""
        return self.folder / "state" / f"{NAME}.tfstate"

    def synthesize(self) -> None:
        """Write the directory again."""
        done = run_main(self.folder)
        assert (done.returncode, done.stderr) == (0, "")

    def init(self) -> None:
        """Initialize it, or skip the test where no AWS provider can be had."""
        init_or_skip(self.terraform, self.stack)

    def plan(self, *arguments: str, out: str = "tfplan") -> dict[str, Any]:
        """Plan to a file and return what the file says."""
        self.terraform.must(
            self.stack,
            "plan",
            "-input=false",
            "-var-file=terraform.tfvars",
            f"-out={out}",
            *arguments,
        )
        return self.show(out)

    def show(self, plan: str) -> dict[str, Any]:
        """Return a plan file as data."""
        shown: dict[str, Any] = json.loads(self.terraform.must(self.stack, "show", "-json", plan))
        return shown

    def outputs(self) -> dict[str, Any]:
        """Return the outputs' values."""
        shown = json.loads(self.terraform.must(self.stack, "output", "-json"))
        return {name: each["value"] for name, each in shown.items()}


@contextmanager
def native_project(
    workdir: Path,
    sandbox: Sandbox,
    *,
    vm_name: str = "engine-vm",
    key_file: bool = False,
    profile: str = "documented",
) -> Iterator[NativeProject]:
    """Copy the app, synthesize the native stack in a profile and fill in its variables."""
    folder = copy_app(workdir / "checkout")
    home = workdir / "home"
    home.mkdir()
    terraform = provider_engine(home, dict(sandbox.environment({})))
    project = NativeProject(folder, sandbox, terraform)
    change_profile(project, profile)
    values = sandbox.tfvars_text(vm_name).splitlines()
    if key_file:
        (home / ".ssh").mkdir()
        (home / ".ssh" / f"{vm_name}.pub").write_text(f"{sandbox.public_key}\n")
        values = [line for line in values if not line.startswith("ssh_public_key")]
    (project.stack / "terraform.tfvars").write_text("\n".join(values) + "\n")
    yield project


def change_profile(project: NativeProject, profile: str) -> None:
    """Synthesize the stack again in another profile."""
    write_stacks(project.folder, {NAME: {"bootstrap": "native", "profile": profile}})
    project.synthesize()


def apply(project: NativeProject, plan: str) -> None:
    """Apply a plan file."""
    project.terraform.must(project.stack, "apply", "-input=false", plan)


def apply_at_once(project: NativeProject) -> None:
    """Plan and apply in one run of Terraform, where nobody reads the plan."""
    options = ("-auto-approve", "-input=false", "-var-file=terraform.tfvars")
    project.terraform.must(project.stack, "apply", *options)


def settled(project: NativeProject, *variables: str) -> bool:
    """Whether a plan has nothing to do."""
    done = project.terraform(project.stack, *PLAN, "-detailed-exitcode", *variables)
    assert done.returncode in (0, 2), done.stderr
    assert done.returncode == 0, done.stdout[-3000:]
    return True


def init_or_skip(terraform: Engine, directory: Path) -> None:
    """Initialize a directory, or skip the test where no AWS provider can be had."""
    done = terraform(directory, "init", "-input=false", "-no-color")
    source = find_provider_source(wanted={"hashicorp/aws": "~> 5.100"})
    if done.returncode and source.kind == "registry" and "registry" in done.stderr:
        pytest.skip(f"no AWS provider here: {source.reason}, and no registry answers")
    assert done.returncode == 0, done.stdout + done.stderr


def resources(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what a plan will have made, by address, without what is empty."""
    return {
        each["address"]: {key: value for key, value in each["values"].items() if value is not None}
        for each in plan["planned_values"]["root_module"]["resources"]
    }


def changes(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the actions of a plan by address, those that do something."""
    return {
        each["address"]: each["change"]["actions"]
        for each in plan.get("resource_changes", [])
        if each["mode"] == "managed" and each["change"]["actions"] != ["no-op"]
    }
