"""Tests for biomodal_deploy.workflow.lost_state: no state is never "nothing", after an apply."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE, EXIT_FINDINGS
from tests.support.light import STACK, LightProject, Prepared

pytestmark = [pytest.mark.engine]

READERS = (
    ["drift"],
    ["plan"],
    ["plan", "--destroy"],
    ["destroy"],
    ["plan", "--refresh-only"],
    ["status"],
    ["output"],
    ["nextflow-config"],
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A project that was applied."""
    folder = tmp_path_factory.mktemp("lost") / "project"
    made = LightProject(folder, context={"stacks": {STACK: {}}})
    made.plan()
    ended = made.run("apply", "--output", "json")
    assert ended.status == EXIT_DONE, ended.out
    return Prepared.of(made)


@pytest.fixture
def project(prepared: Prepared) -> LightProject:
    """That project, as it was."""
    return prepared.fresh()


def state_of(project: LightProject) -> Path:
    """Return where the state lies."""
    return project.folder / "state" / f"{STACK}.tfstate"


@pytest.mark.parametrize("how", ["moved", "emptied"])
def test_every_reader_names_a_lost_state(project: LightProject, how: str) -> None:
    """A state that was moved away or emptied is an error that names it, wherever it is read."""
    state = state_of(project)
    kept = state.with_name("kept")
    shutil.copy(state, kept)
    if how == "moved":
        state.unlink()
    else:
        state.write_bytes(b"")
    plans = len(list(project.plans.iterdir()))
    for words in READERS:
        ended = project.run(*words, "--output", "json")
        assert ended.status == EXIT_ENGINE, (words, ended.out, ended.err)
        assert ended.error["code"] == "state_lost", words
        for part in (str(state), "missing or empty", "was applied at", "left 2 resources"):
            assert part in ended.error["message"], words
    sealed = [each for each in project.plans.iterdir() if re.match(r"\d{8}T", each.name)]
    assert len(sealed) == 1 <= plans
    shutil.copy(kept, state)
    assert project.run("drift").status == EXIT_DONE


def test_the_printed_command_brings_the_state_back(project: LightProject) -> None:
    """Terraform's own copy of the version before, where there is one."""
    project.plan("--var", "word=other")
    assert project.run("apply").status == EXIT_DONE
    state_of(project).unlink()
    message = project.run("drift", "--output", "json").error["message"]
    (copy,) = re.findall(r"`(cp .*?)`", message)
    subprocess.run(copy, shell=True, check=True)
    assert project.run("output", "word").out.strip() == "hello"


@pytest.mark.parametrize("later", [0, 1])
def test_a_state_that_could_not_be_saved_is_not_passed_over(
    project: LightProject, later: int
) -> None:
    """What Terraform left of it is named by whatever starts from a state; the command saves it."""
    project.plan("--var", "word=other")
    left = json.loads(state_of(project).read_bytes())
    left["serial"] += later
    attributes = {"id": "7", "input": None, "output": None, "triggers_replace": None}
    more = {"index_key": 7, "schema_version": 0, "attributes": attributes}
    left["resources"][0]["instances"].append({**more, "sensitive_attributes": []})
    (project.folder / "cdktf.out/stacks" / STACK / "errored.tfstate").write_text(json.dumps(left))
    for words in (["plan"], ["apply"], ["drift"], ["destroy"]):
        ended = project.run(*words, "--output", "json")
        assert (ended.status, ended.error["code"]) == (EXIT_ENGINE, "state_lost"), words
    (push,) = re.findall(r"`(.*?)`", ended.error["message"])
    subprocess.run(push, shell=True, check=True)
    assert json.loads(state_of(project).read_bytes())["resources"] == left["resources"]
    assert project.run("plan").status == EXIT_DONE


def test_whoever_gave_up_the_resources_starts_again(project: LightProject) -> None:
    """The other way that the message prints: without the history, there was no apply."""
    state_of(project).unlink()
    message = project.run("plan", "--output", "json").error["message"]
    (move,) = re.findall(r"`(mv .*?)`", message)
    subprocess.run(move, shell=True, check=True)
    assert project.run("plan", "--detailed-exitcode").status == EXIT_FINDINGS


def test_an_older_plan_from_no_state_is_not_applied_to_a_lost_one(project: LightProject) -> None:
    """Two plans were made before the first apply: the second would make everything again."""
    fresh = LightProject(project.folder.parent / "fresh", context={"stacks": {STACK: {}}})
    other = fresh.plan()
    fresh.plan()
    assert fresh.run("apply").status == EXIT_DONE
    state_of(fresh).unlink()
    ended = fresh.run("apply", str(other), "--output", "json")
    assert (ended.status, ended.error["code"]) == (EXIT_ENGINE, "state_lost")


def test_after_a_destroy_no_state_is_right(project: LightProject) -> None:
    """Whoever tidies up the empty state is not told that it is lost, and drift is not green."""
    ended = project.run("destroy", "--confirm", STACK)
    assert ended.status == EXIT_DONE, ended.err
    state_of(project).unlink()
    assert project.run("plan", "--detailed-exitcode").status == EXIT_FINDINGS
    assert project.run("output").status == EXIT_DONE
    drift = project.run("drift", "--output", "json")
    assert (drift.status, drift.error["code"]) == (EXIT_FINDINGS, "not_applied")
    assert f"{STACK}: nothing is applied yet" in drift.error["message"]


def test_another_workspace_has_a_state_of_its_own(project: LightProject) -> None:
    """What was applied in one says nothing of another."""
    ended = project.run("plan", "--detailed-exitcode", environment={"TF_WORKSPACE": "prod"})
    assert ended.status == EXIT_FINDINGS, ended.err


@pytest.mark.parametrize("words", [["plan"], ["output"], ["status"], ["drift"]])
def test_a_workspace_without_a_state_names_the_one_that_was_applied_in(
    project: LightProject, words: list[str]
) -> None:
    """Whoever forgot TF_WORKSPACE is told before being told to make room for a second VM."""
    ended = project.run(*words, environment={"TF_WORKSPACE": "prod"})
    for part in ("workspace default", "left 2 resources", "TF_WORKSPACE=default"):
        assert part in " ".join(ended.err.split())
    assert "TF_WORKSPACE" not in project.run(*words).err


def test_a_state_that_was_emptied_by_hand_is_named(project: LightProject) -> None:
    """It is there and holds nothing: a plan says so and shows what it makes, drift is an error."""
    state = state_of(project)
    document = json.loads(state.read_text())
    document |= {"resources": [], "outputs": {}, "serial": document["serial"] + 1}
    state.write_text(json.dumps(document))
    ended = project.run("drift", "--output", "json")
    assert (ended.status, ended.error["code"]) == (EXIT_ENGINE, "state_lost")
    assert "holds no resources" in ended.error["message"]
    ended = project.run("plan", "--detailed-exitcode")
    assert ended.status == EXIT_FINDINGS
    assert "holds no resources" in " ".join(ended.err.split())


def test_a_state_of_a_newer_format_is_not_called_damaged(project: LightProject) -> None:
    """An older copy in its place would discard it: a newer Terraform is what reads it."""
    state = state_of(project)
    document = json.loads(state.read_text()) | {"version": 5, "terraform_version": "9.0.0"}
    state.write_text(json.dumps(document))
    for words in (["plan"], ["output"], ["drift"]):
        ended = project.run(*words, "--output", "json")
        assert (ended.status, ended.error["code"]) == (EXIT_ENGINE, "wrong_version"), ended.out
        assert "newer Terraform" in ended.error["message"]
        assert "good state back" not in ended.error["message"]
