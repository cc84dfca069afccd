"""Tests for biomodal_deploy.cli.commands.report: to the screen, to a file, for programs."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.errors import EXIT_BUNDLE, EXIT_DONE, EXIT_USAGE
from tests.support.sealed_project import sealed_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a sealed plan, and the current folder."""
    folder, _ = sealed_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def test_to_the_screen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Markdown by default, byte for byte the same each time, and no escape codes."""
    assert run(["report"]) == EXIT_DONE
    first = capsys.readouterr().out
    assert first.startswith("# ")
    assert "\x1b" not in first
    run(["report"])
    assert capsys.readouterr().out == first


def test_to_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes as on the screen; what is printed is one line and the verdict."""
    run(["report"])
    shown = capsys.readouterr().out
    assert run(["report", "--out", "r.md"]) == EXIT_DONE
    assert (project / "r.md").read_text() == shown
    assert stat.S_IMODE((project / "r.md").stat().st_mode) == 0o666 & ~_umask()
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert sorted(path.name for path in project.iterdir() if path.name.startswith(".")) == []


def test_as_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The envelope of every command, with the report inside it."""
    assert run(["report", "--format", "json", "--output", "json"]) == EXIT_DONE
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["content"]["counts"]["create"] == 1
    assert data["content"]["sha256"] == data["sha256"]
    run(["report", "--out", "r.md", "--output", "json"])
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["content"] is None
    # The one digest there is: that of the text is nobody's business, and would be mistaken for it.
    assert f"SHA-256 {chr(96)}{data['sha256']}" in (project / "r.md").read_text()
    assert [name for name in data if "sha256" in name] == ["sha256"]


def test_a_device_is_written_to(project: Path, tmp_path: Path) -> None:
    """A pipe stays what it is: root must not exchange /dev/stdout for a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert run(["report", "--out", str(pipe)]) == EXIT_DONE
    reader.join(20)
    assert read[0].startswith(b"# ")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--out", "."], EXIT_USAGE, "It is a folder"),
        (["--out", "missing/r.md"], EXIT_USAGE, "cannot be written"),
        (["--max-bytes", "10"], EXIT_USAGE, "4000"),
        (["20261123T021500Z-1a2b3c"], EXIT_BUNDLE, "has no sealed plan"),
    ],
)
def test_refusals(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    """One clear line, and nothing is written."""
    before = sorted(project.rglob("*"))
    assert run(["report", *words]) == status
    assert said in capsys.readouterr().err
    assert sorted(project.rglob("*")) == before


def test_an_edited_plan_has_no_report(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was changed after it was sealed is refused, not told."""
    (changes,) = project.glob("plans/*/*/changes.json")
    changes.write_bytes(changes.read_bytes().replace(b"aws_eip.ip", b"aws_eip.xx"))
    assert run(["report"]) == EXIT_BUNDLE
    assert "was changed after it was sealed" in capsys.readouterr().err


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
