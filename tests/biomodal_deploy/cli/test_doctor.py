"""`biomodal-aws doctor` and `prerequisites`, as far as no server is needed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from biomodal_deploy.cli.boundary import run
from tests.support.no_credentials import without_credentials


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_credentials(monkeypatch, tmp_path, "BIOMODAL_")


@pytest.fixture
def _nobody_listens(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{reserved.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody")
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was never synthesized."""
    folder = tmp_path / "project"
    folder.mkdir()
    stacks = {"lab": {"bootstrap": "native"}, "roles": {"bootstrap": "prerequisites"}}
    document = {"app": "true", "context": {"stacks": stacks}}
    (folder / "cdktf.json").write_text(json.dumps(document))
    (folder / "terraform.tfvars").write_text(
        'region = "eu-west-2"\nvpc_id = "vpc-0a1b2c3d"\nsubnet_id = "subnet-0a1b2c3d"\n'
        'vm_name = "analysis-vm"\n'
    )
    return folder


def doctor(project: Path, *arguments: str) -> int:
    """Run it."""
    return run(["doctor", "--project-dir", str(project), *arguments])


def test_no_credentials(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said once with its remedy, and the status is that of findings."""
    assert doctor(project, "--stack", "lab") == 2
    printed = capsys.readouterr()
    assert "FAIL" in printed.out
    assert printed.out.count("fix: run `aws configure`") == 1
    assert "there are no AWS credentials" in printed.out
    assert printed.err == ""


@pytest.mark.slow
@pytest.mark.usefixtures("_nobody_listens")
def test_no_network_as_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the same, and can tell which checks are open."""
    assert doctor(project, "--stack", "lab", "--quick", "-o", "json") == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed["exit_status"] == 2
    checks = {each["check"]: each for each in printed["data"]["checks"]}
    assert checks["credentials"]["verdict"] == "fail"
    assert "AWS cannot be reached" in checks["credentials"]["line"]
    assert checks["vpc"]["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--stack: several stacks in cdktf.json"),
        (("--stack", "roles"), "name another stack with --stack"),
        (("--stack", "lab", "--var", "vpc_id=vpc-1"), "A VPC id is vpc- and 8 to 17 hexadecimal"),
        (("--stack", "lab", "--var-file", "missing.tfvars"), "missing.tfvars"),
        (("--stack", "lab"), "AWS_PROFILE: "),
    ],
)
def test_bad_usage(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    """One line and status 64, before anything is asked."""
    if message.startswith("AWS_PROFILE"):
        monkeypatch.setenv("AWS_PROFILE", "labb")
    assert doctor(project, *arguments) == 64
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_prerequisites_for_an_empty_account(capsys: pytest.CaptureFixture[str]) -> None:
    """Without asking AWS: the document's commands, for the partition of the region."""
    assert run(["doctor", "--commands", "--all", "--region", "us-gov-west-1"]) == 0
    printed = capsys.readouterr().out
    assert "aws iam create-service-linked-role --aws-service-name batch.amazonaws.com" in printed
    assert "arn:aws-us-gov:iam::aws:policy/service-role/" in printed


def test_prerequisites_without_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is suggested where AWS does not say what is there."""
    assert run(["doctor", "--commands", "-o", "json"]) == 2
    data = json.loads(capsys.readouterr().out)["data"]
    assert (data["commands"], data["variables"]) == ([], {})
    assert {each["verdict"] for each in data["checks"]} == {"unknown"}


def test_the_toolchain_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """`--toolchain` asks this machine, not AWS, and needs no project."""
    assert run(["doctor", "--toolchain", "-o", "json"]) in (0, 2)
    names = {each["name"] for each in json.loads(capsys.readouterr().out)["data"]}
    assert {"terraform", "node"} <= names


def test_for_a_forge(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SARIF and JUnit have what is printed; of this machine's tools there are none."""
    sarif, junit = tmp_path / "a.sarif", tmp_path / "a.xml"
    files = ["--sarif", str(sarif), "--junit", str(junit)]
    assert doctor(project, "--stack", "lab", *files) == 2
    results = json.loads(sarif.read_text())["runs"][0]["results"]
    assert {"credentials": "error"}.items() <= {
        each["ruleId"]: each["level"] for each in results
    }.items()
    assert '<testcase classname="credentials"' in junit.read_text()
    assert doctor(project, "--toolchain", *files) == 64
    assert "--sarif" in capsys.readouterr().err
