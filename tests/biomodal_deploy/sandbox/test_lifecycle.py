"""What our stacks are made of, applied, changed and destroyed by the real AWS provider."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.sandbox import Sandbox
from tests.support.native import changes, init_or_skip
from tests.support.terraform import Engine, provider_engine

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("sandbox-lifecycle")]

CONFIGURATION = Path(__file__).with_name("lifecycle.tf")


class Applied:
    """A configuration, its account, and the Terraform that runs it."""

    def __init__(self, folder: Path, sandbox: Sandbox, terraform: Engine) -> None:
        self.folder, self.sandbox, self._terraform = folder, sandbox, terraform

    def plan(self, *options: str) -> dict[str, list[str]]:
        """Return what a plan would do, by address."""
        always = ("plan", "-input=false", "-out=tfplan", "-detailed-exitcode")
        done = self._terraform(self.folder, *always, *options)
        assert done.returncode in (0, 2), done.stdout + done.stderr
        if done.returncode == 0:  # nothing to do: no data to read
            return {}
        shown: dict[str, Any] = json.loads(
            self._terraform.must(self.folder, "show", "-json", "tfplan")
        )
        return changes(shown)

    def apply(self) -> None:
        """Apply exactly that plan."""
        self._terraform.must(self.folder, "apply", "-input=false", "tfplan")


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The first step, applied."""
    folder = tmp_path_factory.mktemp("lifecycle")
    home = tmp_path_factory.mktemp("home")
    shutil.copy(CONFIGURATION, folder)
    with Sandbox.start() as sandbox:
        sandbox.write_tfvars(folder / "terraform.tfvars", vm_name="lab-vm")
        terraform = provider_engine(home, sandbox.environment({}))
        init_or_skip(terraform, folder)
        applied = Applied(folder, sandbox, terraform)
        terraform.must(folder, "apply", "-auto-approve", "-input=false")
        yield applied


def test_a_plan_after_an_apply_finds_nothing_to_do(applied: Applied) -> None:
    """Every argument is read back as it was set."""
    assert applied.plan() == {}


def test_a_plan_after_a_change_of_everything_finds_nothing_to_do(applied: Applied) -> None:
    """Whatever can change in place does, and is read back; the VM is stopped and never replaced."""
    step = applied.plan("-var=step=2")
    assert step["aws_instance.vm"] == ["update"]
    replaced = {address for address, actions in step.items() if actions != ["update"]}
    assert replaced == {"aws_ecr_lifecycle_policy.images"}
    applied.apply()
    assert applied.plan("-var=step=2") == {}


def test_a_destroy_leaves_nothing(applied: Applied) -> None:
    """After the destroy plan the account is what it was."""
    applied.plan("-destroy", "-var=step=2")
    applied.apply()
    assert applied.sandbox.leftovers() == []
