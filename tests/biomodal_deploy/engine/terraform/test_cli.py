"""The engine on the real Terraform: what it returns, and what it writes."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from biomodal_deploy.engine.terraform import TerraformCli, TerraformFailed, TerraformStopped
from biomodal_deploy.engine.terraform.events import (
    ApplyEvent,
    Event,
    LogEvent,
    ProvisionEvent,
    TextLine,
)
from biomodal_deploy.engine.toolchain import Terraform, find_terraform
from biomodal_deploy.engine.toolchain.terraform_binary import Product
from tests.support.small_stack import CANARY, engine, ignore, slow

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=["path", "embedded"])
def binary(request: pytest.FixtureRequest) -> Terraform:
    """Return Terraform as an executable, and as the shared library that pip brings."""
    return find_terraform("embedded" if request.param == "embedded" else None)


def test_the_whole_way(binary: Terraform, stack: Path) -> None:
    """Init, validate, plan, show, apply, output and destroy return typed results."""
    cli = engine(binary, stack)
    log, plan, values = stack / "logs" / "run.log", stack / "p.tfplan", stack / "values.tfvars.json"
    assert cli.version().version == binary.version
    cli.init(ignore, log)
    assert cli.validate().valid
    assert cli.state_pull() is None
    assert cli.state_content() == cli.state_content(to_plan=True) == b""
    assert cli.output() == {}
    made = cli.plan(plan, ignore, log, var_files=[values])
    assert (made.has_changes, made.summary.add, made.summary.total) == (True, 2, 2)
    assert json.loads(cli.show_plan(plan))["variables"]["secret"]["value"] == CANARY
    applied = cli.apply(plan, ignore, log)
    assert [one.address for one in applied.completed] == [
        "terraform_data.echo",
        "terraform_data.last",
    ]
    assert applied.completed[0].id
    assert (applied.failed, applied.in_progress, applied.interrupted) == ((), (), False)
    assert applied.summary is not None
    assert applied.summary.add == 2
    outputs = cli.output()
    assert (outputs["secret"].value, outputs["secret"].sensitive) == (CANARY, True)
    assert outputs["list"].value == ["a", 1]
    header = cli.state_pull()
    assert header is not None
    assert (header.serial > 0, header.terraform_version) == (True, binary.version)
    assert cli.lock() is None
    again = cli.plan(plan, ignore, log, var_files=[values])
    assert (again.has_changes, again.summary.total) == (False, 0)
    refresh = cli.plan(plan, ignore, log, var_files=[values], refresh_only=True)
    assert not refresh.has_changes
    gone = cli.plan(plan, ignore, log, var_files=[values], destroy=True)
    assert (gone.has_changes, gone.summary.remove) == (True, 2)
    assert len(cli.apply(plan, ignore, log).completed) == 2


def test_no_secret_is_shown_logged_or_readable(binary: Terraform, stack: Path) -> None:
    """A value that a provisioner prints reaches neither log, event nor representation."""
    cli = engine(binary, stack)
    log, plan = stack / "run.log", stack / "p.tfplan"
    events: list[Event] = []
    cli.init(events.append, log)
    cli.plan(plan, events.append, log, var_files=[stack / "values.tfvars.json"])
    cli.apply(plan, events.append, log)
    printed = [event for event in events if isinstance(event, ProvisionEvent)]
    assert any("(sensitive)" in event.message for event in printed)
    outputs = cli.output()
    everything = log.read_text() + repr(events) + repr(outputs)
    for part in ("4711", "second line of it"):
        assert part not in everything
    for path in (log, plan, stack / "terraform.tfstate"):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_events_come_as_they_happen(stack: Path) -> None:
    """An event is there while Terraform still works, not when it is done."""
    (stack / "main.tf").write_text(slow("slow", "sleep 1"))
    (stack / "values.tfvars.json").unlink()
    cli = engine(find_terraform(), stack)
    cli.init(ignore, stack / "log")
    cli.plan(stack / "p", ignore, stack / "log")
    moments: dict[str, float] = {}

    def on_event(event: Event) -> None:
        if isinstance(event, ApplyEvent):
            moments[event.type] = time.monotonic()

    cli.apply(stack / "p", on_event, stack / "log")
    assert moments["apply_complete"] - moments["apply_start"] > 0.9


def test_the_callers_environment_changes_nothing(stack: Path) -> None:
    """Extra arguments, values and another workspace in the environment are not obeyed."""
    theirs = {
        "TF_CLI_ARGS_plan": "-destroy",
        "TF_LOG": "TRACE",
        "TF_VAR_secret": "from the environment",
        "TF_WORKSPACE": "elsewhere",
    }
    cli = engine(find_terraform(), stack, **theirs)
    assert cli.dropped == tuple(theirs)
    log = stack / "log"
    cli.init(ignore, log)
    made = cli.plan(stack / "p", ignore, log, var_files=[stack / "values.tfvars.json"])
    assert made.summary.add == 2
    assert not (stack / "terraform.tfstate.d").exists()
    with pytest.raises(TerraformFailed) as failed:
        cli.plan(stack / "p", ignore, log)
    assert failed.value.code == "missing_variable"


def test_a_workspace_that_is_not_there_yet(stack: Path) -> None:
    """The sealed workspace is used from the first init on, and the default one stays empty."""
    cli = TerraformCli(find_terraform(), stack, environment=os.environ, workspace="dev")
    log = stack / "log"
    cli.init(ignore, log)
    cli.plan(stack / "p", ignore, log, var_files=[stack / "values.tfvars.json"])
    cli.apply(stack / "p", ignore, log)
    assert cli.state_pull() is not None
    assert engine(find_terraform(), stack).state_pull() is None


@pytest.mark.parametrize(
    ("version", "product", "speaks"),
    [("1.11.4", "terraform", True), ("1.8.5", "terraform", False), ("1.9.0", "tofu", False)],
)
def test_init_speaks_json_where_it_can(
    stack: Path, version: str, product: Product, speaks: bool
) -> None:
    """`init -json` is asked for from Terraform 1.9 on; plain text is passed on as text."""
    named = Terraform(find_terraform().argv_prefix, version, "setting", "test", product)
    events: list[Event] = []
    engine(named, stack).init(events.append, stack / "log")
    assert any(isinstance(event, LogEvent) for event in events) == speaks
    assert any(isinstance(event, TextLine) for event in events) != speaks


def test_a_stopped_short_call_is_an_interruption(stack: Path) -> None:
    """A short call that hangs ends at the first signal."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = ("127.0.0.1", silent.getsockname()[1])
        code = f"import socket; socket.create_connection({to}).recv(1)"
        cli = engine(Terraform(("python3", "-c", code), "1.11.4", "setting", "test"), stack)
        threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(TerraformStopped) as stopped:
            cli.show_plan(stack / "p")
        assert (stopped.value.steps, time.monotonic() - began < 30) == (("kill",), True)
