"""A rehearsal beside a real state: plan, apply and destroy in the sandbox, nothing outside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.light import STACK, LightProject

pytestmark = pytest.mark.engine

_COMMAND = f"{sys.executable} -m biomodal_deploy"
REHEARSAL = f"""set -e
{_COMMAND} plan --detailed-exitcode --var word=rehearsed && exit 91 || test $? = 2
{_COMMAND} apply
{_COMMAND} plan --destroy --detailed-exitcode --var word=rehearsed && exit 92 || test $? = 2
{_COMMAND} apply --confirm {STACK}
"""
Tree = dict[str, tuple[int, int, int, bytes]]


def tree(folder: Path) -> Tree:
    """Return all that a write would change: contents, mode, time and inode of every path."""
    found: Tree = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ino, content)
    return found


@pytest.fixture
def project(tmp_path: Path) -> LightProject:
    """A project with a var-file; `apply_and_plan` gives it a state and a history."""
    made = LightProject(tmp_path / "project")
    (made.folder / "terraform.tfvars").write_text('word = "real"\n')
    return made


def apply_and_plan(project: LightProject, environment: Mapping[str, str]) -> None:
    """Give it a state, a history, and a plan that waits for its apply."""
    project.plan(environment=environment)
    ended = project.run("apply", environment=environment)
    assert ended.status == 0, ended.err
    project.plan("--var", "word=next", environment=environment)


def rehearse(project: LightProject, environment: Mapping[str, str]) -> None:
    """Plan, apply and destroy in the sandbox."""
    ended = project.run("sandbox", "run", "--", "bash", "-c", REHEARSAL, environment=environment)
    assert ended.status == 0, ended.out + ended.err


@pytest.mark.parametrize("outdir", ["", "out", "{tmp}/elsewhere/out"])
def test_a_rehearsal_leaves_every_file_as_it_was(
    project: LightProject, tmp_path: Path, outdir: str
) -> None:
    """State, plans, history, output: not written, not even touched; also where they lie apart."""
    environment = {"HOME": str(tmp_path / "home")}
    if outdir:
        environment["CDKTF_OUTDIR"] = outdir.format(tmp=tmp_path)
    apply_and_plan(project, environment)
    folders = [folder for folder in tmp_path.iterdir() if folder.name != "home"]
    before = [tree(folder) for folder in folders]
    assert any(name.endswith(f"/state/{STACK}.tfstate") for each in before for name in each)
    rehearse(project, environment)
    assert [tree(folder) for folder in folders] == before
    # The plan that waited is still good, and the real state still the one it was made from.
    assert project.run("apply", environment=environment).status == 0


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_rehearsal_that_is_stopped_leaves_every_file_as_it_was(
    project: LightProject, tmp_path: Path, signum: signal.Signals
) -> None:
    """Ctrl-C, SIGTERM, SIGKILL while Terraform applies: the scratch copy goes, the rest stays."""
    environment = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary")}
    (tmp_path / "temporary").mkdir()
    (project.folder / "model.json").write_text(SLOW)
    apply_and_plan(project, environment)
    before = tree(project.folder)
    started = tmp_path / "started"
    script = f"{_COMMAND} plan --var touched={started}; {_COMMAND} apply"
    process = subprocess.Popen(
        [sys.executable, "-m", "biomodal_deploy", "sandbox", "run", "--", "bash", "-c", script],
        cwd=project.folder,
        env=project.environment(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(started.exists)
        if signum is signal.SIGINT:
            os.killpg(process.pid, signum)  # as a terminal does
        else:
            process.send_signal(signum)
        process.wait(60)
        until(lambda: not list((tmp_path / "temporary").glob("biomodal-sandbox-*")))
    finally:
        process.kill()
        process.wait()
    assert tree(project.folder) == before


SLOW = """{"light": {
  "variable": {
    "word": {"type": "string", "default": "hello"},
    "touched": {"type": "string", "default": ""}
  },
  "resource": {"terraform_data": {"slow": {
    "input": "${var.word}${var.touched}",
    "provisioner": [{"local-exec": {
      "command": "test -z '${var.touched}' || { touch '${var.touched}'; sleep 5; }"
    }}]
  }}}
}}"""


def until(reached: Callable[[], object], limit: float = 120.0) -> None:
    """Wait for something that has to come."""
    deadline = time.monotonic() + limit
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)
