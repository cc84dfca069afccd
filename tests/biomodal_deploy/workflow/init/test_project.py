"""A new project: what an empty folder gets, and what a folder that holds something keeps."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from pydantic import JsonValue

from biomodal_deploy.config.settings import PROJECT_FILE, has_own_app, read_project_file
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.adding import prepare_project, project_steps
from biomodal_deploy.workflow.init.answers import Given
from biomodal_deploy.workflow.init.project import name_of, rehearsal_project, write_project
from biomodal_deploy.workflow.location import Location
from tests.support.project import ROOT, contents


def make(folder: Path, given: Given | None = None, *, eject_app: bool = False) -> None:
    """Make a project where nobody is asked."""
    found = prepare_project(folder, given or Given(), asker=None, eject_app=eject_app)
    write_project(found)


def test_an_empty_folder_becomes_a_project(tmp_path: Path) -> None:
    """Settings, values, scripts, README and .gitignore; its stack has the folder's name."""
    folder = tmp_path / "My Lab"
    make(folder, Given(variables={"region": "eu-west-2"}))
    location = Location.of(folder, {})
    assert list(location.stacks) == ["my-lab"]
    assert location.settings("my-lab").bootstrap == "native"
    assert location.settings("my-lab").home_region == "eu-west-2"
    assert location.settings("my-lab").var_files == ()
    assert {path.name for path in folder.iterdir()} == {
        *("cdktf.json", "main.py", "terraform.tfvars", "scripts", ".gitignore", "README.md"),
        "requirements.txt",
    }
    script = folder / "scripts" / "install_script.sh"
    assert script.read_bytes() == (ROOT / "scripts" / "install_script.sh").read_bytes()
    assert script.stat().st_mode & 0o111
    values = (folder / "terraform.tfvars").read_text()
    assert 'region = "eu-west-2"\n' in values
    assert "\n# vpc_id = null\n" in values


def test_the_app_is_one_and_the_same_file_everywhere(tmp_path: Path) -> None:
    """The five lines of this repository's `main.py` are those of every project."""
    make(tmp_path / "lab")
    code = [
        path.read_text().split('"""')[2] for path in (tmp_path / "lab/main.py", ROOT / "main.py")
    ]
    assert code[0] == code[1]
    assert not has_own_app(tmp_path / "lab")


def test_an_ejected_app_is_whole(tmp_path: Path) -> None:
    """Each module of the app's is in the project, which then uses those."""
    make(tmp_path / "lab", eject_app=True)
    assert has_own_app(tmp_path / "lab")
    ours = {path.name for path in (ROOT / "stacks").glob("*.py")}
    assert {path.name for path in (tmp_path / "lab" / "stacks").iterdir()} == ours


def test_what_is_there_stays(tmp_path: Path) -> None:
    """A repository's README and .gitignore are kept; another program's main.py ends it all."""
    (tmp_path / "README.md").write_text("# ours\n")
    found = prepare_project(tmp_path, Given(), asker=None, eject_app=False)
    assert found.kept == ("README.md",)
    write_project(found)
    assert (tmp_path / "README.md").read_text() == "# ours\n"
    other = tmp_path / "other"
    other.mkdir()
    (other / "main.py").write_text("print()\n")
    with pytest.raises(UsageError, match=r"main\.py: already exists"):
        prepare_project(other, Given(), asker=None, eject_app=False)
    assert [path.name for path in other.iterdir()] == ["main.py"]


def test_a_project_that_was_stopped_halfway_is_finished(tmp_path: Path) -> None:
    """`cdktf.json` comes last: without it the folder is no project, and `init` makes it one."""
    found = prepare_project(tmp_path, Given(name="lab"), asker=None, eject_app=False)
    assert list(found.files)[-1] == PROJECT_FILE
    write_project(found)
    whole = contents(tmp_path)
    (tmp_path / PROJECT_FILE).unlink()
    make(tmp_path, Given(name="lab"))
    assert contents(tmp_path) == whole


@pytest.mark.parametrize(
    ("folder", "name"),
    [("lab", "lab"), ("Team_A lab", "team-a-lab"), ("2026-lab", None), ("...", None)],
)
def test_the_stack_is_named_after_the_folder(folder: str, name: str | None) -> None:
    """Where its name gives one that a stack may have."""
    assert name_of(Path("x") / folder) == name


def test_a_folder_without_a_name_needs_one(tmp_path: Path) -> None:
    """It is named as missing, and nothing is written."""
    with pytest.raises(UsageError, match="NAME"):
        prepare_project(tmp_path / "2026", Given(), asker=None, eject_app=False)
    assert not (tmp_path / "2026").exists()


def test_the_project_is_found_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with Git: the nearest one above; a folder that is named is taken as it is."""
    make(tmp_path / "lab")
    inner = tmp_path / "lab" / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert Location.of(Path(), {}).project_dir == tmp_path / "lab"
    with pytest.raises(UsageError, match="biomodal-aws init"):
        Location.of(inner, {})


def test_next_comes_the_folder_then_the_rehearsal(tmp_path: Path) -> None:
    """The commands work as they are printed, from where the caller is."""
    found = prepare_project(tmp_path / "a lab", Given(), asker=None, eject_app=False)
    assert project_steps(found, tmp_path)[:2] == ["cd 'a lab'", "biomodal-aws demo"]
    assert project_steps(found, tmp_path / "a lab")[0] == "biomodal-aws demo"
    found = prepare_project(tmp_path / "-lab", Given(), asker=None, eject_app=False)
    assert project_steps(found, tmp_path)[0] == "cd ./-lab"


def test_a_rehearsal_takes_the_project_s_own_scripts(tmp_path: Path) -> None:
    """And its app, where it has one; from an empty folder it takes the package's."""
    rehearsed: dict[str, JsonValue] = {"x": {"bootstrap": "native"}}
    (tmp_path / "nothing").mkdir()
    (tmp_path / "one").mkdir()
    rehearsal_project(tmp_path / "nothing", tmp_path / "one", "x", rehearsed)
    assert read_project_file(tmp_path / "one").context == {"stacks": rehearsed}
    make(tmp_path / "lab", eject_app=True)
    (tmp_path / "lab/scripts/install_script.sh").write_text("#!/bin/sh\necho ours\n")
    (tmp_path / "two").mkdir()
    rehearsal_project(tmp_path / "lab", tmp_path / "two", "x", rehearsed)
    assert "ours" in (tmp_path / "two/scripts/install_script.sh").read_text()
    assert has_own_app(tmp_path / "two")
    assert not has_own_app(tmp_path / "one")
    assert json.loads((tmp_path / "two" / PROJECT_FILE).read_text())["app"] == "python main.py"


def test_it_pins_the_program_that_made_it(tmp_path: Path) -> None:
    """`pip install -r requirements.txt` brings a colleague the same version."""
    make(tmp_path)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert (tmp_path / "requirements.txt").read_text() == f"biomodal-aws=={version}\n"
