"""Terraform that fails, floods or babbles, seen through the commands that people type."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from pathlib import Path

import pytest

from biomodal_deploy.engine.toolchain import find_terraform
from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_FINDINGS
from tests.support import fake_terraform
from tests.support.fake_terraform import TRUE_ERROR
from tests.support.light import STACK, Ended, LightProject, Prepared

pytestmark = [pytest.mark.engine]

# One verb is played by the stand-in, alone or before the real one; all others are the real ones.
WRAPPER = """#!/bin/sh
if [ "$1" = "$FAKE_VERB" ]; then
  {fake} "$@"
  status=$?
  [ "$FAKE_MODE" = fail ] && exit $status
fi
exec {real} "$@"
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A project with a plan, and a Terraform that can be made to fail."""
    folder = tmp_path_factory.mktemp("failing")
    made = LightProject(folder / "project")
    program = folder / "terraform"
    program.write_text(
        WRAPPER.format(
            fake=shlex.join([sys.executable, str(fake_terraform.__file__)]),
            real=shlex.join(find_terraform().argv_prefix),
        )
    )
    program.chmod(0o755)
    # By the same program: its file is sealed.
    assert run(made, "none", "pass", "plan").status == EXIT_DONE
    return Prepared.of(made)


@pytest.fixture
def project(prepared: Prepared) -> LightProject:
    """That project, as it was."""
    return prepared.fresh()


def run(project: LightProject, verb: str, mode: str, *words: str) -> Ended:
    """Run a command with a Terraform that plays a verb in its way."""
    terraform = str(project.folder.parent / "terraform")
    environment = {"BIOMODAL_TERRAFORM": terraform, "FAKE_VERB": verb, "FAKE_MODE": mode}
    return project.run(*words, environment=environment)


def old_state(project: LightProject) -> Path:
    """Put a state of an old format in place: only Terraform reads it, and has to be asked."""
    state = project.folder / "state" / f"{STACK}.tfstate"
    state.parent.mkdir(exist_ok=True)
    modules = [{"path": ["root"], "outputs": {}, "resources": {}, "depends_on": []}]
    old = {"version": 3, "serial": 1, "lineage": "a-b", "modules": modules}
    state.write_text(json.dumps(old), encoding="utf-8")
    return state


def log_of(project: LightProject, verb: str) -> str:
    """Return the newest log of a verb."""
    log = max(project.plans.glob(f"*/logs/{verb}.log"), key=lambda path: path.stat().st_mtime)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    return str(log)


@pytest.mark.parametrize(
    ("verb", "words", "logged"),
    [
        ("init", ["plan"], "init"),
        ("plan", ["plan"], "plan"),
        ("show", ["plan"], None),
        ("state", ["plan"], None),
        ("state", ["apply"], None),
        ("apply", ["apply"], "apply"),
        ("output", ["output"], None),
        ("validate", ["validate"], None),
    ],
)
def test_each_verb_that_fails_says_why(
    project: LightProject, verb: str, words: list[str], logged: str | None
) -> None:
    """The cause and not what follows from it, on one line, with the log where there is one."""
    (project.folder / "cdktf.out" / "stacks" / STACK / ".terraform" / "biomodal-init").unlink()
    if (verb, words) == ("state", ["plan"]):
        old_state(project)
    ended = run(project, verb, "fail", *words)
    assert ended.status == EXIT_ENGINE, ended.err
    (line,) = [each for each in ended.err.splitlines() if each.startswith("error: ")]
    assert line.startswith(f"error: terraform {verb}")
    assert TRUE_ERROR in line
    assert "Traceback" not in ended.err
    assert ended.out == ""
    if logged:
        log = log_of(project, logged)
        assert line.endswith(f"Log: {log}")
        assert TRUE_ERROR in Path(log).read_text()


def test_a_drift_that_fails_names_its_log(project: LightProject) -> None:
    """Its plan is thrown away, its log is not, and no file with secrets is left."""
    assert run(project, "none", "pass", "apply").status == EXIT_DONE
    ended = run(project, "plan", "fail", "drift")
    assert ended.status == EXIT_ENGINE
    log = project.plans / "logs" / "drift.log"
    assert ended.err.rstrip().endswith(f"Log: {log}")
    assert [path.name for path in log.parent.iterdir() if path.is_dir()] == []


def test_after_any_failure_the_next_plan_works(project: LightProject) -> None:
    """Nothing that a failure leaves behind is in the way."""
    for verb in ("init", "plan", "show"):
        assert run(project, verb, "fail", "plan").status in (EXIT_ENGINE, EXIT_DONE)
    state = old_state(project)
    assert run(project, "state", "fail", "plan").status == EXIT_ENGINE
    state.unlink()
    assert project.run("plan", "--detailed-exitcode").status == EXIT_FINDINGS
    assert project.run("apply").status == EXIT_DONE
    history = project.run("history", "--output", "json").data
    assert history["whole"] is True
    assert [each["event"] for each in history["entries"]].count("result") == 4


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_flood_of_events_is_no_failure(project: LightProject, verb: str) -> None:
    """200,000 lines before the real ones: none lost, nothing hangs, and nothing on screen."""
    ended = run(project, verb, "flood", verb)
    assert ended.status == EXIT_DONE, ended.err
    assert len(ended.err.splitlines()) < 30
    with Path(log_of(project, verb)).open() as log:
        assert sum(1 for _ in log) > fake_terraform.FLOOD


@pytest.mark.parametrize("mode", ["full_stderr", "mixed", "long_line"])
def test_babble_is_no_failure(project: LightProject, mode: str) -> None:
    """A full stderr pipe, lines that are no events, and a line without an end."""
    ended = run(project, "apply", mode, "apply")
    assert ended.status == EXIT_DONE, ended.err
    assert project.run("output", "word").out == "hello\n"


def test_output_that_is_no_json_is_not_printed(project: LightProject) -> None:
    """It may be half of a secret."""
    ended = run(project, "output", "garbled", "output")
    assert ended.status == EXIT_ENGINE
    assert "what terraform output printed cannot be read" in ended.err
    assert "canary" not in ended.err + ended.out


def test_a_terraform_that_is_not_there_is_bad_usage(project: LightProject) -> None:
    """Named by a setting, and found nowhere."""
    ended = project.run("plan", environment={"BIOMODAL_TERRAFORM": "/no/such/terraform"})
    assert ended.status == 64
    assert "BIOMODAL_TERRAFORM" in ended.err
