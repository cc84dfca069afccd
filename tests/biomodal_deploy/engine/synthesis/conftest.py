"""A small app of one's own: plain Python that writes what cdktf would."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from biomodal_deploy.engine.synthesis import Synthesis, synthesize

MAIN = """
import json, os, pathlib, shutil, sys
sys.path.append("constructs")
from parts import PART
out = pathlib.Path(os.environ.get("CDKTF_OUTDIR", "cdktf.out"))
stack = out / "stacks" / "one"
(stack / "assets" / "script").mkdir(parents=True, exist_ok=True)
shutil.copy("scripts/script.sh", stack / "assets" / "script" / "script.sh")
text = json.dumps({"resource": {"kind": {"name": {"part": PART}}}})
(stack / "cdk.tf.json").write_text(text)
manifest = {"stacks": {"one": {"name": "one", "workingDirectory": "stacks/one"}}}
(out / "manifest.json").write_text(json.dumps(manifest))
print("made with", PART)
"""


@dataclass
class Project:
    """A project with an app, and a user who synthesizes it."""

    folder: Path
    environment: dict[str, str]

    @property
    def output(self) -> Path:
        """What synthesis writes to."""
        return self.folder / "cdktf.out"

    def synthesize(self, *, on_line: Callable[[str], None] | None = None) -> Synthesis:
        """Synthesize it."""
        return synthesize(self.folder, on_line=on_line, environment=self.environment)

    def append(self, path: str, text: str) -> None:
        """Add to one of its files."""
        with (self.folder / path).open("a") as file:
            file.write(text)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Write the project."""
    folder = tmp_path / "project"
    files = {
        "cdktf.json": '{"language": "python", "app": "python main.py", "context": {}}',
        "constructs/parts.py": "PART = 'a'\n",
        "main.py": MAIN,
        "scripts/script.sh": "#!/bin/sh\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    environment = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    return Project(folder, environment)
