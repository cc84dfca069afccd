"""How the real Terraform fails: each failure is told by its cause."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from biomodal_deploy.engine.terraform import TerraformCli, TerraformFailed, read_log
from biomodal_deploy.engine.terraform.events import Event, ProvisionEvent
from biomodal_deploy.engine.toolchain import Terraform, find_terraform
from biomodal_deploy.errors import EngineError
from biomodal_deploy.sandbox import Sandbox
from tests.support.aws_command import commands_in
from tests.support.small_stack import engine, held_by_a_process, ignore, slow

pytestmark = pytest.mark.engine

S3 = """terraform {
  backend "s3" {
    bucket       = "states"
    key          = "a/b"
    region       = "us-east-1"
    use_lockfile = true
  }
}
"""


class TestFailures:
    """What went wrong is said by its cause."""

    @pytest.fixture
    def cli(self, stack: Path) -> TerraformCli:
        """Return Terraform in an initialized stack."""
        cli = engine(find_terraform(), stack)
        cli.init(ignore, stack / "log")
        return cli

    def test_an_invalid_configuration(self, cli: TerraformCli, stack: Path) -> None:
        """Init and validate name the first error and its place, not the general words after it."""
        (stack / "main.tf").write_text('output "x" { value = terraform_data.nothing.id }')
        validation = cli.validate()
        assert not validation.valid
        assert validation.diagnostics[0].summary == "Reference to undeclared resource"
        (stack / "main.tf").write_text('output "x" { valve = 1 }')
        with pytest.raises(TerraformFailed, match=r"main\.tf:1") as failed:
            cli.init(ignore, stack / "log")
        assert failed.value.diagnostics[0].summary in {
            "Unsupported argument",
            "Missing required argument",
        }
        assert failed.value.returncode == 1

    def test_a_failing_resource(self, cli: TerraformCli, stack: Path) -> None:
        """The error of an apply names the resource, and what was done before it."""
        (stack / "main.tf").write_text(
            'resource "terraform_data" "first" {}\n'
            + slow("bad", "exit 3").replace("{", "{\n depends_on = [terraform_data.first]", 1)
        )
        cli.plan(stack / "p", ignore, stack / "log")
        with pytest.raises(TerraformFailed, match=r"terraform_data\.bad") as failed:
            cli.apply(stack / "p", ignore, stack / "log")
        assert failed.value.run is not None
        assert [one.address for one in failed.value.run.completed] == ["terraform_data.first"]
        assert [one.address for one in failed.value.run.tainted] == ["terraform_data.bad"]
        assert str(stack / "log") in str(failed.value)

    def test_a_stale_plan(self, cli: TerraformCli, stack: Path) -> None:
        """A plan that was applied already is recognised as stale."""
        cli.plan(stack / "p", ignore, stack / "log", var_files=[stack / "values.tfvars.json"])
        cli.apply(stack / "p", ignore, stack / "log")
        with pytest.raises(TerraformFailed, match="Saved plan is stale") as failed:
            cli.apply(stack / "p", ignore, stack / "log")
        assert failed.value.code == "stale_plan"

    def test_a_missing_plan(self, cli: TerraformCli, stack: Path) -> None:
        """A plan file that is not there is an error of show and of apply."""
        with pytest.raises(TerraformFailed) as failed:
            cli.show_plan(stack / "nope")
        assert failed.value.code == "unreadable_plan"
        with pytest.raises(TerraformFailed) as failed:
            cli.apply(stack / "nope", ignore, stack / "log")
        assert (failed.value.code, "nothing was changed" in str(failed.value)) == (
            "unreadable_plan",
            True,
        )

    def test_a_locked_state(self, cli: TerraformCli, stack: Path) -> None:
        """Who holds the lock is in the error, and no command that could not work."""
        (stack / "main.tf").write_text(slow("x", "sleep 3"))
        cli.plan(stack / "p", ignore, stack / "log")
        holder = threading.Thread(
            target=lambda: cli.apply(stack / "p", ignore, stack / "holder.log")
        )
        holder.start()
        try:
            while (held := cli.lock()) is None:
                time.sleep(0.01)
            with pytest.raises(TerraformFailed, match="the state is locked, held by") as failed:
                cli.plan(stack / "q", ignore, stack / "log")
        finally:
            holder.join()
        assert (failed.value.code, failed.value.lock and failed.value.lock.id) == (
            "locked",
            held.id,
        )
        assert "force-unlock" not in str(failed.value)
        assert cli.lock() is None

    def test_a_local_lock_that_cannot_be_read(self, cli: TerraformCli, stack: Path) -> None:
        """A process that holds it is named by its number; what is in its way, with its removal."""
        state, info = stack / "terraform.tfstate", stack / ".terraform.tfstate.lock.info"
        state.touch()
        with held_by_a_process(state) as number:
            for content in (None, "", "{}"):
                if content is not None:
                    info.write_text(content)
                with pytest.raises(TerraformFailed) as failed:
                    cli.plan(stack / "p", ignore, stack / "log")
                message = str(failed.value)
                assert failed.value.code == "locked"
                assert "force-unlock" not in message
                assert f"the state is locked by process {number} of this machine" in message
                assert "wait until it has ended" in message
        info.unlink()
        info.mkdir()
        with pytest.raises(TerraformFailed) as failed:
            cli.plan(stack / "p", ignore, stack / "log")
        message = str(failed.value)
        assert f"the lock {info} is empty, damaged or in the way" in message
        (removal,) = re.findall("`(rm .*)`", message)
        subprocess.run(["sh", "-c", removal], check=True)
        cli.plan(stack / "p", ignore, stack / "log", var_files=[stack / "values.tfvars.json"])

    def test_what_is_tainted_is_called_so(self, cli: TerraformCli, stack: Path) -> None:
        """What was created before it failed is in the state, and the next plan replaces it."""
        failing = slow("bad", "exit 3").replace("{", '{\n for_each = toset(["a b"])', 1)
        after = 'resource "terraform_data" "after" { depends_on = [terraform_data.bad] }'
        (stack / "main.tf").write_text(f"{failing}\n{after}")
        cli.plan(stack / "p", ignore, stack / "log")
        with pytest.raises(TerraformFailed) as failed:
            cli.apply(stack / "p", ignore, stack / "log")
        run = failed.value.run
        assert run is not None
        assert [one.address for one in run.tainted] == ['terraform_data.bad["a b"]']
        assert run.failed == ()
        message = str(failed.value)
        assert 'the next plan replaces it: terraform_data.bad["a b"]' in message
        assert "Never begun: terraform_data.after" in message
        assert cli.plan(stack / "p", ignore, stack / "log").summary.remove == 1

    def test_what_could_not_be_deleted_is_not_called_not_made(
        self, cli: TerraformCli, stack: Path
    ) -> None:
        """A provisioner of a destroy that fails leaves the resource as it was."""
        failing = slow("bad", "exit 3").replace("command", "when = destroy\n    command")
        (stack / "main.tf").write_text(failing)
        cli.plan(stack / "p", ignore, stack / "log")
        cli.apply(stack / "p", ignore, stack / "log")
        cli.plan(stack / "p", ignore, stack / "log", destroy=True)
        with pytest.raises(TerraformFailed, match=r"not deleted: terraform_data\.bad") as failed:
            cli.apply(stack / "p", ignore, stack / "log")
        assert "tainted" not in str(failed.value)

    def test_a_log_that_cannot_be_written(self, cli: TerraformCli, stack: Path) -> None:
        """Without a log nothing is started; a link in its place is not followed."""
        (stack / "link").symlink_to(stack / "target")
        for log in (Path("/dev/null/x"), stack / "link"):
            with pytest.raises(EngineError, match="the log cannot be written"):
                cli.plan(stack / "p", ignore, log)
        assert not (stack / "p").exists()
        assert not (stack / "target").exists()

    def test_a_terraform_that_is_gone(self, stack: Path) -> None:
        """A program that is not there is one line, for long and short calls."""
        cli = engine(Terraform(("/nowhere/terraform",), "1.11.4", "setting", "test"), stack)
        with pytest.raises(EngineError, match="/nowhere/terraform"):
            cli.version()
        with pytest.raises(EngineError, match="/nowhere/terraform: No such file"):
            cli.plan(stack / "p", ignore, stack / "log")

    def test_a_callback_that_fails(self, cli: TerraformCli, stack: Path) -> None:
        """An error of ours stops Terraform, is raised as it is, and the log has its end."""
        (stack / "main.tf").write_text(slow("x", "sleep 30"))
        cli.plan(stack / "p", ignore, stack / "log")
        called: list[Event] = []

        def on_event(event: Event) -> None:
            called.append(event)
            if isinstance(event, ProvisionEvent):
                raise ZeroDivisionError

        began = time.monotonic()
        with pytest.raises(ZeroDivisionError):
            cli.apply(stack / "p", on_event, stack / "log")
        assert time.monotonic() - began < 25
        assert isinstance(called[-1], ProvisionEvent)
        assert cli.lock() is None
        logged = read_log(stack / "log")
        assert logged is not None
        assert (logged.status, logged.running) == (1, False)
        assert [one.address for one in logged.run.failed] == ["terraform_data.x"]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """Return an AWS account on loopback that has a bucket for states."""
    with Sandbox.start(tmp_path) as sandbox:
        sandbox.client("s3").create_bucket(Bucket="states")
        yield sandbox


@pytest.fixture
def bucket(sandbox: Sandbox) -> dict[str, str]:
    """Return the environment that reaches that account."""
    return dict(sandbox.environment({}))


def killed_when(cli: TerraformCli, stack: Path) -> Callable[[Event], None]:
    """Return a callback that kills Terraform itself, as a machine out of memory does."""

    def on_event(event: Event) -> None:
        if isinstance(event, ProvisionEvent) and event.type == "provision_start":
            for child in psutil.Process().children():
                if child.cwd() == str(stack):
                    child.send_signal(signal.SIGKILL)

    return on_event


def test_a_remote_lock_that_was_left_can_be_removed(stack: Path, bucket: dict[str, str]) -> None:
    """After a kill the lock's id is found without taking it, and the printed command works."""
    (stack / "main.tf").write_text(S3 + slow("x", "sleep 20"))
    cli = engine(find_terraform(), stack, **bucket)
    log = stack / "log"
    cli.init(ignore, log)
    assert cli.lock() is None
    cli.plan(stack / "p", ignore, log)
    with pytest.raises(TerraformFailed, match="signal 9") as failed:
        cli.apply(stack / "p", killed_when(cli, stack), log)
    error = failed.value
    assert error.run is not None
    assert [one.address for one in error.run.in_progress] == ["terraform_data.x"]
    assert error.lock is not None
    assert cli.lock() == error.lock
    with pytest.raises(TerraformFailed) as second:
        cli.plan(stack / "q", ignore, log)
    assert (second.value.code, second.value.lock) == ("locked", error.lock)
    command = cli.unlock_command(error.lock)
    assert command is not None
    assert command in str(error)
    subprocess.run(["sh", "-c", command], env=os.environ | bucket, check=True, capture_output=True)
    assert cli.lock() is None
    assert cli.plan(stack / "q", ignore, log).has_changes


def test_a_lock_in_s3_that_cannot_be_read(stack: Path, sandbox: Sandbox) -> None:
    """An empty or damaged lock is named with the command that deletes it; that one works."""
    (stack / "main.tf").write_text(S3)
    cli = engine(find_terraform(), stack, **sandbox.environment({}))
    log, s3 = stack / "log", sandbox.client("s3")
    cli.init(ignore, log)
    for body in (b"", b"{}", b"no json"):
        s3.put_object(Bucket="states", Key="a/b.tflock", Body=body)
        with pytest.raises(TerraformFailed) as failed:
            cli.plan(stack / "p", ignore, log)
        message = str(failed.value)
        assert failed.value.code == "locked"
        assert "the lock s3://states/a/b.tflock is empty, damaged or in the way" in message
        assert "no Terraform works on this state" in message
        assert "force-unlock" not in message
        (removal,) = commands_in(message)
        assert removal.parameters == {"Bucket": "states", "Key": "a/b.tflock"}
        removal.call(s3)
        cli.plan(stack / "p", ignore, log)
    s3.put_object(Bucket="states", Key="a/b.tflock", Body=b"")
    left = cli.lock()
    assert left is not None
    assert (left.id, left.path) == ("", "s3://states/a/b.tflock")


def test_missing_credentials_are_recognised(stack: Path) -> None:
    """Who is not signed in is told so, in one line with the next step."""
    (stack / "main.tf").write_text(S3)
    cli = engine(
        find_terraform(), stack, AWS_EC2_METADATA_DISABLED="true", HOME=str(stack / "home")
    )
    with pytest.raises(TerraformFailed, match="No valid credential sources") as failed:
        cli.init(ignore, stack / "log")
    assert failed.value.code == "credentials"


def test_a_plan_of_another_version(stack: Path) -> None:
    """A plan file of one Terraform is refused by another, with a word for it."""
    log, plan = stack / "log", stack / "p"
    one, other = engine(find_terraform(), stack), engine(find_terraform("embedded"), stack)
    if one.binary.version == other.binary.version:
        pytest.skip("both are the same version")
    one.init(ignore, log)
    one.plan(plan, ignore, log, var_files=[stack / "values.tfvars.json"])
    with pytest.raises(TerraformFailed) as failed:
        other.apply(plan, ignore, log)
    assert failed.value.code == "plan_of_other_version"
