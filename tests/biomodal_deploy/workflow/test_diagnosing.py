"""`diagnose` as a person types it: files, standard input, and the newest failed run."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_USAGE
from biomodal_deploy.plan.history import Event, History
from tests.support.payloads import undocumented
from tests.support.project import ROOT

SNAPSHOT = ROOT / "tests/stacks/__snapshots__/test_snapshots/test_native_stack.json"
STALE = "Error: Saved plan is stale\n"
USER = "arn:aws:iam::111122223333:user/ada"
DENIED = (
    f"Error: adding role: User: {USER} is not authorized to perform: iam:PassRole on resource: "
    "arn:aws:iam::111122223333:role/lab-vm because no identity-based policy allows it\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two stacks that were synthesized, and values for them."""
    folder = tmp_path / "project"
    folder.mkdir()
    context = {"stacks": {"lab": {"bootstrap": "native"}, "prod": {"bootstrap": "native"}}}
    (folder / "cdktf.json").write_text(json.dumps({"app": "true", "context": context}))
    for name in ("lab", "prod"):
        stack = folder / "cdktf.out" / "stacks" / name
        stack.mkdir(parents=True)
        (stack / "cdk.tf.json").write_bytes(SNAPSHOT.read_bytes())
    (folder / "terraform.tfvars").write_text(
        'region = "eu-west-2"\nvpc_id = "vpc-0a1b2c3d4e5f60718"\n'
        'subnet_id = "subnet-0a1b2c3d4e5f60718"\nvm_name = "lab-vm"\n'
        'tag_key = "team"\ntag_value = "lab"\n'
    )
    return folder


def log_of(project: Path, stack: str, name: str, status: int | None, text: str = "") -> Path:
    """Write a log as a run leaves it; None where it was killed."""
    start = {"@module": "biomodal-aws", "@timestamp": "x", "type": "run_started", "verb": "apply"}
    lines = [json.dumps(start), text]
    if status is not None:
        lines.append(json.dumps({"@module": "biomodal-aws", "type": "run_ended", "status": status}))
    path = project / "plans" / stack / name / "logs" / "apply.log"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))
    return path


def data(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run the command, and return what it says to programs."""
    status = run(["diagnose", *words, "--output", "json"])
    found = json.loads(capsys.readouterr().out)
    assert found["exit_status"] == status
    assert undocumented("diagnose", found["data"]) == []
    return found


def causes(found: Any) -> list[str | None]:
    """Return the causes that were named, None for the unknown."""
    return [each["cause"] for each in found["data"]["findings"]]


def test_a_file_outside_any_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No project is needed to read a file."""
    file = tmp_path / "error.txt"
    file.write_text(STALE)
    assert run(["diagnose", str(file), "--project-dir", str(tmp_path)]) == EXIT_DONE
    printed = capsys.readouterr().out
    assert "The plan is stale" in printed
    assert "next      biomodal-aws plan" in printed


def test_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe is read like a file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(STALE.encode())))
    assert causes(data(capsys, "-", "--project-dir", str(tmp_path))) == ["stale_plan"]


def test_a_pipe_with_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a shell makes of `<(...)` is read like a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_text(STALE), daemon=True)
    writer.start()
    found = data(capsys, str(pipe))
    writer.join()
    assert causes(found) == ["stale_plan"]


def test_exit_statuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 where a cause is named, 2 where none is, 64 where there is nothing to read."""
    file = tmp_path / "error.txt"
    file.write_text("Error: Something new\n\nIts detail\n")
    assert run(["diagnose", str(file)]) == EXIT_FINDINGS
    printed = capsys.readouterr().out
    assert "word for word" in printed
    assert "No cause named, 1 unknown." in printed
    assert "  Something new\n\n  Its detail" in printed.replace("\n  \n", "\n\n")
    file.write_text("all is well\n")
    assert run(["diagnose", str(file)]) == EXIT_FINDINGS
    assert "No error is in its 1 line." in capsys.readouterr().out
    assert run(["diagnose", str(tmp_path / "missing.txt")]) == EXIT_USAGE
    assert "missing.txt: cannot be read (No such file" in capsys.readouterr().err
    assert run(["diagnose", str(tmp_path)]) == EXIT_USAGE


def test_a_code_alone_is_no_named_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status says that nothing is named, and the screen that it is a guess."""
    file = tmp_path / "error.txt"
    file.write_text("Error: creating x: api error InvalidParameterValue: something new\n")
    found = data(capsys, str(file))
    assert found["exit_status"] == EXIT_FINDINGS
    assert [each["certainty"] for each in found["data"]["findings"]] == ["code"]
    assert run(["diagnose", str(file)]) == EXIT_FINDINGS
    assert "No cause named, 1 guessed by code." in capsys.readouterr().out


def test_a_general_answer_is_no_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It tells which call was refused in which words, and that nobody knows the cause."""
    file = tmp_path / "error.txt"
    file.write_text("An error occurred (OddState) when calling the PutThing operation: it is odd\n")
    found = data(capsys, str(file))
    assert found["exit_status"] == EXIT_FINDINGS
    assert [each["certainty"] for each in found["data"]["findings"]] == ["general"]
    assert run(["diagnose", str(file)]) == EXIT_FINDINGS
    printed = capsys.readouterr().out
    assert "Its cause is not known." in printed
    assert "The call is PutThing. Its code is OddState. It says: it is odd." in printed
    assert "No cause named, 1 unknown." in printed


def test_several_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding says in which file it stands."""
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    first.write_text(f"fine\n{STALE}")
    second.write_text("Error: No value for required variable\n")
    assert run(["diagnose", str(first), str(second)]) == EXIT_DONE
    printed = capsys.readouterr().out
    assert f"{first}:2" in printed
    assert f"{second}:1" in printed
    assert "2 causes named." in printed


def test_three_most_likely(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where several causes fit equally well, all are shown, up to three."""
    file = tmp_path / "error.txt"
    file.write_text("api error AddressLimitExceeded, VpcLimitExceeded, TooManyBuckets\n")
    (finding,) = data(capsys, str(file))["data"]["findings"]
    assert len({finding["cause"], *(each["cause"] for each in finding["rivals"])}) == 3
    run(["diagnose", str(file)])
    assert capsys.readouterr().out.count("  or        ") == 2


def test_a_log_of_ci_and_of_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What these put before a line does not hide the error, and says where it was printed."""
    error = 'Could not connect to the endpoint URL: "https://sts.eu-west-2.amazonaws.com/"'
    for prefix, cause in (
        ("2026-11-27T10:00:00.1234567Z ##[error]", "ci_no_network"),
        ("Nov 27 10:00:00 ip-10-0-0-7 cloud-init[812]: ", "vm_no_network"),
        ("", "no_network"),
    ):
        file = tmp_path / "some.log"
        file.write_text(f"{prefix}{error}\n")
        assert causes(data(capsys, str(file))) == [cause]


def test_the_vms_role_gets_a_statement_of_its_own(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not the deployer's statement: the session's name is an instance id."""
    resource = "arn:aws:batch:us-east-1:123456789012:job-definition/nf-x"
    file = project / "error.txt"
    file.write_text(
        "ClientException: User: arn:aws:sts::123456789012:assumed-role/lab-vm/i-0abcdef0123456789 "
        f"is not authorized to perform: batch:TagResource on resource: {resource}\n"
    )
    found = data(capsys, str(file), "--project-dir", str(project), "--stack", "lab")
    (finding,) = found["data"]["findings"]
    assert finding["cause"] == "vm_role_denied"
    assert finding["missing"]["origin"] == "error"
    assert [each["Resource"] for each in finding["missing"]["statements"]] == [resource]


def test_the_missing_statement_is_the_stacks_own(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a refused action: the compiled policy's statement, with this stack's names."""
    file = project / "error.txt"
    file.write_text(DENIED)
    found = data(capsys, str(file), "--project-dir", str(project), "--stack", "lab")
    (finding,) = found["data"]["findings"]
    assert finding["cause"] == "denied_pass_role"
    missing = finding["missing"]
    assert missing["origin"] == "stack"
    assert missing["caller"] == USER
    assert "arn:aws:iam::111122223333:role/lab-vm" in json.dumps(missing["statements"])
    assert finding["next"] == "biomodal-aws policy deployer --stack lab"
    # Without a stack, what the error says.
    found = data(capsys, str(file), "--project-dir", str(project.parent))
    missing = found["data"]["findings"][0]["missing"]
    assert missing["origin"] == "error"
    assert missing["statements"] == [
        {
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "arn:aws:iam::111122223333:role/lab-vm",
        }
    ]


def test_the_newest_failed_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file, the log of the run that failed last, of any stack or of one."""
    old = log_of(project, "lab", "20260101T000000Z-000001", 1, STALE)
    os.utime(old, (time.time() - 100,) * 2)
    log_of(project, "lab", "20260101T000000Z-000003", 0)
    new = log_of(project, "prod", "20260101T000000Z-000002", 1, "Error: no space left on device\n")
    os.utime(new, (time.time() - 50,) * 2)
    found = data(capsys, "--project-dir", str(project))
    assert (found["data"]["stack"], causes(found)) == ("prod", ["disk_full"])
    found = data(capsys, "--project-dir", str(project), "--stack", "lab")
    assert causes(found) == ["stale_plan"]
    assert found["data"]["findings"][0]["next"] == "biomodal-aws plan --stack lab"
    assert found["data"]["read"] == str(old)


def test_what_went_well_since(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A failure that somebody has fixed is told as one."""
    log = log_of(project, "lab", "20260101T000000Z-000001", 1, STALE)
    os.utime(log, (time.time() - 100,) * 2)
    assert data(capsys, "--project-dir", str(project))["data"]["since"] is None
    history = History(project / "plans", "lab")
    history.append(Event.RESULT, message="3 changes made", details={"ok": True})
    run(["diagnose", "--project-dir", str(project)])
    assert "since then there was a result: 3 changes made." in capsys.readouterr().out


def test_a_killed_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log without an end is the newest failure too."""
    log_of(project, "lab", "20260101T000000Z-000001", None)
    assert causes(data(capsys, "--project-dir", str(project))) == ["killed_run"]


def test_what_failed_before_terraform_began(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failure that has no log is read from the history."""
    history = History(project / "plans", "lab")
    history.append(Event.RESULT, message="no plan: The provided token has expired", details={})
    found = data(capsys, "--project-dir", str(project))
    assert causes(found) == ["expired"]
    assert found["data"]["read"] == "the history of lab"


def test_nothing_failed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a failed run the command says what to give it."""
    log_of(project, "lab", "20260101T000000Z-000001", 0)
    assert run(["diagnose", "--project-dir", str(project)]) == EXIT_USAGE
    assert "No run failed here" in capsys.readouterr().err
