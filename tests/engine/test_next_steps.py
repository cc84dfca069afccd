"""Each next step that an error prints leads further, taken exactly as it stands in the error.

The inventory at the end finds every such step in the code: one that no case takes has to say where
it is taken instead, or why it cannot be.
"""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import (
    EXIT_DONE,
    EXIT_ENGINE,
    EXIT_FINDINGS,
    EXIT_GUARD,
    EXIT_SEALED_PLAN,
    EXIT_USAGE,
)
from tests.support.light import MODEL, STACK, Ended, LightProject, command
from tests.support.project import ROOT

_PACKAGE: Final = ROOT / "biomodal_deploy"
# Pages, tables and the advice of checks are no refusals.
_REFUSING: Final = (
    "cli/*.py",
    "cli/commands/*.py",
    "config/**/*.py",
    "engine/**/*.py",
    "plan/**/*.py",
    "sandbox/**/*.py",
    "vm/**/*.py",
    "workflow/**/*.py",
)
_COMMAND: Final = re.compile(r"\bbiomodal-aws [^`;,]*")
_OPTION: Final = re.compile(r"(--(?:confirm|allow-destroy)) ('[^']*'|[^\s;,]+)")
_MENTION: Final = re.compile(r"\bbiomodal-aws ((?:backend|policy|sandbox) [a-z]+|[a-z][a-z-]+)")
# Where the sentence goes on behind a command.
_SENTENCE: Final = frozenset({"then", "for", "which", "and", "or", "reads", "again"})
FAILING: Final[dict[str, Any]] = {
    "resource": {
        "terraform_data": {"bad": {"provisioner": [{"local-exec": {"command": "exit 3"}}]}}
    }
}


def steps(message: str) -> Iterator[list[str]]:
    """Yield the commands of an error's line, without what the sentence says around them."""
    for found in _COMMAND.findall(message):
        words: list[str] = []
        for word in shlex.split(found)[1:]:
            if word in _SENTENCE:
                break
            words.append(word.rstrip("."))
            if word.endswith("."):
                break
        yield words


# Steps that no case takes, by module or folder, and the tests that take them.
_EMPTY_FOLDER: Final = (
    "tests/engine/test_installed.py::test_an_installed_wheel_does_the_job_in_an_empty_folder"
)
_LOCK: Final = "tests/engine/test_lock_files.py::test_ci_takes_it_as_it_is"
_MOVED: Final = "tests/engine/test_shared_state.py::test_from_bucket_to_bucket"
TAKEN_BY: Final = {
    "cli/commands/doctor.py: init": _EMPTY_FOLDER,
    "cli/commands/init.py: lock": _LOCK,
    "config/settings.py: init": _EMPTY_FOLDER,
    "engine/terraform/failures.py: plan": "tests/biomodal_deploy/cli/test_interrupts.py"
    "::test_after_a_kill_the_next_plan_says_what_happened",
    "plan/sealed/approvals.py: approve": "tests/engine/test_approvals.py"
    "::test_two_people_sign_and_it_runs_once",
    "sandbox/run.py: sandbox run": "tests/engine/test_rehearsal.py"
    "::test_a_rehearsal_leaves_every_file_as_it_was",
    "vm/ssh_failures.py: connect": "tests/engine/test_operations.py::test_through_session_manager",
    "vm/ssh_failures.py: status": "tests/engine/test_operations.py::test_a_stopped_vm",
    "vm/access.py: connect": "tests/engine/test_operations.py::test_through_session_manager",
    "workflow/account_checks.py: doctor": "tests/engine/preflight/test_stack.py"
    "::test_the_command_on_screen",
    "workflow/adding.py: backend check": "tests/engine/test_state_bucket.py"
    "::test_a_bucket_that_lacks_everything",
    "workflow/adding.py: demo": "tests/engine/test_demo.py::test_it_rehearses_the_whole_job",
    "workflow/adding.py: doctor": "tests/engine/test_init.py::test_options_make_a_stack_that_plans",
    "workflow/adding.py: keygen": "tests/biomodal_deploy/cli/test_payload_page.py"
    "::test_what_needs_no_terraform_prints_its_shape",
    "workflow/adding.py: plan": "tests/engine/test_init.py::test_options_make_a_stack_that_plans",
    "workflow/journal.py: backend migrate": _MOVED,
    "workflow/backend_checks.py: backend migrate": _MOVED,
    "workflow/approving.py: plan": "tests/engine/test_remote_history.py"
    "::test_restored_together_it_is_still_used",
    "workflow/ejecting.py: backend migrate": _MOVED,
    "workflow/ejecting.py: eject": "tests/engine/test_eject.py::test_a_plan_has_no_changes",
    "workflow/terraform_setup.py: lock": _LOCK,
    "workflow/importing.py: adopt": "tests/engine/test_diagnose.py::test_what_exists_is_taken_over",
    "workflow/init/interview.py: keygen": "tests/biomodal_deploy/cli/test_payload_page.py"
    "::test_what_needs_no_terraform_prints_its_shape",
    "workflow/init/project.py: init": _EMPTY_FOLDER,
    "workflow/preflight.py: backend check": "tests/engine/test_state_bucket.py"
    "::test_a_bucket_that_lacks_everything",
    "workflow/backend_checks.py: backend create": "tests/engine/test_state_bucket.py"
    "::test_again_it_plans_what_has_changed",
    "workflow/backend_checks.py: keygen": "tests/biomodal_deploy/cli/test_payload_page.py"
    "::test_what_needs_no_terraform_prints_its_shape",
    "workflow/sets/choosing.py: apply": "tests/engine/test_next_steps.py"
    "::test_a_destroy_plan_of_a_set_is_applied_alone",
}
# Steps that nothing takes: why.
NOT_TAKEN: Final = {
    "cli/applying.py: show": "shows again what a destruction that failed had shown",
    "cli/commands/approve.py: approve": "a file's format, described by the command that writes it",
    "cli/session.py: history": "reads what a command has done whose result met a full disk",
    "config/tfvars/declared.py: synth": "a stack of another app, with a type that is none",
    "plan/consequences.py: jobs": "a warning of the plan, and no refusal",
    "plan/impossible.py: keygen": "one of two ways out; the other one edits a file",
    "plan/sealed/files.py: synth": "an output folder that was deleted while a plan was sealed",
    "vm/": "what looks at the running stack advises, or what vm/deployed.py says as well",
    "workflow/destroying.py: in": "no command: the environment is named before it",
    "workflow/location.py: sandbox run": "names a placeholder, DIR",
    "workflow/lost_state.py: plan": "after an import by hand",
    "workflow/sets/choosing.py: plan": "the same step as that of apply --all",
    "workflow/stack.py: synth": "a folder that another program wrote",
}


@dataclass(frozen=True)
class Case:
    """A refusal, and what its next step leads to."""

    typed: str  # what is typed and refused; NEWEST stands for the newest plan's id
    status: int  # how it ends
    source: str  # the module that the step is printed by, and its command
    after: str | None = None  # what is typed after the step; the same again where None
    until: int | None = EXIT_DONE  # how that ends; None where it only has to be another refusal
    start: str = "fresh"  # the project that it happens in: `fresh`, `planned` or `applied`
    prepare: Callable[[LightProject], object] = lambda _: None  # what makes it so there

    def __str__(self) -> str:
        return f"{self.typed} ({self.source})"


def newest(project: LightProject) -> Path:
    """Return the folder of the newest sealed plan."""
    return max(each for each in project.plans.iterdir() if (each / "manifest.json").exists())


def edit(name: str) -> Callable[[LightProject], object]:
    """Return what changes a file of the newest sealed plan."""

    def change(project: LightProject) -> None:
        path = newest(project) / name
        path.write_bytes(path.read_bytes() + b" ")

    return change


def have_two(project: LightProject) -> None:
    """Have two stacks."""
    project.model({STACK: MODEL, "other": MODEL})


def have_two_with_a_plan(project: LightProject) -> None:
    """Have two stacks, and a plan of one."""
    have_two(project)
    assert project.run("plan", "--stack", STACK).status == EXIT_DONE


def fail(project: LightProject) -> None:
    """Seal a plan whose apply fails."""
    project.model({STACK: FAILING})
    assert project.run("plan").status == EXIT_DONE


CASES: Final = (
    Case("apply", EXIT_SEALED_PLAN, "plan/history/__init__.py: plan", start="applied"),
    Case("drift", EXIT_FINDINGS, "workflow/reading.py"),
    Case("output", EXIT_USAGE, "workflow/stack.py: plan"),
    Case(
        "apply",
        EXIT_SEALED_PLAN,
        "plan/sealed/sealed_plan.py: plan",
        start="planned",
        prepare=edit("plan.tfplan"),
    ),
    Case(
        "apply",
        EXIT_SEALED_PLAN,
        "workflow/recomputing.py: plan",
        start="planned",
        prepare=edit("variables.tfvars.json"),
    ),
    Case(
        "apply NEWEST",
        EXIT_SEALED_PLAN,
        "plan/sealed/verifying.py: plan",
        after="apply",
        start="applied",
    ),
    Case(
        "apply --stack other plans/light/NEWEST",
        EXIT_SEALED_PLAN,
        "workflow/recomputing.py: apply",
        until=None,
        prepare=have_two_with_a_plan,
    ),
    Case(
        "output nothing",
        EXIT_USAGE,
        "cli/commands/output.py: output",
        after="output word",
        start="applied",
    ),
    Case("status", EXIT_USAGE, "vm/deployed.py", until=None, start="planned"),
    Case("apply", EXIT_ENGINE, "engine/terraform/failures.py: diagnose", until=None, prepare=fail),
    Case("apply --all", EXIT_USAGE, "workflow/stack.py: plan --all", prepare=have_two),
    Case(
        "apply --project-dir ../project",
        EXIT_SEALED_PLAN,
        "plan/history/__init__.py: plan --project-dir ../project",
        start="applied",
    ),
    Case(
        "show x",
        EXIT_SEALED_PLAN,
        "workflow/plans.py: plan",
        after="show",
        prepare=lambda project: project.run("synth"),
    ),
    Case("plan --nope", EXIT_USAGE, "cli/boundary.py: plan", after="plan"),
)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> LightProject:
    """A project that was applied; the tests work on copies."""
    project = LightProject(tmp_path_factory.mktemp("applied") / "project")
    project.plan()
    ended = project.run("apply")
    assert ended.status == EXIT_DONE, ended.err
    return project


def copied(project: LightProject, folder: Path) -> LightProject:
    """Return a copy of a project with all that was done to it."""
    shutil.copytree(project.folder, folder, symlinks=True)
    copy = LightProject.__new__(LightProject)
    copy.folder = folder
    return copy


def error_of(ended: Ended) -> str:
    """Return the line that says what is wrong."""
    return ended.err[ended.err.rindex("error: ") :].strip()


@pytest.mark.engine
@pytest.mark.xdist_group("next-steps")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_step_leads_further(case: Case, applied: LightProject, tmp_path: Path) -> None:
    """The commands that a refusal prints work as they stand, and the refusal is gone after them."""
    folder = tmp_path / "project"
    project = copied(applied, folder) if case.start == "applied" else LightProject(folder)
    if case.start == "planned":
        # Here: a sealed plan is for a local state of this very path.
        project.plan()
    case.prepare(project)
    typed = case.typed
    if "NEWEST" in typed:
        typed = typed.replace("NEWEST", newest(project).name)
    refused = project.run(*typed.split())
    assert refused.status == case.status, refused.err
    taken = list(steps(error_of(refused)))
    named = case.source.partition(": ")[2].split()
    assert not named or named in [words[: len(named)] for words in taken], refused.err
    for words in taken:
        ended = project.run(*words)
        assert ended.status in (EXIT_DONE, EXIT_FINDINGS), (words, ended.err)
    again = project.run(*(case.after or typed).split())
    if case.until is None:
        assert again.status == EXIT_DONE or error_of(again) != error_of(refused)
    else:
        assert again.status == case.until, again.err


@pytest.mark.engine
@pytest.mark.xdist_group("next-steps")
def test_a_loss_is_confirmed_as_the_refusal_says(applied: LightProject, tmp_path: Path) -> None:
    """The option that a refusal prints, added to what was typed, lets it pass."""
    project = copied(applied, tmp_path / "project")
    refused = project.run("destroy")
    assert refused.status == EXIT_GUARD
    ((option, value),) = _OPTION.findall(error_of(refused))
    assert project.run("destroy", option, *shlex.split(value)).status == EXIT_DONE


@pytest.mark.engine
@pytest.mark.xdist_group("next-steps")
def test_a_destroy_plan_of_a_set_is_applied_alone(applied: LightProject, tmp_path: Path) -> None:
    """Two steps after each other: the command alone, then the option that it asks for."""
    project = copied(applied, tmp_path / "project")
    other = newest(project).name
    assert project.run("plan", "--destroy").status == EXIT_DONE
    refused = project.run("apply", newest(project).name, other)
    assert refused.status == EXIT_USAGE, refused.err
    (step,) = steps(error_of(refused))
    alone = project.run(*step)
    assert alone.status == EXIT_GUARD, alone.err
    ((option, value),) = _OPTION.findall(error_of(alone))
    assert project.run(*step, option, value).status == EXIT_DONE


@pytest.mark.engine
@pytest.mark.xdist_group("next-steps")
def test_a_step_after_a_success_works_where_it_is_printed(tmp_path: Path) -> None:
    """In another folder, in a project of two stacks: each line `Next:` is taken as it stands."""
    project = LightProject(tmp_path / "project")
    have_two(project)
    typed = ["plans", "--project-dir", "project", "--stack", STACK]
    for name in ("plan", "apply"):
        ended = command(tmp_path, typed, project.environment())
        assert ended.status == EXIT_DONE, ended.err
        (line,) = [each for each in ended.out.splitlines() if "Next: " in each]
        (typed,) = steps(line)
        assert typed[0] == name
    assert command(tmp_path, typed, project.environment()).status == EXIT_DONE
    other = command(tmp_path, ["output", "--project-dir", "project"], project.environment())
    assert other.status == EXIT_USAGE  # neither of the two stacks is named


def printed_steps() -> set[str]:
    """Return each module that refuses with a command that its texts tell people to run."""
    found = set()
    for path in (path for room in _REFUSING for path in _PACKAGE.glob(room)):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes = list(ast.walk(tree))
        documentation = {id(each.value) for each in nodes if isinstance(each, ast.Expr)}
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                commands = [] if id(node) in documentation else _MENTION.findall(node.value)
                found |= {f"{path.relative_to(_PACKAGE)}: {each}" for each in commands}
    return found


@pytest.mark.slow
def test_every_step_is_taken_somewhere() -> None:
    """A new refusal with a next step needs a case above, or a line that says where it is taken."""
    printed = printed_steps()
    listed = (*TAKEN_BY, *NOT_TAKEN)
    known = (*listed, *(case.source for case in CASES))
    assert {each for each in printed if not each.startswith(known)} == set()
    stale = {known for known in listed if not any(each.startswith(known) for each in printed)}
    assert stale == set()


@pytest.mark.parametrize(("step", "test"), TAKEN_BY.items())
def test_the_test_that_takes_a_step_is_there(step: str, test: str) -> None:
    """It is a test of that name, and runs the step's command, itself or with its module's help."""
    path, _, name = test.partition("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    own = [
        ast.unparse(node)
        for node in ast.parse(source).body
        if not isinstance(node, ast.FunctionDef) or node.name == name or "test_" not in node.name
    ]
    assert any(f"def {name}(" in part for part in own), test
    # As it is typed, or as the words of a list.
    words = step.partition(": ")[2].split()
    wanted = re.compile(r"\W+".join(rf"\b{re.escape(word)}\b" for word in words))
    assert any(wanted.search(part) for part in own), words


def test_a_new_step_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The inventory fails for a module that starts to print a step."""
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "new.py").write_text('raise Error(f"{x}. Next: biomodal-aws drift")')
    monkeypatch.setattr(sys.modules[__name__], "_PACKAGE", tmp_path)
    assert printed_steps() == {"workflow/new.py: drift"}
    with pytest.raises(AssertionError, match="new"):
        test_every_step_is_taken_somewhere()
