"""A stack that needs no provider, with a secret in it, and Terraform for it; and an empty one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biomodal_deploy.config.settings import ProjectFile
from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.engine.terraform.events import Event, spellings
from biomodal_deploy.engine.toolchain import Terraform
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack

# Quotes, what Go escapes in JSON, and a second line: every way of printing it differs.
CANARY = 'canary "quoted" <&> 4711\nsecond line of it'
CONFIGURATION = """
variable "secret" { type = string }
resource "terraform_data" "echo" {
  input = var.secret
  provisioner "local-exec" {
    command     = "echo $SAID"
    environment = { SAID = var.secret }
  }
}
resource "terraform_data" "last" { depends_on = [terraform_data.echo] }
output "secret" {
  value     = var.secret
  sensitive = true
}
output "list" { value = ["a", 1] }
"""


def write_small_stack(directory: Path) -> None:
    """Write it, and its values, into a new directory."""
    directory.mkdir()
    (directory / "main.tf").write_text(CONFIGURATION)
    values = directory / "values.tfvars.json"
    values.touch(0o600)
    values.write_text(json.dumps({"secret": CANARY}))


def slow(name: str, command: str) -> str:
    """Return a resource that takes a command's time."""
    return f"""resource "terraform_data" "{name}" {{
  provisioner "local-exec" {{
    command = "{command}"
  }}
}}
"""


@contextmanager
def held_by_a_process(state: Path) -> Iterator[int]:
    """Have another process hold the lock of a local state; gives its number."""
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(state)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder.pid


def ignore(_: Event) -> None:
    """Take no notice."""


def mask(text: str) -> str:
    """Mask the canary as the workflow does."""
    for spelling in sorted(spellings(CANARY), key=len, reverse=True):
        text = text.replace(spelling, "(sensitive)")
    return text


def engine(binary: Terraform, directory: Path, **more: str) -> TerraformCli:
    """Return Terraform for a stack."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TF_", "AWS_", "BIOMODAL_"))
    }
    return TerraformCli(binary, directory, environment=environment | more, redact=mask)


def stack_in(folder: Path, **environment: str) -> Stack:
    """Return a stack with a directory and nothing in it."""
    location = Location(
        project_dir=folder, project_file=ProjectFile(app="x"), stacks={}, environment=environment
    )
    directory = folder / "cdktf.out" / "stacks" / "x"
    directory.mkdir(parents=True)
    return Stack(location=location, name="x", directory=directory)
