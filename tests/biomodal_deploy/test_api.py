"""The Python API on a project that needs no provider: real Terraform, real sealed plans."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy import (
    EngineError,
    GuardRefused,
    Project,
    ProjectPlan,
    SealedPlanRefused,
    UsageError,
)
from biomodal_deploy.engine.terraform.events import ApplyEvent
from biomodal_deploy.errors import EXIT_DONE
from biomodal_deploy.plan import Action
from biomodal_deploy.plan.history import Event
from biomodal_deploy.workflow.location import Step
from tests.support.light import MODEL, STACK, LightProject
from tests.support.processes import run_program
from tests.support.project import ROOT
from tests.support.sealed_plans import edit_manifest

FAILING: Final[dict[str, Any]] = {
    "resource": {
        "terraform_data": {
            "first": {},
            "second": {
                "depends_on": ["terraform_data.first"],
                "provisioner": {"local-exec": {"command": "exit 7"}},
            },
        }
    }
}
# Long enough that Terraform cannot be done before it hears of the stop.
SLOW: Final[dict[str, Any]] = {
    "resource": {
        "terraform_data": {"first": {"provisioner": {"local-exec": {"command": "sleep 60"}}}}
    }
}
DOCUMENTED: Final[dict[str, Any]] = {
    "variable": {"word": {"type": "string"}},
    "resource": {"terraform_data": {"first": {"input": "${var.word}"}}},
    "output": {"public_ip": {"value": "${terraform_data.first.output}"}},
}


@pytest.fixture
def light(tmp_path: Path) -> LightProject:
    """A project on disk."""
    return LightProject(tmp_path / "project")


def project_of(light: LightProject, **more: Any) -> Project:
    """Open it from Python."""
    return Project(light.folder, environment=light.environment(), **more)


def test_an_unknown_name_is_no_attribute() -> None:
    """What is loaded on first use does not hide a misspelling."""
    import biomodal_deploy

    with pytest.raises(AttributeError, match="Projekt"):
        _ = biomodal_deploy.Projekt


def test_a_callers_mistake_is_refused(light: LightProject, tmp_path: Path) -> None:
    """Before anything starts; a text in place of a list is not taken for its letters."""
    with pytest.raises(UsageError, match=r"cdktf\.json"):
        Project(tmp_path)
    project = Project(light.folder)
    with pytest.raises(UsageError, match="destroy: cannot be used with refresh_only"):
        project.plan(destroy=True, refresh_only=True)
    listed = r'var_files = "lab.tfvars": must be a list. Fix: write \["'
    with pytest.raises(UsageError, match=listed):
        project.plan(var_files="lab.tfvars")
    with pytest.raises(UsageError, match="allow_destroy"):
        project.plan(destroy=True, allow_destroy="aws_instance.vm")
    with pytest.raises(UsageError, match="var_files"):
        project.drift(var_files="lab.tfvars")


def test_an_argument_of_another_type_is_refused_by_name(light: LightProject) -> None:
    """`None` and `True` become no values of a variable, `"no"` no destroy plan; no value shows."""
    project = Project(light.folder)
    plans: list[tuple[str, dict[str, Any]]] = [
        ("destroy", {"destroy": "no"}),
        ("refresh_only", {"refresh_only": 1}),
        ("var_files", {"var_files": None}),
        ("var_files", {"var_files": Path("lab.tfvars")}),
        ("var_files", {"var_files": [b"lab.tfvars"]}),
        ("var_files", {"var_files": ["lab\0.tfvars"]}),
        ("variables", {"variables": ["word=x"]}),
        ("variables", {"variables": {"word=x": "y"}}),
        ("variables", {"variables": {3: "x"}}),
        (r"variables\['word'\]", {"variables": {"word": None}}),
        (r"variables\['word'\]", {"variables": {"word": True}}),
        ("allow_destroy", {"allow_destroy": None}),
        ("allow_destroy", {"allow_destroy": [3]}),
        ("allow", {"allow": {"bucket": True}}),
        ("account_moved", {"account_moved": 123456789012}),
    ]
    for field, given in plans:
        with pytest.raises(UsageError, match=f"^{field}\\b|^{field}:"):
            project.plan(**given)
    with pytest.raises(UsageError, match="variables: must"):
        project.drift(variables="word=x")  # type: ignore[arg-type]
    for plan in (3, b"x", "a\0b"):
        with pytest.raises(UsageError, match="sealed_plan"):
            project.sealed(plan)  # type: ignore[arg-type]
    projects: list[tuple[str, dict[str, Any]]] = [
        ("project_dir", {"project_dir": None}),
        ("project_dir", {"project_dir": b"lab"}),
        ("project_dir", {"project_dir": "lab\0"}),
        ("stack", {"stack": ["lab"]}),
        ("on_event", {"on_event": None}),
        ("environment", {"environment": ["A=1"]}),
        ("environment", {"environment": {"A=B": "1"}}),
        (r"environment\['TOKEN'\]", {"environment": {"TOKEN": 31337}}),
        (r"environment\['TOKEN'\]", {"environment": {"TOKEN": "31337\0"}}),
    ]
    for field, given in projects:
        with pytest.raises(UsageError, match=f"^{field}") as refused:
            Project(**{"project_dir": light.folder, **given})
        assert "31337" not in str(refused.value)


@pytest.mark.engine
def test_the_whole_cycle(light: LightProject) -> None:
    """Synthesize, validate, plan, apply, read, look for drift, destroy, and read the history."""
    heard: list[object] = []
    project = project_of(light, on_event=heard.append)
    assert [each.name for each in project.synth().stacks] == [STACK]
    assert project.validate() == ()

    plan = project.plan(variables={"word": "from Python"})
    assert plan.has_changes
    assert [(each.action, each.address) for each in plan.changes] == [
        (Action.CREATE, "terraform_data.first"),
        (Action.CREATE, "terraform_data.second"),
    ]
    assert plan.counts.create == 2
    assert all(verdict.outcome == "passed" for verdict in plan.verdicts)
    assert project.sealed().id == project.sealed(plan.id).id == plan.id
    assert project.sealed(plan.sealed_plan.path).sha256 == plan.sha256

    done = plan.apply(expect_sha256=plan.sha256)
    assert {each.address for each in done.run.completed} == {
        "terraform_data.first",
        "terraform_data.second",
    }
    assert project.output()["word"].value == "from Python"
    assert project.output()["hidden"].sensitive
    assert project.drift(variables={"word": "from Python"}) == ()
    again = project.plan(variables={"word": "from Python"})
    assert (again.has_changes, again.changes) == (False, ())

    destruction = project.plan(destroy=True)
    assert {each.action for each in destruction.changes} == {Action.DELETE}
    with pytest.raises(GuardRefused, match=f"--confirm {STACK}"):
        destruction.apply()
    assert destruction.ledger().holdings == ()
    destruction.apply(confirm=STACK)
    assert destruction.remains().clean
    assert project.output() == {}

    history = project.history()
    assert history.broken_at is None
    assert [entry.event for entry in history.entries] == [
        Event.PLAN,
        Event.APPLY_START,
        Event.RESULT,
        Event.PLAN,
        Event.PLAN,
        Event.REFUSAL,
        Event.APPLY_START,
        Event.RESULT,
    ]
    assert [each.text for each in heard if isinstance(each, Step)][:3] == [
        "Synthesizing",
        "Synthesizing",
        "Initializing Terraform",
    ]
    assert any(isinstance(each, ApplyEvent) for each in heard)


@pytest.mark.engine
def test_a_destroy_of_nothing_needs_no_name(light: LightProject) -> None:
    """A teardown that runs a second time has nothing left to lose, and ends well."""
    project_of(light).plan(destroy=True).apply()
    assert light.run("destroy").status == EXIT_DONE


@pytest.mark.engine
def test_the_documented_lines_run(tmp_path: Path) -> None:
    """The examples of the page, word for word, in a project with those names."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "python-api.md").read_text(), re.DOTALL
    )
    assert len(blocks) == 3
    first, loss, events = blocks
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
    light = LightProject(tmp_path / "project", {"biomodal-aws": DOCUMENTED})
    (light.folder / "environments").mkdir()
    (light.folder / "environments" / "lab.tfvars").write_text('word = "203.0.113.7"\n')
    (light.folder / "terraform.tfvars").write_text('word = "198.51.100.1"\n')
    script = first + loss.replace("aws_instance.vm", "terraform_data.first") + events
    done = run_program(
        [sys.executable, "-c", script], cwd=light.folder, env=light.environment(), timeout=120
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    assert printed[:4] == [
        "create terraform_data.first",
        "1 changes made",
        "203.0.113.7",
        "nothing is left that bills",
    ]
    assert {"Step", "ChangeEvent", "SummaryEvent"} <= set(printed[4:])


@pytest.mark.engine
def test_errors_are_those_of_the_command_line(light: LightProject) -> None:
    """The same classes with the same lines, and what a program needs as attributes."""
    project = project_of(light)
    with pytest.raises(UsageError, match='did you mean "word"'):
        project.plan(variables={"wurd": "x"})
    with pytest.raises(SealedPlanRefused) as missing:
        project.sealed()
    plan = project.plan()
    with pytest.raises(SealedPlanRefused, match="empty name"):
        project.sealed("")  # a script's unset variable is not the newest plan
    with pytest.raises(SealedPlanRefused) as other:
        plan.apply(expect_sha256="0" * 64)
    plan.apply()
    with pytest.raises(SealedPlanRefused) as used:
        plan.apply()
    reasons = [each.value.reason for each in (missing, other, used)]
    assert reasons == ["no_sealed_plan", "not_approved", "used"]


@pytest.mark.engine
def test_an_exchanged_plan_is_refused(light: LightProject) -> None:
    """Between planning and applying from one process, somebody else's plan took its place."""
    plan, other = project_of(light).plan(), project_of(light).plan(variables={"word": "other"})
    shutil.rmtree(plan.sealed_plan.path)
    shutil.copytree(other.sealed_plan.path, plan.sealed_plan.path)
    edit_manifest(plan.sealed_plan, lambda body: body.update(id=plan.id), forge=True)
    with pytest.raises(SealedPlanRefused) as refused:
        plan.apply()
    assert refused.value.reason == "not_approved"


@pytest.mark.engine
def test_a_failed_apply_says_what_was_done(light: LightProject) -> None:
    """The error knows the log and what was completed, and nothing is destroyed."""
    light.model({STACK: FAILING})
    plan = project_of(light).plan()
    with pytest.raises(EngineError, match=r"1 change made; .* replaces it: \S+second") as failed:
        plan.apply()
    assert failed.value.log == plan.sealed_plan.path / "logs" / "apply.log"
    last = project_of(light).history().entries[-1]
    assert (last.event, last.details["ok"]) == (Event.RESULT, False)
    again = project_of(light).plan()
    assert [(each.action, each.address) for each in again.changes] == [
        (Action.REPLACE, "terraform_data.second")
    ]


@pytest.mark.engine
def test_a_callback_that_raises_stops_terraform(light: LightProject) -> None:
    """In order: it ends, lets its lock go, and the record says so; then the error goes on."""

    class Enough(Exception):
        pass

    def on_event(event: object) -> None:
        if isinstance(event, ApplyEvent):
            raise Enough

    light.model({STACK: SLOW})
    plan = project_of(light).plan()
    mine = Project(light.folder, environment=light.environment(), on_event=on_event)
    with pytest.raises(Enough):
        mine.sealed(plan.id).apply()
    assert project_of(light).history().entries[-1].event is Event.INTERRUPTED
    assert not list((light.folder / "state").glob(".*.lock.info"))
    assert project_of(light).plan().has_changes


@pytest.mark.engine
def test_another_thread_can_do_it(light: LightProject) -> None:
    """A service that plans in the background gets its events there."""
    threads: set[int] = set()
    done: list[ProjectPlan] = []

    def work() -> None:
        project = project_of(light, on_event=lambda _: threads.add(threading.get_ident()))
        done.append(project.plan())
        done[0].apply()

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(60)
    assert done
    assert threads == {worker.ident}


@pytest.mark.engine
def test_the_given_environment_is_the_only_one(
    light: LightProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of this process do not reach a project that was given an environment."""
    monkeypatch.setenv("TF_VAR_word", "from the process")
    monkeypatch.setenv("TF_WORKSPACE", "elsewhere")
    project_of(light).plan().apply()
    assert project_of(light).output()["word"].value == MODEL["variable"]["word"]["default"]
    given = Project(light.folder, environment=light.environment({"TF_VAR_word": "given"}))
    assert [each.address for each in given.plan().changes] == ["terraform_data.first"]
