"""Commands in forked processes, as the tests run them, end as those of a new Python do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests.support import warm
from tests.support.light import LightProject
from tests.support.processes import run_program

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> LightProject:
    """A project with nothing in it."""
    return LightProject(tmp_path_factory.mktemp("warm") / "project")


@pytest.mark.parametrize(
    "words", [["--version"], ["no-such"], ["plan", "--help"], ["show"], ["history"]]
)
def test_it_is_as_a_new_python(project: LightProject, words: Sequence[str]) -> None:
    """The same status and the same words on both streams, from the same folder."""
    environment = project.environment({"BIOMODAL_OUTPUT": "text", "FORCE_COLOR": "1"})
    assert warm.can_run(project.folder, environment)
    new = run_program(
        [sys.executable, "-m", "biomodal_deploy", *words], cwd=project.folder, env=environment
    )
    forked = warm.run(project.folder, words, environment, timeout=60)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        new.returncode,
        new.stdout,
        new.stderr,
    )


def test_what_hangs_is_killed(project: LightProject) -> None:
    """A command that takes too long ends, and the next one runs."""
    with pytest.raises(subprocess.TimeoutExpired):
        warm.run(project.folder, ["--help"], project.environment(), timeout=0.001)
    assert warm.run(project.folder, ["--version"], project.environment(), 60).returncode == 0


def test_a_steered_python_is_a_new_one(project: LightProject) -> None:
    """Another path, another encoding or another language is read where Python starts."""
    for name in ("PYTHONPATH", "PYTHONIOENCODING", "LC_ALL", "LANG"):
        assert not warm.can_run(project.folder, project.environment({name: "other"}))
    own = {"PYTHONPATH": str(project.folder / "constructs")}
    assert warm.can_run(project.folder, project.environment(own))
