"""Jobs of the CI templates, run as they stand: the shell of their steps, in a fresh clone.

What a forge does itself is done here by hand, since no forge can run here: checking out, handing
artifacts on, filling in `${{ }}`. `make setup` stands in for itself by the environment that runs
the tests: a set-up takes two minutes, and is tried by whoever runs these tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from tests.support.git import git
from tests.support.mirror import kept_settings
from tests.support.project import ROOT

Document = dict[str, Any]

_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN: Final = re.compile(r"'[^']*'|\|\||&&|==|!=|!|[()]|cancelled\(\)|[A-Za-z_][\w.-]*")
_PASSED_ON: Final = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "GOGC",
    "GOMEMLIMIT",
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT",
)


def read_template(name: str) -> Document:
    """Return a template of ci/ as data."""
    text = (ROOT / "ci" / name).read_text(encoding="utf-8")
    document: Document = yaml.load(text, Loader=_Loader)
    return document


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML without its `on` that means true."""


_Loader.yaml_implicit_resolvers = {
    letter: [each for each in resolvers if each[0] != "tag:yaml.org,2002:bool"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


@dataclass
class Machine:
    """What a job runs on: an empty home, a clone, and nothing of ours but the tools."""

    folder: Path  # for the home, and what the runner keeps
    clone: Path  # the working copy
    credentials: Mapping[str, str]  # what a role's credentials put into the environment
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the home and a `make` that says what it stands for."""
        (self.folder / "home").mkdir(parents=True)
        tools = self.folder / "tools"
        tools.mkdir()
        (tools / "make").write_text('#!/bin/sh\n[ "$*" = setup ] && echo "make: set up already"\n')
        (tools / "make").chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return the job's environment, without credentials."""
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        kept |= kept_settings()
        kept["PATH"] = os.pathsep.join(
            [str(self.folder / "tools"), str(Path(sys.executable).parent), kept["PATH"]]
        )
        return {
            **kept,
            "HOME": str(self.folder / "home"),
            # The first machine fills it; those that follow find the bindings cut to size.
            "XDG_CACHE_HOME": str(self.folder.parent / "cache"),
            "CI": "true",
            "NO_PROXY": "127.0.0.1",
            # The editable install points at this checkout; the clone runs its own code.
            "PYTHONPATH": os.pathsep.join([str(self.clone), str(self.clone / "constructs")]),
            **self.variables,
        }

    def shell(self, script: str, environment: Mapping[str, str], *options: str) -> Ran:
        """Run a script as a forge does: written to a file, and stopped at the first failure."""
        path = self.folder / "step.sh"
        path.write_text(script)
        done = subprocess.run(
            ["bash", *options, str(path)],
            cwd=self.clone,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        return Ran(done.returncode, done.stdout)


@dataclass(frozen=True)
class Ran:
    """How a script ended, and all that it printed."""

    status: int
    log: str


@dataclass
class GitHubJob:
    """One job of a workflow of GitHub's."""

    workflow: Document  # the template
    name: str  # the job
    machine: Machine  # where it runs
    origin: Path  # what is checked out
    artifacts: Path  # where artifacts lie, a folder each
    context: dict[str, Any]  # what expressions see: `github.sha`, `inputs.stack` and the like
    log: str = ""

    @property
    def job(self) -> Document:
        """It as data."""
        found: Document = self.workflow["jobs"][self.name]
        return found

    def is_run(self) -> bool:
        """Whether its condition lets it run."""
        return bool(self.value(self.job["if"]))

    def run(self) -> int:
        """Run the steps in order, and return the status of the first that fails."""
        status = 0
        files = {each: self.machine.folder / each for each in ("output", "path", "summary")}
        for path in files.values():
            path.write_text("")
        role = False
        for step in self.job["steps"]:
            condition = str(step.get("if", "")).strip()
            if status and condition != "${{ !cancelled() }}":
                continue
            if "uses" in step:
                action = step["uses"].partition("@")[0].rpartition("/")[2]
                with_ = {name: self.fill(value) for name, value in step.get("with", {}).items()}
                role |= action == "configure-aws-credentials"
                if action == "configure-aws-credentials":
                    assert self.job["permissions"]["id-token"] == "write"
                    assert with_["role-to-assume"]
                    assert with_["aws-region"]
                getattr(self, f"_{action.replace('-', '_')}", lambda _: None)(with_)
                continue
            environment = {
                **self.machine.environment(),
                **{name: self.fill(value) for name, value in self.job.get("env", {}).items()},
                **{name: self.fill(value) for name, value in step.get("env", {}).items()},
                **(self.machine.credentials if role else {}),
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_PATH": str(files["path"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
            }
            assert "${{" not in step["run"], "what others wrote would become shell"
            ran = self.machine.shell(step["run"], environment, "-e")
            self.log += ran.log
            status = ran.status
            if "id" in step:
                pairs = [line.split("=", 1) for line in files["output"].read_text().splitlines()]
                self.context |= {f"steps.{step['id']}.outputs.{key}": value for key, value in pairs}
        return status

    def fill(self, text: object) -> str:
        """Fill in the expressions of a text."""
        return _EXPRESSION.sub(lambda found: str(self.value(found[1]) or ""), str(text))

    def value(self, expression: str) -> Any:
        """Return the value of an expression."""
        words = _TOKEN.findall(expression.strip().removeprefix("${{").removesuffix("}}"))
        return eval(" ".join(map(self._python, words)), {"context": self.context})

    def _python(self, word: str) -> str:
        known = {"&&": "and", "||": "or", "!": "not", "cancelled()": "False"}
        if word in known or word in {"==", "!=", "(", ")"} or word[0] == "'":
            return known.get(word, word)
        # An unknown name is empty on GitHub, and a slip here.
        assert word in self.context, f"no context for {word}"
        return f"context[{word!r}]"

    def _checkout(self, with_: Mapping[str, str]) -> None:
        assert with_["persist-credentials"] == "False"
        clone_at(self.origin, self.machine.clone, with_.get("ref") or self.context["github.sha"])

    def _upload_artifact(self, with_: Mapping[str, str]) -> None:
        paths = [self.machine.clone / line.strip() for line in with_["path"].splitlines()]
        found = [path for path in paths if path.exists()]
        assert int(with_["retention-days"]) <= 14
        if found:
            target = self.artifacts / with_["name"]
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for path in found:
                # An artifact keeps no modes.
                (target / path.name).write_bytes(path.read_bytes())

    def _download_artifact(self, with_: Mapping[str, str]) -> None:
        target = self.machine.clone / with_["path"]
        if "name" in with_:
            shutil.copytree(self.artifacts / with_["name"], target, dirs_exist_ok=True)
        for each in self.artifacts.glob(with_.get("pattern", "")) if "pattern" in with_ else ():
            shutil.copytree(each, target / each.name, dirs_exist_ok=True)


@dataclass
class GitLabJob:
    """One job of GitLab's pipeline."""

    pipeline: Document  # the template
    name: str  # the job
    machine: Machine  # where it runs; its variables are those of GitLab and of the environment

    @property
    def job(self) -> Document:
        """It as data, with all that it extends."""
        return self._extended(self.name)

    def run(self, **more: str) -> Ran:
        """Run its script, after what goes before it."""
        job = self.job
        own = {**self.pipeline["variables"], **job.get("variables", {})}
        role = self.machine.credentials if "id_tokens" in job else {}
        script = "\n".join([*job.get("before_script", []), *job["script"]])
        environment = {**self.machine.environment(), **own, **role, **more}
        # As the runner's own shell: a line that fails ends it.
        return self.machine.shell(script, environment, "-eo", "pipefail")

    def artifacts(self, stack: str, target: Path) -> dict[str, str]:
        """Copy what it keeps into another clone; return the variables that it hands on."""
        kept = self.job["artifacts"]
        for pattern in kept["paths"]:
            name = pattern.replace("$STACK", stack)
            source = self.machine.clone / name
            if source.exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (target / name).write_bytes(source.read_bytes())
        dotenv = self.machine.clone / kept["reports"]["dotenv"].replace("$STACK", stack)
        return dict(line.split("=", 1) for line in dotenv.read_text().splitlines())

    def _extended(self, name: str) -> Document:
        job = dict(self.pipeline[name])
        base = self._extended(job["extends"]) if "extends" in job else {}
        return {**base, **job}


def clone_at(origin: Path, target: Path, ref: str) -> None:
    """Clone a repository, and check a commit out."""
    if target.exists():
        # As the action does in a working copy that it finds, but for what the app synthesized.
        git(target, "clean", "-ffdqx", "--exclude=/cdktf.out")
        git(target, "fetch", "--quiet", "origin")
    else:
        git(origin.parent, "clone", "--quiet", "--no-checkout", str(origin), str(target))
    git(target, "checkout", "--quiet", "--detach", ref)
