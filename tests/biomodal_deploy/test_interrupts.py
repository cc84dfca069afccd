"""Signals and kills in the middle of Terraform's work.

A stop at any moment, by each signal and a closed terminal, is in cli/test_interrupts.py.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from biomodal_deploy.engine.terraform import TerraformCli, read_log
from biomodal_deploy.engine.terraform.events import Event
from biomodal_deploy.engine.toolchain import Terraform, cli_config_environment, find_terraform
from tests.support import fake_terraform
from tests.support.driven import Driven
from tests.support.terraform import require_provider

pytestmark = pytest.mark.engine

SLOW = """
resource "terraform_data" "first" {}
resource "terraform_data" "slow" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" {
    command = "sleep 20; true"
  }
}
"""
AWS = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region     = "us-east-1"
  access_key = "testing"
  secret_key = "testing"
}
data "aws_caller_identity" "me" {}
"""


def ignore(_: Event) -> None:
    """Take no notice."""


def environment() -> dict[str, str]:
    """Return this environment without what steers Terraform or AWS."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TF_", "AWS_", "BIOMODAL_"))
    }


def prepared(
    directory: Path,
    verb: str,
    configuration: str,
    binary: Terraform,
    variables: Mapping[str, str] | None = None,
) -> TerraformCli:
    """Do what has to be done before a verb, and return Terraform there."""
    directory.mkdir()
    (directory / "main.tf").write_text(configuration)
    cli = TerraformCli(binary, directory, environment=environment() | dict(variables or {}))
    before = directory / "before.log"
    if verb != "init":
        cli.init(ignore, before)
    if verb == "apply":
        cli.plan(directory / "p.tfplan", ignore, before)
    return cli


def faked(directory: Path, mode: str) -> TerraformCli:
    """Return the stand-in for a Terraform that misbehaves."""
    program = ("env", f"FAKE_MODE={mode}", sys.executable, fake_terraform.__file__)
    binary = Terraform(program, "1.11.4", "setting", "a stand-in")
    return TerraformCli(binary, directory, environment=environment())


def started(
    cli: TerraformCli,
    verb: str,
    variables: Mapping[str, str] | None = None,
    *,
    terminal: bool = False,
) -> Driven:
    """Start a verb in a command of its own."""
    more = environment() | dict(variables or {})
    return Driven.start(cli.directory, verb, cli.binary.argv_prefix, more, terminal=terminal)


def all_is_well(cli: TerraformCli, driven: Driven) -> None:
    """Nothing runs, nothing is locked, the state can be read, and the next plan works."""
    driven.none_left()
    assert cli.lock() is None
    log = driven.directory / "after.log"
    cli.init(ignore, log)
    cli.state_pull()
    cli.plan(driven.directory / "after.tfplan", ignore, log)


def test_the_embedded_terraform_stops_as_well(tmp_path: Path) -> None:
    """The Terraform that pip brings ends at the first signal too, and lets its lock go."""
    cli = prepared(tmp_path / "run", "apply", SLOW, find_terraform("embedded"))
    with started(cli, "apply") as driven:
        driven.until(lambda: driven.said("provision_start"))
        driven.process.send_signal(signal.SIGTERM)
        result = driven.end()
        assert result is not None
        assert (result["outcome"], result["steps"]) == ("TerraformStopped", ["interrupt"])
        all_is_well(cli, driven)


@pytest.mark.parametrize("which", [None, "embedded"])
def test_a_killed_command_does_not_leave_terraform(tmp_path: Path, which: str | None) -> None:
    """After SIGKILL of the command Terraform stops by itself, saves the state and unlocks it.

    It prints while it stops, to a pipe that nobody reads any more; that must not end it.
    """
    cli = prepared(tmp_path / "run", "apply", SLOW, find_terraform(which))
    log = tmp_path / "run" / "run.log"
    with started(cli, "apply") as driven:
        driven.until(lambda: driven.said("provision_start"))
        assert (logged := read_log(log)) is not None
        assert (logged.status, logged.running) == (None, True)
        driven.process.kill()
        assert driven.end() is None
        driven.until(lambda: not driven.descendants_but_shells())
        # A process that is just ending shows no descendant any more, and still holds the log.
        driven.until(lambda: (found := read_log(log)) is not None and not found.running)
        assert not list((tmp_path / "run").glob("*.lock.info")), "it was not unlocked"
        assert (logged := read_log(log)) is not None
        assert (logged.verb, logged.status, logged.running) == ("apply", None, False)
        assert [one.address for one in logged.run.completed] == ["terraform_data.first"]
        assert [one.address for one in logged.run.in_progress] == ["terraform_data.slow"]
        made = cli.plan(tmp_path / "run" / "next", ignore, tmp_path / "run" / "next.log")
        assert made.summary.remove == 1, "the state does not know of what was begun"
        for process in driven.descendants():
            process.kill()
        all_is_well(cli, driven)


def test_the_stop_sequence(tmp_path: Path) -> None:
    """Whoever does not listen is interrupted, terminated, then killed with all it started."""
    with started(faked(tmp_path, "deaf"), "apply") as driven:
        driven.until(lambda: driven.said("apply_start"))
        for step, heard in (("interrupt", "got 2"), ("terminate", "got 15")):
            driven.process.send_signal(signal.SIGINT)
            driven.until(lambda heard=heard: driven.said(heard))  # type: ignore[misc]
            assert driven.said(f'"step": "{step}"')
            assert driven.process.poll() is None
            time.sleep(1.1)
        log = (driven.directory / "run.log").read_text()
        assert max(map(float, re.findall(r'"seconds_waited": ([\d.]+)', log))) >= 1
        driven.process.send_signal(signal.SIGINT)
        result = driven.end()
        assert result is not None
        assert result["steps"] == ["interrupt", "terminate", "kill"]
        assert "was killed" in result["message"]
        assert "begun, end unknown: terraform_data.slow" in result["message"]
        driven.none_left()


def test_one_wish_is_one_step(tmp_path: Path) -> None:
    """Signals in one burst, as `timeout` and terminals send them, do not make Terraform give up."""
    with started(faked(tmp_path, "interrupted"), "apply") as driven:
        driven.until(lambda: driven.said("apply_start"))
        for signum in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            driven.process.send_signal(signum)
            time.sleep(0.1)
        result = driven.end()
        assert result is not None
        assert result["steps"] == ["interrupt"]


def test_a_finished_apply_is_done(tmp_path: Path) -> None:
    """An apply that was complete when the stop request came is no failure, and says so."""
    with started(faked(tmp_path, "finishing"), "apply") as driven:
        driven.until(lambda: driven.said("apply_start"))
        driven.process.send_signal(signal.SIGTERM)
        assert driven.end() == {"outcome": "done", "interrupted": True}


def test_no_provider_lives_on(tmp_path: Path) -> None:
    """A provider that hangs in a call to AWS goes with Terraform, at the latest with the kill."""
    source = require_provider()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {
            **cli_config_environment(tmp_path / "cli", source),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
        }
        cli = prepared(tmp_path / "run", "plan", AWS, find_terraform(), variables)
        with started(cli, "plan", variables) as driven:
            driven.until(lambda: any("provider" in one.name() for one in driven.descendants()))
            silent.settimeout(20)
            silent.accept()  # the provider has asked, and gets no answer
            for _ in range(3):
                if driven.process.poll() is None:
                    driven.process.send_signal(signal.SIGTERM)
                    time.sleep(1.1)
            result = driven.end()
            assert result is not None
            assert result["outcome"] == "TerraformStopped"
            driven.none_left()
