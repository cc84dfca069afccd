"""Calls of a Terraform that misbehaves: no hang, no loss, no flood of memory, the true error.

Only here, and where a test must have a Terraform that does not listen, a stand-in takes its place:
the real one cannot be made to do these things when asked.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
import tracemalloc
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import python_terraform

from biomodal_deploy.engine.terraform import TerraformCli, TerraformFailed, read_log
from biomodal_deploy.engine.terraform import calls as module
from biomodal_deploy.engine.terraform.calls import FLAG, arguments
from biomodal_deploy.engine.terraform.events import Event, RefreshEvent, TextLine, UnknownEvent
from biomodal_deploy.engine.terraform.results import PlanRun
from biomodal_deploy.engine.toolchain import Terraform
from biomodal_deploy.errors import EngineError
from tests.support import fake_terraform

SECRET = "canary-value-4711"


def faked(directory: Path, mode: str, **more: str) -> TerraformCli:
    """Return the engine on a stand-in that does one thing."""
    binary = Terraform((sys.executable, fake_terraform.__file__), "1.11.4", "setting", "stand-in")
    environment = os.environ | {"FAKE_MODE": mode} | more
    return TerraformCli(binary, directory, environment=environment)


def planned(directory: Path, mode: str) -> tuple[PlanRun, Counter[type], list[Event]]:
    """Plan with a stand-in; return the result, the events by type, and the last ones."""
    counts: Counter[type] = Counter()
    last: list[Event] = []

    def on_event(event: Event) -> None:
        counts[type(event)] += 1
        last.append(event)
        del last[:-20]

    result = faked(directory, mode).plan(directory / "p", on_event, directory / "log")
    return result, counts, last


@pytest.mark.slow
def test_a_flood_of_events(tmp_path: Path) -> None:
    """Two hundred thousand lines arrive, in order, one event each, and all are in the log."""
    began = time.monotonic()
    result, counts, _ = planned(tmp_path, "flood")
    assert counts[RefreshEvent] == fake_terraform.FLOOD
    assert result.summary.add == 1
    with (tmp_path / "log").open() as log:
        assert sum(1 for _ in log) == fake_terraform.FLOOD + 3
    assert time.monotonic() - began < 120


@pytest.mark.slow
def test_a_full_stderr(tmp_path: Path) -> None:
    """A pipe that fills while nobody reads the other one holds nothing up."""
    result, counts, _ = planned(tmp_path, "full_stderr")
    assert (counts[TextLine], result.has_changes) == (100_000, True)


def test_what_is_no_event(tmp_path: Path) -> None:
    """Text, half an object, bytes that are no text and unknown events come through as they are."""
    result, counts, last = planned(tmp_path, "mixed")
    assert (result.summary.add, counts[UnknownEvent]) == (1, 2)
    texts = [event.text for event in last if isinstance(event, TextLine)]
    odd = "\ufffd\ufffd bytes that are no text"
    assert texts == ["plain text", '{"half": ', '[1, 2, "an array"]', odd, ""]
    assert "no line end" in repr(last[-1])


def test_a_line_without_an_end(tmp_path: Path) -> None:
    """Fifty megabytes on one line cost a few of memory, and the next line is read."""
    tracemalloc.start()
    try:
        result, _, last = planned(tmp_path, "long_line")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.has_changes
    assert any(isinstance(event, TextLine) and event.left_out > 49_000_000 for event in last)
    assert peak < 12_000_000
    assert (tmp_path / "log").stat().st_size < 2_000_000


VERBS: dict[str, Callable[[TerraformCli, Path], object]] = {
    "version": lambda cli, _: cli.version(),
    "validate": lambda cli, _: cli.validate(),
    "output": lambda cli, _: cli.output(),
    "show": lambda cli, folder: cli.show_plan(folder / "p"),
    "state pull": lambda cli, _: cli.state_pull(),
    "init": lambda cli, folder: cli.init(lambda _: None, folder / "log"),
    "providers lock": lambda cli, folder: cli.providers_lock(lambda _: None, folder / "log"),
    "plan": lambda cli, folder: cli.plan(folder / "p", lambda _: None, folder / "log"),
    "apply": lambda cli, folder: cli.apply(folder / "p", lambda _: None, folder / "log"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_names_the_true_error(tmp_path: Path, verb: str) -> None:
    """The first error is the message, not what follows from it nor the noise on the last line."""
    with pytest.raises(TerraformFailed) as failed:
        VERBS[verb](faked(tmp_path, "fail"), tmp_path)
    error = failed.value
    assert str(error).startswith(f"terraform {verb} failed: {fake_terraform.TRUE_ERROR}")
    assert "noise" not in str(error)
    assert (error.verb, error.returncode) == (verb, 1)
    if (tmp_path / "log").exists():
        assert str(tmp_path / "log") in str(error)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_may_fail_in_silence(tmp_path: Path, verb: str) -> None:
    """Where nothing is printed, the exit status is what can be said."""
    with pytest.raises(TerraformFailed, match="ended with status 1 and said nothing"):
        VERBS[verb](faked(tmp_path, "silent"), tmp_path)


@pytest.mark.parametrize("verb", ["version", "validate", "output", "state pull"])
def test_what_cannot_be_read_is_not_shown(tmp_path: Path, verb: str) -> None:
    """An answer of another shape is one line, and what it held stays out of it."""
    with pytest.raises(EngineError, match=f"terraform {verb} printed cannot be read") as failed:
        VERBS[verb](faked(tmp_path, "garbled"), tmp_path)
    shown = "".join(traceback.format_exception(failed.value))
    assert "canary" not in shown


def test_a_killed_terraform(tmp_path: Path) -> None:
    """What the system killed names the signal and what was begun."""
    with pytest.raises(TerraformFailed, match="signal 9") as failed:
        VERBS["apply"](faked(tmp_path, "killed"), tmp_path)
    assert "begun, end unknown: terraform_data.slow" in str(failed.value)


def test_a_daemon_is_not_waited_for(tmp_path: Path) -> None:
    """A process that a provisioner left behind on purpose holds up nothing and lives on."""
    began = time.monotonic()
    result, _, _ = planned(tmp_path, "daemon")
    assert result.has_changes
    assert time.monotonic() - began < 25


def test_values_are_never_arguments(tmp_path: Path) -> None:
    """The process list shows paths and flags; values reach Terraform in a file alone."""
    record, values, log = (tmp_path / name for name in ("record", "values.tfvars.json", "log"))
    values.write_text(json.dumps({"secret": SECRET}))
    cli = faked(tmp_path, "mixed", FAKE_RECORD=str(record), TF_VAR_secret=SECRET, TF_CLI_ARGS="-x")
    cli.init(lambda _: None, log, backend_config=[tmp_path / "backend"], lockfile_readonly=True)
    cli.plan(tmp_path / "p", lambda _: None, log, var_files=[values], destroy=True)
    cli.apply(tmp_path / "p", lambda _: None, log, parallelism=3)
    seen = [line.decode().split("\0")[2:-1] for line in record.read_bytes().split(b"\n") if line]
    common, unlocked = "-no-color -json -input=false", "-lock-timeout=0s"
    assert [" ".join(each) for each in seen] == [
        f"init {common} -backend-config={tmp_path / 'backend'} -lockfile=readonly",
        f"plan {common} {unlocked} -var-file={values} -destroy -out={tmp_path / 'p'}",
        f"apply {common} {unlocked} -parallelism=3 {tmp_path / 'p'}",
    ]
    assert SECRET not in log.read_text()


def test_the_log_of_an_older_run_is_told_apart(tmp_path: Path) -> None:
    """Two calls may share a log; the last one is what it tells of."""
    planned(tmp_path, "mixed")
    with pytest.raises(TerraformFailed):
        VERBS["apply"](faked(tmp_path, "fail"), tmp_path)
    logged = read_log(tmp_path / "log")
    assert logged is not None
    assert (logged.verb, logged.status, logged.running) == ("apply", 1, False)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_no_log_no_run(tmp_path: Path) -> None:
    """A missing log, and a file that is none, tell of no run."""
    (tmp_path / "other").write_text("something else\n")
    assert read_log(tmp_path / "nothing") is None
    assert read_log(tmp_path / "other") is None


def test_options() -> None:
    """Flags, values, booleans and repeated options are spelt as Terraform wants them."""
    given = {"parallelism": None, "var_file": [Path("/a"), Path("/b")], "lock_timeout": "0s"}
    assert arguments("plan", json=FLAG, input=False, **given, out=Path("/p")) == (
        *("plan", "-json", "-input=false", "-var-file=/a", "-var-file=/b"),
        *("-lock-timeout=0s", "-out=/p"),
    )


def test_positional_arguments_follow_the_options() -> None:
    """A plan file or a lock id comes last, and a verb of two words is two arguments."""
    assert arguments("show", Path("/p"), json=FLAG) == ("show", "-json", "/p")
    assert arguments("state pull") == ("state", "pull")


def test_no_state_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty state that Terraform leaves beside a lock breaks python-terraform, and not us."""
    (tmp_path / "terraform.tfstate").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="Expecting value"):
        python_terraform.Terraform()
    module._Builder()


def test_a_misspelt_method_is_an_error() -> None:
    """Where python-terraform would run `terraform validte`, there is no such attribute."""
    with pytest.raises(AttributeError):
        module._Builder().validte  # noqa: B018
