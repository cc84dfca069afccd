"""Tests for biomodal_deploy.cli.commands.show: to the screen, to a file, for programs."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from datetime import timedelta
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.errors import EXIT_DONE, EXIT_SEALED_PLAN, EXIT_USAGE
from biomodal_deploy.plan.sealed import consume
from biomodal_deploy.plan.sealed.facts import FileDigest
from tests.support.payload_page import PLAN_SCHEMA, plan_schema
from tests.support.plans import plan, resource
from tests.support.project import ROOT
from tests.support.sealed_plans import NOW, sealed
from tests.support.sealed_project import STACK, changing, sealed_project
from tests.support.signers import make_key, signers_line


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a sealed plan, and the current folder."""
    folder, _ = sealed_project(tmp_path / "project")
    monkeypatch.chdir(folder)
    return folder


def test_to_the_screen_and_to_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same bytes each time, no escape codes; beside a file one line and the verdict."""
    words = ["show", "--format", "markdown"]
    assert run(words) == EXIT_DONE
    first = capsys.readouterr().out
    assert first.startswith("# ")
    assert "\x1b" not in first
    run(words)
    assert capsys.readouterr().out == first
    assert run([*words, "--out", "r.md"]) == EXIT_DONE
    assert (project / "r.md").read_text() == first
    assert stat.S_IMODE((project / "r.md").stat().st_mode) == 0o666 & ~_umask()
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert sorted(path.name for path in project.iterdir() if path.name.startswith(".")) == []


def test_as_data(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One shape, whether in the envelope of every command or bare; a schema says what is in it."""
    assert run(["show", "--output", "json"]) == EXIT_DONE
    data = json.loads(capsys.readouterr().out)["data"]
    assert run(["show", "--format", "json"]) == EXIT_DONE
    assert json.loads(capsys.readouterr().out) == data
    assert data["counts"]["create"] == 1
    assert data["changes"][0]["address"] == "aws_eip.ip"
    jsonschema.validate(data, json.loads(plan_schema()))


def test_data_and_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page goes to a file while programs get the data; to standard output goes one of them."""
    words = ["show", "--format", "markdown", "--output", "json"]
    assert run(words) == EXIT_USAGE
    capsys.readouterr()
    assert run([*words, "--out", "r.md"]) == EXIT_DONE
    data = json.loads(capsys.readouterr().out)["data"]
    # The one digest there is: that of the text is nobody's business, and would be mistaken for it.
    assert f"SHA-256 {chr(96)}{data['sha256']}" in (project / "r.md").read_text()
    assert [name for name in data if "sha256" in name] == ["sha256"]


def test_the_text_as_a_file(project: Path) -> None:
    """What a terminal shows, unwrapped and without escape codes."""
    assert run(["show", "--format", "text", "--out", "plan.txt"]) == EXIT_DONE
    text = (project / "plan.txt").read_text()
    assert text.startswith("Plan for demo\n")
    assert "\x1b" not in text
    assert "\nplan  " in text


def test_the_schema_is_the_documented_one() -> None:
    """The file in docs is what the code says."""
    assert (ROOT / PLAN_SCHEMA).read_text(encoding="utf-8") == plan_schema(), "run: make docs"
    digest = json.loads(plan_schema())["properties"]["sha256"]
    assert "apply --expect-sha256" in digest["description"]


def test_a_device_is_written_to(project: Path, tmp_path: Path) -> None:
    """A pipe stays what it is: root must not exchange /dev/stdout for a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert run(["show", "--format", "markdown", "--out", str(pipe)]) == EXIT_DONE
    reader.join(20)
    assert read[0].startswith(b"# ")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--out", "."], EXIT_USAGE, "is a folder"),
        (["--out", "missing/r.md"], EXIT_USAGE, "cannot be written"),
        (["--max-bytes", "10"], EXIT_USAGE, "4000"),
        (["20261123T021500Z-1a2b3c"], EXIT_SEALED_PLAN, "has no sealed plan"),
    ],
)
def test_refusals(
    project: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    """One clear line, and nothing is written."""
    before = sorted(project.rglob("*"))
    assert run(["show", *words]) == status
    assert said in capsys.readouterr().err
    assert sorted(project.rglob("*")) == before


def test_an_edited_plan_is_not_shown(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was changed after it was sealed is refused, not told."""
    (changes,) = project.glob("plans/*/*/changes.json")
    changes.write_bytes(changes.read_bytes().replace(b"aws_eip.ip", b"aws_eip.xx"))
    assert run(["show", "--format", "markdown"]) == EXIT_SEALED_PLAN
    assert "was changed after it was sealed" in capsys.readouterr().err


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.slow
def test_who_approved_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each format has who approved it, why another does not count, and how many are missing."""
    created = plan(resource("aws_s3_bucket.data", "create", None, {"bucket": "data"}))
    project, _ = sealed_project(tmp_path / "project", created)
    monkeypatch.chdir(project)
    settings = {"stacks": {STACK: {"approvals": {"required": 2}}}}
    (project / "cdktf.json").write_text(json.dumps({"app": "true", "context": settings}))
    ada, eve = make_key(tmp_path, "ada"), make_key(tmp_path, "eve")

    def shown(form: str) -> str:
        assert run(["show", "--format", form]) == EXIT_DONE
        return capsys.readouterr().out

    assert "allowed_signers" in shown("text")  # nobody may sign, and it can be read all the same
    (project / "allowed_signers").write_text(signers_line("ada@lab", ada))
    for key in (ada, eve):
        assert run(["approve", "--key", str(key)]) == EXIT_DONE
    capsys.readouterr()
    for form in ("text", "markdown", "html"):
        page = shown(form)
        assert "approved: ada@lab" in page
        assert "not counted: " in page
        assert "1 of 2" in page
    assert "Next: biomodal-aws approve " in shown("text")
    data = json.loads(shown("json"))
    jsonschema.validate(data, json.loads(plan_schema()))
    assert data["approvals"]["required"] == 2
    assert {each["signer"]: each["counts"] for each in data["approvals"]["approvals"]} == {
        "ada@lab": True,
        None: False,
    }


def test_for_a_forge(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SARIF and JUnit are written beside what is printed, which stays as it is."""
    run(["show"])
    shown = capsys.readouterr().out
    assert run(["show", "--sarif", "a.sarif", "--junit", "a.xml"]) == EXIT_DONE
    assert capsys.readouterr().out == shown
    results = json.loads((project / "a.sarif").read_text())["runs"][0]["results"]
    found = {(each["ruleId"], each["message"]["text"].partition(":")[0]) for each in results}
    assert ("loss", "aws_eip.ip") in found
    assert 'classname="loss"' in (project / "a.xml").read_text()
    assert run(["show", "--sarif", str(project)]) == EXIT_USAGE
    assert "--sarif" in capsys.readouterr().err


def test_a_plan_s_id_says_which_stack(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where several stacks have plans, an id or a folder is enough; without one they are named."""
    other = sealed(project / "plans", of=changing(), stack="other")
    synthesized = project / "cdktf.out" / "stacks"
    shutil.copytree(synthesized / STACK, synthesized / "other")
    run(["show", "--stack", "other", "-o", "json"])
    expected = json.loads(capsys.readouterr().out)
    for named in (other.id, f"plans/other/{other.id}"):
        assert run(["show", named, "-o", "json"]) == EXIT_DONE
        assert json.loads(capsys.readouterr().out) == expected
    assert run(["show"]) == EXIT_USAGE
    assert "--stack" in capsys.readouterr().err
    assert run(["show", "plans/other"]) == EXIT_USAGE


def test_planning_again_takes_the_same_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The step names what was given by hand, from where the person stands, and nothing else."""
    folder = tmp_path / "project"
    names = ("terraform.tfvars", "by hand.tfvars", "gone.tfvars")
    files = tuple(FileDigest(path=name, sha256="0" * 64) for name in names)
    sealed_project(folder)
    late = sealed(folder / "plans", now=NOW - timedelta(hours=30), stack=STACK, var_files=files)
    for name in names[:2]:
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    run(["show", late.id, "--project-dir", "project"])
    (step,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Next: ")]
    assert "--var-file 'project/by hand.tfvars'" in step
    assert step.count("--var-file") == 1


def test_used_plans_say_which_values_to_plan_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where none is left to use, the step is for the values of the last one."""
    (tmp_path / "lab.tfvars").touch()
    files = [FileDigest(path="lab.tfvars", sha256="0" * 64)]
    folder, used = sealed_project(tmp_path, var_files=files)
    monkeypatch.chdir(folder)
    consume(used.path)
    assert run(["show"]) == EXIT_SEALED_PLAN
    assert "biomodal-aws plan --var-file lab.tfvars --stack demo" in capsys.readouterr().err
