"""A project whose stacks need no provider: real Terraform, sealed plans in a second."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from tests.support import warm
from tests.support.processes import run_program

STACK: Final = "light"
# What would change what the commands do, or how wide they print.
_STEERING: Final = (
    "AWS_",
    "TF_",
    "CDKTF_",
    "BIOMODAL_",
    "CI",
    "COLUMNS",
    "NO_COLOR",
    "FORCE_COLOR",
)

# The app: what cdktf would write, from model.json.
_APP: Final = """
import json, os, pathlib, shutil
here = pathlib.Path(__file__).parent
output = pathlib.Path(os.environ.get("CDKTF_OUTDIR", here / "cdktf.out"))
names = json.loads((here / "model.json").read_text())
for name, model in names.items():
    folder = output / "stacks" / name
    folder.mkdir(parents=True, exist_ok=True)
    local = {"backend": {"local": {"path": f"../../../state/{name}.tfstate"}}}
    model["terraform"] = {**local, **model.get("terraform", {})}
    (folder / "cdk.tf.json").write_text(json.dumps(model, indent=2, sort_keys=True))
stacks = {name: {"name": name, "workingDirectory": f"stacks/{name}"} for name in names}
(output / "manifest.json").write_text(json.dumps({"version": "0.21.0", "stacks": stacks}))
"""

MODEL: Final[dict[str, Any]] = {
    "variable": {
        "word": {"type": "string", "default": "hello"},
        "secret": {"type": "string", "default": "", "sensitive": True},
        "nested": {"type": "map(list(string))", "default": {}, "sensitive": True},
    },
    "resource": {
        "terraform_data": {
            "first": {"input": "${var.word}"},
            "second": {"input": {"secret": "${var.secret}", "nested": "${var.nested}"}},
        }
    },
    "output": {
        "word": {"value": "${terraform_data.first.output}"},
        "hidden": {"value": "${var.secret}", "sensitive": True},
    },
}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed under `--output json`."""
        return json.loads(self.out)["data"]

    @property
    def error(self) -> Any:
        """The error under `--output json`."""
        return json.loads(self.out)["error"]


def command(
    folder: Path, words: Sequence[str], environment: Mapping[str, str], *, timeout: int = 120
) -> Ended:
    """Run one command of `biomodal-aws` in a folder."""
    if warm.can_run(folder, environment):
        done = warm.run(folder, words, environment, timeout)
    else:
        done = run_program(
            [sys.executable, "-m", "biomodal_deploy", *words],
            cwd=folder,
            env=dict(environment),
            timeout=timeout,
        )
    return Ended(done.returncode, done.stdout, done.stderr)


class LightProject:
    """A project in a folder of the test's, and its command line."""

    def __init__(
        self,
        folder: Path,
        models: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "app.py").write_text(_APP)
        (folder / "cdktf.json").write_text(
            json.dumps({"app": "python app.py", "context": context or {}})
        )
        self.model(models or {STACK: MODEL})

    def model(self, models: Mapping[str, Any]) -> None:
        """Change what the app synthesizes."""
        (self.folder / "model.json").write_text(json.dumps(models))

    @property
    def plans(self) -> Path:
        """The folder of the stack's sealed plans."""
        return self.folder / "plans" / STACK

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return an environment without anything of AWS or Terraform, and with its own home."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_STEERING)}
        return {**kept, "HOME": str(self.folder / "home"), **(more or {})}

    def run(self, *words: str, environment: Mapping[str, str] | None = None) -> Ended:
        """Run one command in the project's folder."""
        return command(self.folder, words, self.environment(environment))

    def plan(self, *words: str, environment: Mapping[str, str] | None = None) -> Path:
        """Seal a plan that has changes, and return its folder."""
        ended = self.run("plan", "--output", "json", *words, environment=environment)
        assert ended.status == 0, ended.out + ended.err
        assert ended.data["has_changes"], ended.out
        return Path(ended.data["path"])


@dataclass(frozen=True)
class Prepared:
    """A project to which something was done, put back for each test in the one place it knows."""

    project: LightProject
    kept: Path

    @classmethod
    def of(cls, project: LightProject) -> Self:
        """Keep a project as it is now."""
        kept = project.folder.with_name(f"{project.folder.name}-kept")
        shutil.copytree(project.folder, kept, symlinks=True)
        return cls(project, kept)

    def fresh(self) -> LightProject:
        """Return the project as it was kept, whatever a test has done to it since."""
        shutil.rmtree(self.project.folder)
        shutil.copytree(self.kept, self.project.folder, symlinks=True)
        return self.project
