"""A state that a team shares: one bucket in the sandbox, several checkouts of one project."""

from __future__ import annotations

import json
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE, EXIT_ENGINE
from biomodal_deploy.sandbox import Sandbox
from tests.support.driven import Driven
from tests.support.processes import run_program
from tests.support.project import ROOT
from tests.support.shared_state import (
    BUCKET,
    SLOW,
    SharedProject,
    addresses,
    locked,
    make_bucket,
    put_state,
    shared_state,
)

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("shared-state")]

BOTH: Final = {"terraform_data.first", "terraform_data.second"}
FOR_DOCTOR: Final = (
    'region = "eu-west-2"\nvpc_id = "vpc-0a1b2c3d"\nsubnet_id = "subnet-0a1b2c3d"\n'
    'vm_name = "analysis-vm"\n'
)
OLD: Final = "old/terraform.tfstate"
_NUMBERS: Final = count()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An account with one versioned bucket for states."""
    with Sandbox.start(tmp_path_factory.mktemp("sandbox")) as sandbox:
        make_bucket(sandbox)
        yield sandbox


@pytest.fixture
def key() -> str:
    """A state of the test's own."""
    return f"{next(_NUMBERS)}/terraform.tfstate"


def test_a_colleague_goes_on_where_one_stopped(sandbox: Sandbox, tmp_path: Path, key: str) -> None:
    """What one checkout applied, another one finds; here from files that name the bucket."""
    mine, theirs = SharedProject(tmp_path / "a", sandbox), SharedProject(tmp_path / "b", sandbox)
    mine.keep_in_s3(key)
    mine.applied()
    assert addresses(shared_state(sandbox, key)) == BOTH
    assert not locked(sandbox, key)
    assert not mine.local_state.exists()
    (theirs.folder / "lab.hcl").write_text(
        f'bucket = "{BUCKET}"\nregion = "{sandbox.region}"\nkey = "{key}"\n'
    )
    theirs.keep_in_files("lab.hcl")
    ended = theirs.run("plan", "--output", "json")
    assert ended.status == 0, ended.out + ended.err
    assert ended.data["has_changes"] is False


def test_what_is_sealed_of_a_partial_configuration(
    sandbox: Sandbox, tmp_path: Path, key: str
) -> None:
    """Another file of the backend's is another place: refused, whatever the file says now."""
    project = SharedProject(tmp_path / "a", sandbox)
    file = project.folder / "lab.hcl"
    file.write_text(f'bucket = "{BUCKET}"\nregion = "{sandbox.region}"\nkey = "{key}"\n')
    project.keep_in_files("lab.hcl")
    project.plan()
    file.write_text(file.read_text() + "# edited\n")
    ended = project.run("apply", "--output", "json")
    assert (ended.status, ended.error["reason"]) == (4, "edited_backend_file")
    file.write_text('access_key = "canary"\n')
    ended = project.run("plan")
    assert ended.status == 64
    assert "lab.hcl: access_key: A credential" in ended.err
    assert "canary" not in ended.err


def test_a_changed_backend_is_no_empty_one(sandbox: Sandbox, tmp_path: Path, key: str) -> None:
    """Nobody plans to make everything twice, also where nothing remembers the old backend."""
    project = SharedProject(tmp_path / "a", sandbox)
    project.applied()
    project.keep_in_s3(key)
    for words in (("plan",), ("output",), ("drift",)):
        ended = project.run(*words)
        assert ended.status == 64
        assert "state/light.tfstate still holds 2 resources" in ended.err
        assert "biomodal-aws backend migrate --stack light" in ended.err
    project.keep_in_s3("other/" + key)
    project.local_state.unlink()
    ended = project.run("plan")
    assert (ended.status, "backend migrate" in ended.err) == (1, True), ended.err


@pytest.fixture(scope="module")
def local(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> SharedProject:
    """A checkout whose state is local, applied once; tests work on copies."""
    project = SharedProject(tmp_path_factory.mktemp("local") / "a", sandbox)
    project.applied()
    return project


@pytest.fixture(scope="module")
def shared(
    sandbox: Sandbox, local: SharedProject, tmp_path_factory: pytest.TempPathFactory
) -> SharedProject:
    """A checkout whose state is in the bucket; tests work on copies, and on copies of the state."""
    project = local.copy(tmp_path_factory.mktemp("shared") / "a")
    project.keep_in_s3(OLD)
    assert project.run("backend", "migrate").status == 0
    return project


def killed_at(project: SharedProject, step: str) -> None:
    """Begin to move the state, and die as a step begins."""
    done = run_program(
        [sys.executable, "-m", "tests.support.migration_driver", step],
        cwd=project.folder,
        env={**project.environment(), "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert done.returncode == -signal.SIGKILL, f"{step} was never reached: {done.stderr}"


def finished(project: SharedProject, key: str, before: dict[str, Any]) -> None:
    """Move the state to its end, and see that it is all there, once, with a copy kept."""
    ended = project.run("backend", "migrate", "--output", "json")
    assert ended.status == 0, ended.out + ended.err
    now = shared_state(project.sandbox, key)
    assert (now["lineage"], now["resources"]) == (before["lineage"], before["resources"])
    assert now["serial"] >= before["serial"]
    assert not project.local_state.exists()
    assert any(
        json.loads(path.read_bytes())["resources"] == before["resources"]
        for path in project.backups
    )
    assert not list((project.folder / "state" / "backups").glob("*.json"))
    assert not locked(project.sandbox, key)


STEPS: Final = (
    "Looking where",
    "Backing up",
    "Initializing",
    "Comparing",
    "Moving",
    "Reading it back",
    "Restoring",
    "Putting",
)


@pytest.mark.parametrize("step", STEPS)
def test_a_move_that_was_killed_goes_on(
    sandbox: Sandbox, local: SharedProject, tmp_path: Path, key: str, step: str
) -> None:
    """Wherever it dies, no plan is made on an empty state, and running it again finishes."""
    before = json.loads(local.local_state.read_bytes())
    project = local.copy(tmp_path / "a")
    project.keep_in_s3(key)
    killed_at(project, step)
    plan = project.run("plan")
    assert plan.status == 64
    assert "biomodal-aws backend migrate --stack light" in plan.err
    finished(project, key, before)
    if step == STEPS[-1]:
        again = project.run("backend", "migrate", "--output", "json")
        assert (again.status, again.data["moved"]) == (0, False)
    assert stat.S_IMODE(project.backups[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(project.backups[0].parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("step", ["Reading the state", "Comparing", "Restoring", "Putting"])
def test_from_bucket_to_bucket(
    sandbox: Sandbox, shared: SharedProject, tmp_path: Path, key: str, step: str
) -> None:
    """The way from a shared place is remembered, though Terraform itself has forgotten it."""
    before = shared_state(sandbox, OLD)
    project = shared.copy(tmp_path / "a")
    project.keep_in_s3(key)
    killed_at(project, step)
    assert project.run("plan").status != 0
    finished(project, key, before)
    assert shared_state(sandbox, OLD) == before, "the old state was touched"


def test_a_move_that_is_called_off(
    sandbox: Sandbox, local: SharedProject, tmp_path: Path, key: str
) -> None:
    """Set the backend back after a move had begun: the state is where it was, and stays there."""
    project = local.copy(tmp_path / "a")
    content = project.local_state.read_bytes()
    project.keep_in_s3(key)
    killed_at(project, "Comparing")
    project.keep_here()
    assert project.run("plan").status == 64
    ended = project.run("backend", "migrate")
    assert ended.status == 0, ended.err
    assert project.local_state.read_bytes() == content
    plan = project.run("plan", "--output", "json")
    assert (plan.status, plan.data["has_changes"]) == (0, False)


def test_another_state_is_never_overwritten(
    sandbox: Sandbox, local: SharedProject, tmp_path: Path, key: str
) -> None:
    """Where another stack's state lies, nothing is written, and both stay as they were."""
    other = SharedProject(tmp_path / "b", sandbox)
    other.keep_in_s3(key)
    other.applied()
    before = shared_state(sandbox, key)
    project = local.copy(tmp_path / "a")
    project.keep_in_s3(key)
    content = project.local_state.read_bytes()
    ended = project.run("backend", "migrate")
    assert ended.status == 64
    assert "holds another state" in ended.err
    assert shared_state(sandbox, key) == before
    assert project.local_state.read_bytes() == content
    project.keep_in_s3(f"free/{key}")
    assert project.run("backend", "migrate").status == 0


def test_a_lost_state_is_not_called_moved(
    sandbox: Sandbox, local: SharedProject, tmp_path: Path, key: str
) -> None:
    """Nothing to move after an apply is a loss: named, and the move ends once it is back."""
    project = local.copy(tmp_path / "a")
    kept = project.local_state.rename(project.folder / "kept")
    project.keep_in_s3(key)
    ended = project.run("backend", "migrate", "--output", "json")
    assert (ended.status, ended.error["code"]) == (EXIT_ENGINE, "state_lost"), ended.out
    assert str(project.local_state) in ended.error["message"]
    kept.rename(project.local_state)
    finished(project, key, json.loads(project.local_state.read_bytes()))


def test_a_state_in_use_is_not_moved(sandbox: Sandbox, tmp_path: Path, key: str) -> None:
    """While Terraform applies to the local state, the move waits for another day."""
    # For as long as a busy machine may take to look at it.
    slower = json.loads(json.dumps(SLOW).replace("sleep 4", "sleep 20"))
    project = SharedProject(tmp_path / "a", sandbox, slower)
    project.plan()
    with Driven.command(project.folder, ["apply"], project.environment()) as driven:
        lock = project.local_state.with_name(f".{project.local_state.name}.lock.info")
        driven.until(lock.exists)
        project.keep_in_s3(key)
        ended = project.run("backend", "migrate")
        assert ended.status == 1, ended.out
        assert "the state is locked, held by" in ended.err
        driven.end()
        assert driven.process.returncode == 0, driven.screen
    assert project.run("backend", "migrate").status == 0
    assert addresses(shared_state(sandbox, key)) == BOTH | {"terraform_data.slow"}


def test_two_applies_at_once(sandbox: Sandbox, tmp_path: Path, key: str) -> None:
    """The same plan applied from two checkouts at once: one does it, one is refused, nine times."""
    mine = SharedProject(tmp_path / "a", sandbox)
    mine.keep_in_s3(key)
    for number in range(9):
        mine.change({"resource": {"terraform_data": {"first": {"input": number}}}})
        mine.plan()
        theirs = mine.copy(tmp_path / f"b{number}")
        running = [
            Driven.command(each.folder, ["apply"], each.environment()) for each in (mine, theirs)
        ]
        with running[0], running[1]:
            for driven in running:
                driven.end()
            statuses = sorted(driven.process.returncode for driven in running)
            screens = "\n".join(driven.screen for driven in running)
        assert statuses in ([0, 1], [0, 4]), screens
        assert re.search(
            "the state is locked, held by|the state moved on|stale|and now there is|just let go",
            screens,
        ), screens
        state = shared_state(sandbox, key)
        (resource,) = state["resources"]
        assert resource["instances"][0]["attributes"]["input"]["value"] == number
        assert not locked(sandbox, key)


@pytest.mark.parametrize("number", range(2))
@pytest.mark.parametrize("whom", ["terraform", "both", "command"])
def test_a_killed_apply(
    sandbox: Sandbox, shared: SharedProject, tmp_path: Path, key: str, whom: str, number: int
) -> None:
    """SIGKILL leaves a lock that is explained and can be released, and a state that is whole.

    A command that dies alone takes its Terraform along in peace, and no lock stays.
    """
    put_state(sandbox, key, shared_state(sandbox, OLD))
    project = SharedProject(tmp_path / "a", sandbox, SLOW)
    project.keep_in_s3(key)
    project.plan()
    with Driven.command(project.folder, ["apply"], project.environment()) as driven:
        driven.until(lambda: "terraform_data.slow" in driven.screen or begun(project))
        time.sleep(0.1 + 0.4 * number)
        # Found first: one of the two that is left alone for long ends in peace, or says why.
        terraforms = [each for each in driven.descendants() if driven.name_of(each) == "terraform"]
        if whom != "terraform":
            driven.process.kill()
        if whom != "command":
            for process in terraforms:
                process.kill()
        driven.end()
        driven.until(lambda: not driven.descendants_but_shells())
        screen = driven.screen
    assert addresses(shared_state(sandbox, key)) >= BOTH, "the state is lost"
    if whom == "command":
        assert not locked(sandbox, key)
    else:
        told = screen if whom == "terraform" else project.run("plan").err
        assert re.search(r"the state is (still )?locked, held by \S+ \(apply\) since \d{4}-", told)
        assert "runs nowhere any more" in told
        (command,) = re.findall(r"`([^`]*force-unlock[^`]*)`", told)
        subprocess.run(shlex.split(command), env=project.environment(), check=True, timeout=30)
        assert not locked(sandbox, key)
    plan = project.run("plan", "--output", "json")
    assert (plan.status, plan.data["has_changes"]) == (0, True), plan.out + plan.err


def begun(project: SharedProject) -> bool:
    """Whether the slow resource is being made."""
    return any(
        "provision_start" in log.read_text(errors="replace")
        for log in project.plans.glob("*/logs/apply.log")
    )


@pytest.mark.parametrize("how", ["deleted", "emptied"])
def test_a_lost_state_in_the_bucket_is_no_empty_one(
    sandbox: Sandbox, tmp_path: Path, key: str, how: str
) -> None:
    """It is an error for whoever reads it, and the version before comes back as the error says."""
    project, s3 = SharedProject(tmp_path / "p", sandbox), sandbox.client("s3")
    project.keep_in_s3(key)
    project.applied()
    if how == "deleted":
        s3.delete_object(Bucket=BUCKET, Key=key)
    else:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    # The preflight needs no synthesis, no Terraform, and so has to look by itself.
    (project.folder / "terraform.tfvars").write_text(FOR_DOCTOR)
    checked = project.run("doctor", "--quick", "--output", "json")
    (project.folder / "terraform.tfvars").unlink()
    assert (checked.status, checked.error["code"]) == (EXIT_ENGINE, "state_lost"), checked.out
    for words in (["drift"], ["plan"], ["plan", "--destroy"], ["status"], ["output"]):
        ended = project.run(*words, "--output", "json")
        assert (ended.status, ended.error["code"]) == (EXIT_ENGINE, "state_lost"), ended.out
        assert f"{BUCKET}/{key}" in ended.error["message"]
    listing, copy = (
        shlex.split(each) for each in re.findall(r"`aws s3api (.*?)`", ended.error["message"])
    )
    prefix = listing[listing.index("--prefix") + 1]
    versions = s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)["Versions"]
    (good,) = [each["VersionId"] for each in versions if each["Size"] and each["Key"] == key]
    source = copy[copy.index("--copy-source") + 1].replace("versionId=ID", f"versionId={good}")
    assert copy[copy.index("--key") + 1] == key
    s3.copy_object(Bucket=BUCKET, Key=key, CopySource=source)
    assert project.run("drift").status == EXIT_DONE
