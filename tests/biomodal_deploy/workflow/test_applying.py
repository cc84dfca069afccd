"""Nothing that was verified before a wait for a person counts after it."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_GUARD, EXIT_SEALED_PLAN
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.manifest import Manifest
from tests.support.driven import Driven
from tests.support.light import STACK, LightProject, Prepared
from tests.support.sealed_plans import edit_manifest

pytestmark = [pytest.mark.engine]

QUESTION: Final = "Type the stack's name"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A project that was applied once, and has an install script and a var-file."""
    made = LightProject(tmp_path_factory.mktemp("applying") / "project")
    (made.folder / "terraform.tfvars").write_text('word = "approved"\n')
    (made.folder / "scripts").mkdir()
    (made.folder / "scripts" / "install_script.sh").write_text("echo approved\n")
    made.plan()
    assert made.run("apply").status == EXIT_DONE
    return Prepared.of(made)


@pytest.fixture
def project(prepared: Prepared) -> LightProject:
    """That project, as it was."""
    return prepared.fresh()


def state_of(project: LightProject) -> dict[str, Any]:
    """Return the state as data."""
    content: dict[str, Any] = json.loads(
        (project.folder / "state" / f"{STACK}.tfstate").read_bytes()
    )
    return content


def exchange_plan(project: LightProject, sealed_plan: Path) -> None:
    """Put the plan file of another plan in its place."""
    other = project.plan("--var", "word=evil")
    shutil.copyfile(other / "plan.tfplan", sealed_plan / "plan.tfplan")


def exchange_sealed_plan(project: LightProject, sealed_plan: Path) -> None:
    """Forge the whole manifest beside an exchanged plan file, its own digest included."""
    other = SealedPlan.load(project.plan("--var", "word=evil"))
    for name in ("plan.tfplan", "changes.json", "variables.tfvars.json"):
        shutil.copyfile(other.path / name, sealed_plan / name)
    theirs = json.loads((other.path / "manifest.json").read_bytes())

    def forge(body: dict[str, Any]) -> None:
        body.clear()
        body.update({**theirs, "id": sealed_plan.name})

    edit_manifest(SealedPlan.load(sealed_plan), forge, forge=True)


def edit_values(project: LightProject, sealed_plan: Path) -> None:
    """Edit the variables file beside the plan file."""
    (sealed_plan / "variables.tfvars.json").write_text('{"word": "evil"}')


def edit_directory(project: LightProject, sealed_plan: Path) -> None:
    """Put a file into the folder that Terraform works in."""
    (project.folder / "cdktf.out" / "stacks" / STACK / "evil.tf").write_text("")


def edit_script(project: LightProject, sealed_plan: Path) -> None:
    """Edit the VM's start-up script."""
    (project.folder / "scripts" / "install_script.sh").write_text("echo evil\n")


def apply_another(project: LightProject, sealed_plan: Path) -> None:
    """Let the state move on."""
    project.plan("--var", "word=meanwhile")
    assert project.run("apply").status == EXIT_DONE


@pytest.mark.parametrize(
    "meanwhile",
    [exchange_plan, exchange_sealed_plan, edit_values, edit_directory, edit_script, apply_another],
)
def test_what_changes_while_a_person_is_asked_is_refused(
    project: LightProject, meanwhile: Callable[[LightProject, Path], None]
) -> None:
    """A destroy was approved at the question; nothing else runs in its place."""
    sealed_plan = project.plan("--destroy")
    words = ["apply", str(sealed_plan)]
    with Driven.command(project.folder, words, project.environment(), terminal=True) as driven:
        driven.until(lambda: QUESTION in driven.screen, 60)
        meanwhile(project, sealed_plan)
        before = state_of(project)
        assert driven.terminal is not None
        driven.terminal.type(STACK)
        assert driven.process.wait(60) == EXIT_SEALED_PLAN, driven.screen
    assert state_of(project) == before
    assert not (sealed_plan / "consumed.json").exists()


def test_a_plan_that_expires_while_a_person_is_asked_is_refused(project: LightProject) -> None:
    """Its time counts when it runs, and not when the question was put."""
    sealed_plan = project.plan("--destroy")
    content = Manifest.from_json((sealed_plan / "manifest.json").read_bytes())
    expires = time.time() + 6
    brief = content.model_copy(update={"expires": datetime.fromtimestamp(expires, UTC)})
    (sealed_plan / "manifest.json").write_bytes(brief.to_json())
    before = state_of(project)
    words = ["apply", str(sealed_plan)]
    with Driven.command(project.folder, words, project.environment(), terminal=True) as driven:
        driven.until(lambda: QUESTION in driven.screen or driven.process.poll() is not None, 60)
        time.sleep(max(0.0, expires - time.time()) + 0.1)
        assert driven.terminal is not None
        driven.terminal.type(STACK)
        assert driven.process.wait(60) == EXIT_SEALED_PLAN, driven.screen
        assert "expired" in driven.screen
    assert state_of(project) == before


def test_terraform_reads_the_bytes_that_were_verified(
    project: LightProject, tmp_path: Path
) -> None:
    """Between the last check and Terraform's own reading nobody can exchange the plan file."""
    evil = tmp_path / "evil.tfplan"
    shutil.copyfile(project.plan("--var", "word=evil") / "plan.tfplan", evil)
    wrapper = tmp_path / "terraform"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case " $* " in *" apply "*) ls {project.plans}/*/ > {tmp_path}/seen;'
        f" for each in {project.plans}/*/; do cp {evil} $each/plan.tfplan; done;; esac\n"
        f'exec {shutil.which("terraform")} "$@"\n'
    )
    wrapper.chmod(0o755)
    environment = {"BIOMODAL_TERRAFORM": str(wrapper)}
    sealed_plan = project.plan("--var", "word=good", environment=environment)
    ended = project.run("apply", str(sealed_plan), environment=environment)
    assert ended.status == EXIT_DONE, ended.err
    assert '"good"' in json.dumps(state_of(project))
    assert '"evil"' not in json.dumps(state_of(project))
    assert "held.tfplan" not in (tmp_path / "seen").read_text()  # in memory: for nobody to find


def test_of_two_at_once_the_second_is_told_of_the_first(
    project: LightProject, tmp_path: Path
) -> None:
    """The first takes the plan file away while the second verifies: that is no missing file."""
    first = "from biomodal_deploy.plan.sealed import SealedPlan, consume; import pathlib, sys; "
    first += "plan = SealedPlan.load(pathlib.Path(sys.argv[1])); consume(plan.path); "
    first += "plan.drop_plan_file()"
    wrapper = tmp_path / "terraform"
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in version*) [ ! -e {tmp_path}/plan ] || '
        f'(cd /; {sys.executable} -c "{first}" "$(cat {tmp_path}/plan)");; esac\n'
        f'exec {shutil.which("terraform")} "$@"\n'
    )
    wrapper.chmod(0o755)
    environment = {"BIOMODAL_TERRAFORM": str(wrapper)}
    sealed_plan = project.plan("--var", "word=good", environment=environment)
    (tmp_path / "plan").write_text(str(sealed_plan))
    ended = project.run("apply", str(sealed_plan), environment=environment)
    assert ended.status == EXIT_SEALED_PLAN, ended.err
    assert f"The plan {sealed_plan.name} is used: started at" in ended.err
    assert "missing" not in ended.err


def test_no_secret_lies_on_the_disk_while_terraform_applies(tmp_path: Path) -> None:
    """The plan is used from its claim on: a kill from there leaves no plan file behind."""
    slow = {"provisioner": {"local-exec": {"command": "sleep 20; true"}}}
    project = LightProject(
        tmp_path / "project", {STACK: {"resource": {"terraform_data": {"slow": slow}}}}
    )
    sealed_plan = project.plan()
    with Driven.command(
        project.folder, ["apply", str(sealed_plan)], project.environment()
    ) as driven:
        log = sealed_plan / "logs" / "apply.log"
        driven.until(lambda: log.exists() and "apply_start" in log.read_text(), 60)
        assert {path.name for path in sealed_plan.iterdir()} == {
            "manifest.json",
            "changes.json",
            "consumed.json",
            "logs",
        }
        driven.process.kill()


@pytest.fixture
def protected(tmp_path: Path) -> LightProject:
    """An applied project whose resources are protected."""
    stacks = {"stacks": {STACK: {"protected": ["terraform_data"]}}}
    made = LightProject(tmp_path / "protected", context=stacks)
    made.plan()
    assert made.run("apply").status == EXIT_DONE
    return made


@pytest.mark.parametrize(("typed", "status"), [(STACK, EXIT_DONE), ("other", EXIT_GUARD)])
def test_on_a_terminal_the_typed_name_is_enough(
    protected: LightProject, typed: str, status: int
) -> None:
    """What is protected is listed once, and asked for once; another name leaves no usable plan."""
    environment = protected.environment()
    with Driven.command(protected.folder, ["destroy"], environment, terminal=True) as driven:
        driven.until(lambda: QUESTION in driven.screen, 60)
        before = driven.screen
        assert driven.terminal is not None
        driven.terminal.type(typed)
        assert driven.process.wait(60) == status, driven.screen
    assert before.count("terraform_data.first would be") == 1
    assert "These resources of" not in before
    assert bool(state_of(protected)["resources"]) is (status != EXIT_DONE)
    assert not list(protected.plans.glob("*/*.tfplan"))


def test_where_nobody_can_answer_the_flags_are_needed(protected: LightProject) -> None:
    """A name in an option is a script's: each protected resource is named besides."""
    refused = protected.run("destroy", "--confirm", STACK)
    assert refused.status == EXIT_GUARD
    assert "--allow-destroy" in refused.err
    assert len(state_of(protected)["resources"]) == 2
