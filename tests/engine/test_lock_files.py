"""Provider lock files: in the project, for every platform, and as they are in CI."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain.mirror_search import platform_name
from tests.support.light import MODEL, STACK, Ended, LightProject

pytestmark = pytest.mark.engine

DIRECTORY = Path("cdktf.out") / "stacks" / STACK
NAME = f"{STACK}.terraform.lock.hcl"


class Project(LightProject):
    """A project that asks for a provider, and a mirror that has it for one platform.

    Nothing uses the provider, so Terraform never starts it, and any file will do.
    """

    def __init__(self, folder: Path) -> None:
        model = copy.deepcopy(MODEL)
        aws = {"source": "hashicorp/aws", "version": "~> 5.100"}
        model["terraform"] = {"required_providers": {"aws": aws}}
        super().__init__(folder, {STACK: model})
        self.mirror = folder.parent / "mirror"
        provider = self.mirror / "registry.terraform.io" / "hashicorp" / "aws" / "5.100.0"
        (provider / platform_name()).mkdir(parents=True)
        program = provider / platform_name() / "terraform-provider-aws_v5.100.0_x5"
        program.write_text("no provider")
        program.chmod(0o755)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment with the mirror."""
        return super().environment({"BIOMODAL_PROVIDER_MIRROR": str(self.mirror), **(more or {})})

    def initialized(self) -> Ended:
        """Let Terraform be initialized in a clean output folder."""
        shutil.rmtree(self.folder / "cdktf.out", ignore_errors=True)
        assert self.run("synth").status == 0
        return self.run("output")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a mirror."""
    return Project(tmp_path / "project")


def test_it_survives_the_output_folder(project: Project) -> None:
    """The first init writes it, with a word to commit it; a clean checkout starts from it."""
    kept = project.folder / "locks" / NAME
    ended = project.initialized()
    assert f"locks/{NAME} is new: commit it" in ended.err
    assert "knows this platform alone; for the others: biomodal-aws lock" in ended.err
    assert "Incomplete lock file" not in ended.err
    content = kept.read_text()
    assert "hashicorp/aws" in content
    # Committed, so no more private than the user's other files.
    assert kept.stat().st_mode & 0o777 == (project.folder / "app.py").stat().st_mode & 0o777
    kept.write_text("# reviewed\n" + content)
    ended = project.initialized()
    assert (ended.status, "commit it" in ended.err) == (0, False)
    assert kept.read_text() == "# reviewed\n" + content
    assert (project.folder / DIRECTORY / ".terraform.lock.hcl").read_text() == kept.read_text()


def test_ci_takes_it_as_it_is(project: Project) -> None:
    """A lock file that does not fit ends the job with the command that fixes it, unchanged."""
    project.initialized()
    kept = project.folder / "locks" / NAME
    # What another platform's file would hold.
    written = re.sub(r"h1:[^\"]+", f"h1:{'A' * 43}=", kept.read_text())
    kept.write_text(written)
    for steer, word in (({"CI": "true"}, ()), ({}, ("--readonly-lock",))):
        shutil.rmtree(project.folder / "cdktf.out")
        ended = project.run("plan", "--output", "json", *word, environment=steer)
        assert (ended.status, ended.error["code"]) == (1, "lock_file"), ended.out
        assert "biomodal-aws lock" in ended.error["message"]
        assert kept.read_text() == written
    ended = project.run("lock", "--platform", platform_name())
    assert (ended.status, f"locks/{NAME}: changed" in ended.out) == (0, True), ended.out + ended.err
    assert project.run("output", environment={"CI": "true"}).status == 0


def test_platforms_that_a_mirror_lacks_are_named(project: Project) -> None:
    """What can be had is written, and the rest told, one by one."""
    ended = project.run("lock", "--platform", platform_name(), "--platform", "freebsd_arm")
    assert ended.status == 2, ended.out + ended.err
    assert f"  {platform_name()}\n" in ended.out
    assert "freebsd_arm unavailable: registry.terraform.io/hashicorp/aws" in ended.out
    assert "h1:" in (project.folder / "locks" / NAME).read_text()
    again = project.run("lock", "--platform", platform_name(), "--output", "json")
    (found,) = again.data
    assert (again.status, found["changed"], found["missing"]) == (0, False, {})
    none = project.run("lock", "--platform", "freebsd_arm")
    assert none.status == 1
    assert "is not available for freebsd_arm" in none.err
    wrong = project.run("lock", "--platform", "Linux")
    assert (wrong.status, "linux_amd64" in wrong.err) == (64, True)
