"""`kill -9` at any moment of any command: nothing in clear, nobody left, and the way goes on."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.config.backends import stack_of
from biomodal_deploy.engine.toolchain import find_provider_source
from biomodal_deploy.engine.toolchain.mirror_search import platform_name
from biomodal_deploy.errors import EXIT_GUARD
from biomodal_deploy.sandbox import Sandbox
from tests.support.driven import Driven
from tests.support.examples import TIMES
from tests.support.light import MODEL, STACK, Ended, LightProject, command
from tests.support.shared_state import (
    BUCKET,
    SharedProject,
    locked,
    make_bucket,
    remove_bucket,
    shared_state,
)

pytestmark = [pytest.mark.engine, pytest.mark.slow]

CANARY: Final = "canary-killed-4b7e"
# A hunt for a moment that goes wrong takes more of them: KILLS=30 pytest tests/engine/test_kills.py
KILLS: Final = int(os.environ.get("KILLS", "2"))
INIT: Final = ("init", "second", "--no-input", "--region", "eu-west-2", "--vpc-id", "vpc-0abc1234")
WORDS: Final[dict[str, Sequence[str]]] = {
    "plan": ("plan",),
    "apply": ("apply",),
    "destroy": ("destroy", "--confirm", STACK),
    "show": ("show", "--format", "html", "--out", "report.html"),
    "lock": ("lock", "--stack", STACK),
    "init": (*INIT, "--subnet-id", "subnet-0abc1234"),
    "migrate": ("backend", "migrate"),
    "create": ("backend", "create", "--yes"),
}
# What each starts from, and how it ends where nobody kills it.
BEFORE: Final = {
    "apply": ("plan",),
    "destroy": ("plan", "apply"),
    "show": ("plan",),
    "migrate": ("plan", "apply"),
}
# The mirror has the provider for this platform alone.
STATUS: Final = {"lock": 2}


def slow_model() -> dict[str, Any]:
    """Return what the app synthesizes: secrets, and a resource that takes its time."""
    model: dict[str, Any] = copy.deepcopy(MODEL)
    model["resource"]["terraform_data"]["slow"] = {
        "depends_on": ["terraform_data.second"],
        "provisioner": [
            {"local-exec": {"command": "sleep 0.7; true"}},
            {"local-exec": {"when": "destroy", "command": "sleep 0.7; true"}},
        ],
    }
    return model


class Project(LightProject):
    """A project in which a command is killed."""

    # Whose history and plans the command writes.
    stack = STACK

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
        """Run one command, however long the machine takes for it."""
        return command(self.folder, words, self.environment(environment), timeout=900)

    def begin(self) -> None:
        """Bring it to where the command starts, as far as its folder does not say."""

    def finished(self) -> None:
        """Fail where the job is not done."""


class Local(Project):
    """A project with a secret and a slow resource, and a provider where one is to be locked."""

    def __init__(self, folder: Path, *, provider: bool) -> None:
        model = slow_model()
        if provider:
            model["terraform"] = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
        super().__init__(folder, {STACK: model}, {"stacks": {STACK: {}}})
        (folder / "terraform.tfvars.json").write_text(json.dumps({"secret": CANARY}))
        platform = folder.parent / "mirror/registry.terraform.io/hashicorp/aws/5.100.0"
        (platform / platform_name()).mkdir(parents=True)
        program = platform / platform_name() / "terraform-provider-aws_v5.100.0_x5"
        program.write_text("no provider")
        program.chmod(0o755)
        self.mirror = folder.parent / "mirror"

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment with the provider's mirror."""
        return super().environment({"BIOMODAL_PROVIDER_MIRROR": str(self.mirror), **(more or {})})


class Migrating(SharedProject, Project):
    """A project whose applied state is to move into the sandbox's bucket."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        super().__init__(folder, sandbox, slow_model())
        (folder / "terraform.tfvars.json").write_text(json.dumps({"secret": CANARY}))

    def begin(self) -> None:
        """Start with an empty bucket."""
        remove_bucket(self.sandbox)
        make_bucket(self.sandbox)
        self.keep_in_s3()

    def finished(self) -> None:
        """The state lies in the bucket, whole, and nowhere else."""
        assert len(shared_state(self.sandbox)["resources"]) == 3
        assert not self.local_state.exists()
        assert not locked(self.sandbox)


class Creating(Migrating):
    """A project that names a bucket which is not there yet; its stack is small, and real."""

    stack = stack_of(BUCKET)

    def begin(self) -> None:
        """Start without a bucket."""
        remove_bucket(self.sandbox)
        self.keep_in_s3()
        path = self.folder / "model.json"
        bucket: dict[str, Any] = {
            "terraform": {
                "required_providers": {"aws": {"source": "hashicorp/aws", "version": "~> 5.100"}}
            },
            "provider": {"aws": {"region": self.sandbox.region, "s3_use_path_style": True}},
            "resource": {
                "aws_s3_bucket": {"states": {"bucket": BUCKET}},
                "aws_s3_bucket_versioning": {
                    "states": {
                        "bucket": "${aws_s3_bucket.states.id}",
                        "versioning_configuration": {"status": "Enabled"},
                    }
                },
            },
        }
        self.model({**json.loads(path.read_text()), self.stack: bucket})

    def finished(self) -> None:
        """The bucket is there, with former versions, and its state says so."""
        answer = self.sandbox.client("s3").get_bucket_versioning(Bucket=BUCKET)
        assert answer.get("Status") == "Enabled"
        state = json.loads((self.folder / f"state/{self.stack}.tfstate").read_bytes())
        assert {each["type"] for each in state["resources"]} == {
            "aws_s3_bucket",
            "aws_s3_bucket_versioning",
        }


def in_clear(folder: Path) -> list[str]:
    """Return what holds the secret and is none of its places: values, state, unused plan."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not path.is_relative_to(folder / "state")
        and path.name != "terraform.tfvars.json"
        and not _is_of_an_unused_plan(path)
        and (CANARY.encode() in path.read_bytes() or path.suffix == ".tfplan")
    ]


def _is_of_an_unused_plan(path: Path) -> bool:
    files = {each.name for each in path.parent.iterdir()}
    return "manifest.json" in files and "consumed.json" not in files


@dataclass
class Prepared:
    """A project in which a command may start, and how long the command takes."""

    project: Project
    kept: Path
    seconds: float = 0.0

    def fresh(self) -> Project:
        """Put the prepared files back, in the one place that their state and plans know."""
        shutil.rmtree(self.project.folder, ignore_errors=True)
        shutil.copytree(self.kept, self.project.folder, symlinks=True)
        self.project.begin()
        return self.project


@pytest.fixture
def prepared(tmp_path: Path, verb: str) -> Iterator[Prepared]:
    """Bring a project to where the command starts, and run it once to its end."""
    folder = tmp_path / "project"
    with ExitStack() as opened:
        if verb in ("migrate", "create"):
            sandbox = opened.enter_context(Sandbox.start(tmp_path))
            project: Project = (Migrating if verb == "migrate" else Creating)(folder, sandbox)
        else:
            project = Local(folder, provider=verb == "lock")
        if verb == "create" and find_provider_source().kind == "registry":
            pytest.skip("no AWS provider on this machine")
        for words in BEFORE.get(verb, ()):
            assert project.run(words).status in (0, 2)
        if verb in ("lock", "init"):
            assert project.run("synth").status == 0
        made = Prepared(project, tmp_path / "kept")
        shutil.copytree(folder, made.kept, symlinks=True)
        made.fresh()
        started = time.monotonic()
        # As the runs that are killed: their start is part of the time.
        with Driven.begun(project.folder, WORDS[verb], project.environment()) as whole:
            status = whole.process.wait(timeout=900)
        made.seconds = time.monotonic() - started
        assert status == STATUS.get(verb, 0), whole.screen
        project.finished()
        yield made


@pytest.mark.parametrize("verb", list(WORDS))
def test_killed_at_any_moment(prepared: Prepared, verb: str) -> None:
    """No secret in clear, no process, a readable state; the command as typed finishes the job."""
    seed = random.randrange(1 << 30) if TIMES else 0
    moments = random.Random(f"{verb} {seed}")
    for number in range(KILLS):
        project = prepared.fresh()
        delay = moments.uniform(0, prepared.seconds)
        where = f"{verb}, kill {number} after {delay:.3f} s, seed {seed}"
        with Driven.begun(project.folder, WORDS[verb], project.environment()) as driven:
            time.sleep(delay)
            driven.process.kill()
            driven.process.wait()
            # Terraform hears of it, and ends by itself.
            driven.none_left(seconds=60)
        assert left_by_the_next_command(project) == [], where
        assert not list(project.folder.rglob("*.draft")), where
        for state in project.folder.glob("state/*.tfstate"):
            assert not state.stat().st_size or json.loads(state.read_bytes()), where
        finish(project, verb, where)
        project.finished()
        assert in_clear(project.folder) == [], where


def left_by_the_next_command(project: Project) -> list[str]:
    """Return what is in clear still once the next command has cleared up.

    A process that ends keeps its locks for a moment after its environment, by which it is found:
    what it worked with is left alone until then.
    """
    for pause in (0, 2):
        time.sleep(pause)
        assert project.run("history", "--stack", project.stack).status in (0, 64)
        if not (left := in_clear(project.folder)):
            break
    return left


def finish(project: Project, verb: str, where: str) -> None:
    """Type the command once more; only an apply that had begun needs another plan first."""
    ended = project.run(*WORDS[verb])
    if verb == "apply" and ended.status == 4:
        # Used by the apply that was killed: what it had done is in the state.
        assert "lan again" in ended.err or "biomodal-aws plan" in ended.err, where + ended.err
        assert project.run("plan").status == 0, where
        ended = project.run("apply")
        if ended.status == EXIT_GUARD:
            # What was being created when the kill came is tainted: replacing it is asked for.
            assert "terraform_data.slow" in ended.err, where + ended.err
            assert "tainted" in ended.err, where + ended.err
            ended = project.run("apply", "--confirm", STACK)
        assert ended.status == 0 or "no unused plan" in ended.err, where + ended.err
        return
    if verb == "create" and ended.status == EXIT_GUARD:
        # As above: what a creation cut short left damaged is replaced once somebody says so.
        assert "tainted" in ended.err, where + ended.err
        ended = project.run(*WORDS[verb], "--confirm", project.stack)
    # A stack that was written before the kill came is there already.
    written = verb == "init" and "second" in (project.folder / "cdktf.json").read_text()
    assert ended.status == STATUS.get(verb, 0) or written, where + ended.out + ended.err
    if verb == "init":
        assert (project.folder / "environments/second.tfvars").read_text(), where
