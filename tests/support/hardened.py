"""A stack of the hardened profile in a temporary checkout, against an account on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from biomodal_deploy.sandbox import Sandbox
from tests.support.native import NAME, NativeProject
from tests.support.project import copy_app, write_stacks
from tests.support.terraform import provider_engine

PLAN: Final = ("plan", "-input=false", "-no-color", "-var-file=terraform.tfvars")


@contextmanager
def profile_project(
    workdir: Path, sandbox: Sandbox, *, vm_name: str, profile: str = "hardened"
) -> Iterator[NativeProject]:
    """Copy the app, synthesize the native stack in a profile and fill in its variables."""
    folder = copy_app(workdir / "checkout")
    home = workdir / "home"
    home.mkdir()
    terraform = provider_engine(home, dict(sandbox.environment({})))
    project = NativeProject(folder, sandbox, terraform)
    change_profile(project, profile)
    sandbox.write_tfvars(project.stack / "terraform.tfvars", vm_name=vm_name)
    yield project


def change_profile(project: NativeProject, profile: str) -> None:
    """Synthesize the stack anew in another profile."""
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
