"""Signals, closed terminals and kills, in the middle of real work."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from biomodal_deploy.engine.terraform import TerraformCli, read_log
from biomodal_deploy.engine.terraform.events import Event
from biomodal_deploy.engine.toolchain import (
    Terraform,
    cli_config_environment,
    find_provider_source,
    find_terraform,
)
from tests.support import fake_terraform
from tests.support.driven import Driven

pytestmark = pytest.mark.engine

# Many resources make a plan take its time, the provisioners an apply.
MANY = """
resource "terraform_data" "many" {
  count = 200
  input = count.index
}
"""
CONFIGURATION = """
resource "terraform_data" "slow" {
  count = 2
  provisioner "local-exec" {
    command = "sleep 0.6; sleep 0.6"
  }
}
resource "terraform_data" "last" {
  depends_on = [terraform_data.slow]
}
"""
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
SIGNALS = {"int": signal.SIGINT, "term": signal.SIGTERM, "hup": signal.SIGHUP}
# How long each verb takes here, about: the moments are spread over all of it.
SECONDS = {"init": 0.12, "plan": 0.3, "apply": 1.5}
# Two are enough where one of them stopped Terraform in its middle.
TRIES = 12


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


@pytest.mark.parametrize("how", ["int", "term", "hup", "closed terminal"])
@pytest.mark.parametrize("verb", ["init", "plan", "apply"])
def test_a_stop_at_any_moment(tmp_path: Path, verb: str, how: str) -> None:
    """Wherever a stop request falls, Terraform ends by itself and leaves everything in order."""
    moments = random.Random(f"{verb} {how}")
    terminal = how == "closed terminal"
    seconds, stopped = SECONDS[verb], 0
    for number in range(TRIES):
        directory = tmp_path / f"run-{number}"
        configuration = MANY if verb == "plan" else CONFIGURATION
        cli = prepared(directory, verb, configuration, find_terraform())
        with started(cli, verb, terminal=terminal) as driven:
            # Machines differ: where the moments came too early, the next waits for Terraform.
            if number and not stopped:
                driven.until((directory / "run.log").exists)
            time.sleep(moments.uniform(0.02, 0.9) * seconds)
            if terminal:
                driven.hang_up()
            else:
                driven.process.send_signal(SIGNALS[how])
            result = driven.end()
            if result and result["outcome"] == "TerraformStopped":
                assert (result["steps"], result["lock"]) == (["interrupt"], None)
                stopped += 1
            elif result:
                # It came when all was done: said so, or raised again to end the command after.
                assert result["outcome"] == "done"
            else:
                # It came before the engine was called, or after it had ended.
                assert driven.process.returncode != 0
            all_is_well(cli, driven)
        if number and stopped:
            break
        seconds *= 0.8
    assert stopped > 0, "no run was stopped in its middle: the moments are wrong"


def test_what_was_begun_is_told(tmp_path: Path) -> None:
    """A stopped apply names what was made and what was not, in the error and in the log."""
    cli = prepared(tmp_path / "run", "apply", SLOW, find_terraform())
    with started(cli, "apply") as driven:
        driven.until(lambda: driven.said("provision_start"))
        driven.process.send_signal(signal.SIGINT)
        result = driven.end()
        assert result is not None
        assert "so the next plan replaces it: terraform_data.slow." in result["message"]
        assert "The state is not locked." in result["message"]
        logged = read_log(tmp_path / "run" / "run.log")
        assert logged is not None
        assert [one.address for one in logged.run.completed] == ["terraform_data.first"]
        all_is_well(cli, driven)


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
        assert driven.said('"seconds_waited": 1.')
        driven.process.send_signal(signal.SIGINT)
        result = driven.end()
        assert result is not None
        assert result["steps"] == ["interrupt", "terminate", "kill"]
        assert "was killed" in result["message"]
        assert "begun, end unknown: terraform_data.slow" in result["message"]
        driven.none_left(2)


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


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    """Under `nohup` a closed terminal stops nothing."""
    cli = prepared(tmp_path / "run", "apply", CONFIGURATION, find_terraform())
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        driven = started(cli, "apply")
    finally:
        signal.signal(signal.SIGHUP, before)
    with driven:
        driven.until(lambda: driven.said("provision_start"))
        driven.process.send_signal(signal.SIGHUP)
        result = driven.end()
        assert result is not None
        assert result["outcome"] == "done"
        all_is_well(cli, driven)


def test_no_provider_lives_on(tmp_path: Path) -> None:
    """A provider that hangs in a call to AWS goes with Terraform, at the latest with the kill."""
    source = find_provider_source(wanted={"hashicorp/aws": ">= 5.0"})
    if source.kind == "registry":
        pytest.skip("no provider mirror on this machine, and tests stay on loopback")
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
            driven.none_left(2)
