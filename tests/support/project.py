"""The app as its users run it: a child process in a project folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.mirror import kept_settings
from tests.support.processes import run_program

ROOT: Final = Path(__file__).parents[2]
APP: Final = ("main.py", "cdktf.json", "stacks", "constructs", "scripts", "biomodal_deploy")
# A stack of each implementation.
BOTH: Final = {"biomodal-aws": {"bootstrap": "module"}, "native": {"bootstrap": "native"}}


def copy_app(target: Path) -> Path:
    """Copy the app's files to another checkout folder and return it.

    What Python has compiled comes along: times and sizes are kept, so that it is not done again.
    """
    target.mkdir(parents=True)
    # Under such a name another test process may be writing one at this moment.
    half_written = shutil.ignore_patterns("*.pyc.*")
    for name in APP:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=half_written)
        else:
            shutil.copy2(source, target / name)
    return target


def write_stacks(project: Path, stacks: object) -> None:
    """Put stacks into the project's `cdktf.json`."""
    path = project / "cdktf.json"
    document = json.loads(path.read_text())
    document["context"]["stacks"] = stacks
    path.write_text(json.dumps(document, indent=2))


def app_environment(project: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment, less what steers cdktf, with the project's code first."""
    # COLUMNS: the test runner sets 80 for its workers.
    steering = ("CDKTF_", "CI", "SYNTH_", "TF_", "AWS_", "BIOMODAL_", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    # The editable install points at this checkout; a copy has to use its own constructs.
    kept["PYTHONPATH"] = str(project / "constructs")
    kept |= kept_settings()
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return kept | dict(extra or {})


def run_main(
    project: Path, *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `python main.py` of a project and return what came of it."""
    return run_program(
        [sys.executable, str(project / "main.py")],
        cwd=cwd or project,
        env=app_environment(project, env),
        timeout=120,
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def required_version(output: Path, name: str) -> str:
    """Return a synthesized stack's constraint on Terraform's version."""
    text = (output / "stacks" / name / "versions.tf").read_text(encoding="utf-8")
    found = re.fullmatch(r'terraform \{\n  required_version = "(.+)"\n\}\n', text)
    assert found, text
    return found[1]


def stack_json(output: Path, name: str) -> dict[str, Any]:
    """Return a synthesized stack as data."""
    document: dict[str, Any] = json.loads((output / "stacks" / name / "cdk.tf.json").read_bytes())
    return document
