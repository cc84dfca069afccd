"""`kill -9` at any moment of any command: nothing in clear, nobody left, and the way goes on."""

from __future__ import annotations

import copy
import json
import os
import random
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.engine.toolchain.mirror_search import platform_name
from biomodal_deploy.errors import EXIT_GUARD
from tests.support.driven import Driven
from tests.support.light import MODEL, STACK, LightProject

pytestmark = [pytest.mark.engine, pytest.mark.slow]

CANARY: Final = "canary-killed-4b7e"
# A hunt for a moment that goes wrong takes more of them: KILLS=30 pytest tests/engine/test_kills.py
KILLS: Final = int(os.environ.get("KILLS", "4"))
INIT: Final = ("init", "second", "--no-input", "--region", "eu-west-2", "--vpc-id", "vpc-0abc1234")
WORDS: Final[dict[str, Sequence[str]]] = {
    "plan": ("plan",),
    "apply": ("apply",),
    "destroy": ("destroy", "--confirm", STACK),
    "show": ("show", "--format", "html", "--out", "report.html"),
    "lock": ("lock", "--stack", STACK),
    "init": (*INIT, "--subnet-id", "subnet-0abc1234"),
}
# What each starts from, and how it ends where nobody kills it.
BEFORE: Final = {"plan": (), "apply": ("plan",), "destroy": ("plan", "apply"), "show": ("plan",)}
# The mirror has the provider for this platform alone.
STATUS: Final = {"lock": 2}


class Project(LightProject):
    """A project with a secret and a slow resource, and a provider where one is to be locked."""

    def __init__(self, folder: Path, *, provider: bool) -> None:
        model: dict[str, Any] = copy.deepcopy(MODEL)
        if provider:
            model["terraform"] = {"required_providers": {"aws": {"source": "hashicorp/aws"}}}
        model["resource"]["terraform_data"]["slow"] = {
            "depends_on": ["terraform_data.second"],
            "provisioner": [
                {"local-exec": {"command": "sleep 0.7; true"}},
                {"local-exec": {"when": "destroy", "command": "sleep 0.7; true"}},
            ],
        }
        super().__init__(folder, {STACK: model}, {"deployments": {STACK: {}}})
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

    @property
    def state(self) -> Path:
        """The state."""
        return self.folder / "state" / f"{STACK}.tfstate"

    def in_clear(self) -> list[str]:
        """Return what holds the secret and is none of its places: values, state, unused plan."""
        return [
            str(path.relative_to(self.folder))
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and path.parent != self.state.parent
            and path.name != "terraform.tfvars.json"
            and not self._is_of_an_unused_plan(path)
            and (CANARY.encode() in path.read_bytes() or path.suffix == ".tfplan")
        ]

    def _is_of_an_unused_plan(self, path: Path) -> bool:
        files = {each.name for each in path.parent.iterdir()}
        return "manifest.json" in files and "consumed.json" not in files


@dataclass
class Prepared:
    """A project in which a command may start, and how long the command takes."""

    folder: Path
    verb: str
    seconds: float

    def fresh(self, folder: Path) -> Project:
        """Move the prepared project's copy to the one place that its state and plans know."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder, folder, symlinks=True)
        project = Project.__new__(Project)
        project.folder, project.mirror = folder, folder.parent / "mirror"
        return project


@pytest.fixture
def prepared(tmp_path: Path, verb: str) -> Prepared:
    """Bring a project to where the command starts, and run it once to its end."""
    project = Project(tmp_path / "project", provider=verb == "lock")
    for words in BEFORE.get(verb, ()):
        assert project.run(words).status == 0
    if verb in ("lock", "init"):
        assert project.run("synth").status == 0
    kept = Prepared(tmp_path / "kept", verb, 0.0)
    shutil.copytree(project.folder, kept.folder, symlinks=True)
    started = time.monotonic()
    ended = project.run(*WORDS[verb])
    assert ended.status == STATUS.get(verb, 0), ended.out + ended.err
    kept.seconds = time.monotonic() - started
    return kept


@pytest.mark.parametrize("verb", list(WORDS))
def test_killed_at_any_moment(prepared: Prepared, tmp_path: Path, verb: str) -> None:
    """No secret in clear, no process, a readable state; the command as typed finishes the job."""
    seed = random.randrange(1 << 30)
    moments = random.Random(seed)
    for number in range(KILLS):
        project = prepared.fresh(tmp_path / "project")
        delay = moments.uniform(0, prepared.seconds)
        where = f"{verb}, kill {number} after {delay:.3f} s, seed {seed}"
        with Driven.begun(project.folder, WORDS[verb], project.environment()) as driven:
            time.sleep(delay)
            driven.process.kill()
            driven.process.wait()
            # Terraform hears of it, and ends by itself.
            driven.none_left(seconds=60)
        assert project.run("history", "--stack", STACK).status in (0, 64), where
        assert project.in_clear() == [], where
        assert not list(project.folder.rglob("*.draft")), where
        if project.state.exists() and project.state.stat().st_size:
            json.loads(project.state.read_bytes())
        finish(project, verb, where)
        assert project.in_clear() == [], where


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
    # A deployment that was written before the kill came is there already.
    written = verb == "init" and "second" in (project.folder / "cdktf.json").read_text()
    assert ended.status == STATUS.get(verb, 0) or written, where + ended.out + ended.err
    if verb == "init":
        assert (project.folder / "environments/second.tfvars").read_text(), where
