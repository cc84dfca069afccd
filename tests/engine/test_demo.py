"""`demo`, as somebody who installed the wheel runs it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from biomodal_deploy.config.contract.aws import SMOKE_IMAGE
from tests.support import planted
from tests.support.containers import IMAGE, missing_for_containers, running_containers
from tests.support.wheel import Installed, build_wheel, environment_with

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel."""
    wheel = build_wheel(tmp_path_factory.mktemp("build"))
    return environment_with(wheel, tmp_path_factory.mktemp("environment"))


def test_it_rehearses_the_whole_job(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`demo`, in any folder: every step holds, a job in a container of this machine among them.

    The secrets of whoever runs it are printed nowhere, and are in no file that it leaves.
    """
    home, scratch = tmp_path / "home", tmp_path / "tmp"
    planted.plant(home)
    scratch.mkdir(mode=0o700)
    installed = Installed(python, home, {**planted.ENVIRONMENT, "TMPDIR": str(scratch)})
    with ExitStack() as stack:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
        if runs := not missing_for_containers():
            containers = stack.enter_context(running_containers())
            containers.podman("tag", IMAGE, SMOKE_IMAGE)
            monkeypatch.setenv("DOCKER_HOST", containers.host)
        steps = json.loads(installed.must("demo", "--output", "json", cwd=tmp_path))["data"]
    assert steps
    assert all(each["ok"] for each in steps)
    assert [each["step"] for each in steps if each["skipped"]] == ([] if runs else ["run one job"])
    assert planted.holders(tmp_path, but=home) == []
