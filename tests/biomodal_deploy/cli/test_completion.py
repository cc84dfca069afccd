"""Tests for biomodal_deploy.cli.completion."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.cli.completion import SCRIPTS, TABLE, VARIABLE, answer
from biomodal_deploy.errors import EXIT_DONE, EXIT_USAGE
from tests.support.commands_page import table
from tests.support.processes import run_program

NEW: Final = "20261129T101112Z-0a1b2c"
OLD: Final = "20261128T101112Z-0a1b2c"
OTHER: Final = "20261127T101112Z-0a1b2c"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two stacks, three plans, and names that are none."""
    stacks: dict[str, object] = {"lab": {}, "prod": {}, "$(touch gone)": {}, "a b": {}, "x\ny": {}}
    (tmp_path / "cdktf.json").write_text(json.dumps({"app": "x", "context": {"stacks": stacks}}))
    for name in (f"lab/{OLD}", f"lab/{NEW}", f"prod/{OTHER}", "lab/draft-x", "lab/;x-Z-y"):
        (tmp_path / "plans" / name).mkdir(parents=True)
    (tmp_path / "plans" / "kept").mkdir()
    (tmp_path / "plans" / "kept" / "history.jsonl").touch()
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    return tmp_path


def bash(*words: str, **environment: str) -> list[str]:
    """Return what Tab offers."""
    return answer("bash", words, environment).split("\n")


def test_the_table_is_that_of_the_commands() -> None:
    """`make docs` writes it: a command or option that is new completes as well."""
    assert TABLE.read_text() == table()


def test_commands_and_options_complete() -> None:
    """At every level, behind `help` as well; choices too, and no option behind `--`."""
    assert bash("pla") == ["plan", "plans"]
    assert bash("help", "pla") == ["plan", "plans"]
    assert bash("backend", "c") == ["create", "check"]
    assert bash("plan", "--destr") == ["--destroy"]
    assert bash("show", "--format", "m") == ["markdown"]
    assert bash("show", "-o", "j") == ["json"]
    assert bash("show", "--output=j") == ["--output=json"]
    assert bash("nothing", "") == bash("connect", "--", "--st") == bash("plan", "") == [""]


def test_stacks_and_plans_complete(project: Path) -> None:
    """From inside the project; plans the newest first, and those of a stack that is named."""
    assert bash("plan", "--stack", "") == ["kept", "lab", "prod"]
    assert bash("plan", "--stack", "=", "l") == ["lab"]
    assert bash("apply", "") == [NEW, OLD, OTHER]
    assert bash("show", "--stack", "lab", "--full", "") == [NEW, OLD]
    assert bash("show", "", BIOMODAL_STACK="prod") == [OTHER]
    assert bash("show", NEW, "") == [""]
    assert bash("apply", NEW, OLD[:8]) == [OLD]
    assert answer("zsh", ["show", OTHER], {}) == f"{OTHER}:prod"
    assert answer("fish", ["show", OTHER], {}) == f"{OTHER}\tprod"


def test_another_project_is_looked_at_where_one_is_named(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the option or its variable; where there is none, nothing is offered."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert bash("plan", "--stack", "") == [""]
    assert bash("plan", "--project-dir", str(project), "--stack", "p") == ["prod"]
    assert bash("plan", "--stack", "p", BIOMODAL_PROJECT_DIR=str(project)) == ["prod"]
    (elsewhere / "cdktf.json").write_text('{"context": [')
    assert bash("plan", "--stack", "") == [""]


def test_nothing_slow_is_loaded() -> None:
    """Neither the commands nor the libraries: whoever presses Tab waits for it."""
    program = (
        "import sys\nfrom biomodal_deploy.__main__ import main\nsys.argv = ['x', 'pla']\nmain()\n"
        "heavy = {'typer', 'pydantic', 'rich', 'boto3', 'biomodal_deploy.cli.app'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = run_program(
        [sys.executable, "-c", program], env={**os.environ, VARIABLE: "bash"}, check=True
    )
    assert done.stdout.splitlines() == ["plan", "plans", "[]"]


ASKED: Final = {
    "bash": 'COMP_WORDS=(biomodal-aws apply "") COMP_CWORD=2\n'
    '_biomodal_aws biomodal-aws\nprintf "%s\\n" "${COMPREPLY[@]}"',
    # Its completion works inside of its line editor only: what that calls stands in.
    "zsh": 'words=(biomodal-aws apply "") CURRENT=3\n_biomodal_aws',
    "fish": "complete -C 'biomodal-aws apply '",
}
STAND_INS: Final = "compdef() { }\n_describe() { print -l ${found%%:*} }\n_files() { }\n"


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_reads_its_script(shell: str, project: Path) -> None:
    """In the shell itself, where it is installed."""
    if not (program := shutil.which(shell)):
        pytest.skip(f"{shell} is not installed")
    script = (STAND_INS if shell == "zsh" else "") + SCRIPTS[shell] + ASKED[shell]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = run_program(
        [program, "-c", script], env={**os.environ, "PATH": path, "HOME": str(project)}, check=True
    )
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [NEW, OLD, OTHER]


@pytest.mark.parametrize(
    ("shell", "where"),
    [
        ("bash", ".local/share/biomodal-aws/completion.bash"),
        ("zsh", ".local/share/biomodal-aws/completion.zsh"),
        ("fish", ".config/fish/completions/biomodal-aws.fish"),  # its own folder, nothing else
    ],
)
def test_it_is_installed_once(
    shell: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start-up file keeps what it holds, and gets one line."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    start = tmp_path / f".{shell}rc"
    start.write_text("mine")
    for _ in range(2):
        assert run(["--install-completion"]) == EXIT_DONE
    script = tmp_path / where
    assert start.read_text() == ("mine" if shell == "fish" else f"mine\nsource {script}\n")
    assert script.read_text() == SCRIPTS[shell]
    assert {each for each in tmp_path.rglob("*") if each.is_file()} == {start, script}


def test_the_script_can_be_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For another place; an unknown shell is refused with the way out."""
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert run(["--show-completion"]) == EXIT_DONE
    assert capsys.readouterr().out == SCRIPTS["bash"]
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    assert run(["--show-completion"]) == run(["--install-completion"]) == EXIT_USAGE
    assert "bash, zsh and fish" in capsys.readouterr().err
