"""`init` from the command line: options in, two files and the next commands out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.errors import EXIT_DONE, EXIT_USAGE
from tests.support.project import ROOT

PLACE = ("--region=eu-west-2", "--vpc-id=vpc-0a1b2c3d", "--subnet-id=subnet-0a1b2c3d")

EXAMPLE = (
    "note: biomodal-aws has no values: fill in terraform.tfvars for it, or take it out of "
    "cdktf.json."
)

Init = Callable[..., tuple[int, str, str]]


@pytest.fixture
def init(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Init:
    """Runs the command in a project of its own, with a home of its own."""
    shutil.copy(ROOT / "cdktf.json", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CDKTF_CONTEXT_JSON", raising=False)

    def command(*words: str) -> tuple[int, str, str]:
        status = run(["init", *words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return command


def test_options_alone_make_a_stack(init: Init) -> None:
    """It says what it wrote and what comes next, the key of the native VM first."""
    status, out, err = init("dev", "--bootstrap=native", *PLACE)
    assert (status, err) == (EXIT_DONE, "")
    assert out.splitlines() == [
        "Added: the stack dev",
        "  settings   cdktf.json",
        "  variables  environments/dev.tfvars",
        EXAMPLE,
        "Next: git add cdktf.json environments/dev.tfvars",
        "      biomodal-aws keygen dev",
        "      biomodal-aws doctor --stack dev",
        "      biomodal-aws plan --stack dev",
    ]
    again, _, err = init("dev", *PLACE)
    assert (again, "cdktf.json has a stack of that name" in err) == (EXIT_USAGE, True)
    copied, out, _ = init("test", "--from=dev", "--var=tag_value=test")
    assert copied == EXIT_DONE
    assert 'tag_value = "test"' in Path("environments/test.tfvars").read_text()


def test_a_shared_state_is_looked_at_first(init: Init) -> None:
    """The bucket may not be there yet; one that is a stack itself lacks no values."""
    document = json.loads(Path("cdktf.json").read_text())
    made = {"bucket": "lab-states"}
    document["context"]["stacks"] = {
        "states": {"bootstrap": "state-bucket", "region": "eu-west-2", "state_bucket": made}
    }
    Path("cdktf.json").write_text(json.dumps(document))
    config = ("--backend-config=bucket=lab-states", "--backend-config=region=eu-west-2")
    out = init("dev", *PLACE, "--backend=s3", *config)[1]
    assert out.splitlines()[3:] == [
        "Next: git add cdktf.json environments/dev.tfvars",
        "      biomodal-aws backend check --stack dev",
        "      biomodal-aws doctor --stack dev",
        "      biomodal-aws plan --stack dev",
    ]


def test_the_accounts_roles_are_a_stack_too(init: Init) -> None:
    """Which of them are missing, another command says; until then none is made."""
    out = init("roles", "--bootstrap=prerequisites", "--region=eu-west-2")[1]
    assert "note: No role is chosen yet: set those to true in environments/roles.tfvars" in out
    assert out.splitlines()[-2:] == [
        "      biomodal-aws doctor --commands --region eu-west-2",
        "      biomodal-aws plan --stack roles",
    ]
    chosen = ("--var=spot_service_role=true", "--region=eu-west-2")
    assert "No role" not in init("spot", "--bootstrap=prerequisites", *chosen)[1]


def test_what_is_missing_is_one_line(init: Init) -> None:
    """Nobody is at a terminal here."""
    status, out, err = init()
    assert (status, out) == (EXIT_USAGE, "")
    assert err.startswith("error: NAME, --region, --vpc-id, --subnet-id: missing")
    assert len(err.splitlines()) == 1
    assert "--var region: duplicate" in init("dev", *PLACE, "--var=region=eu-west-1")[2]
    assert "A variable is NAME=VALUE" in init("dev", *PLACE, "--var=region")[2]


def test_a_dry_run_shows_both_files(init: Init) -> None:
    """And writes neither."""
    before = Path("cdktf.json").read_bytes()
    status, out, _ = init(
        "dev", *PLACE, "--dry-run", "--backend=cloud", "--backend-config=organization=lab"
    )
    assert status == EXIT_DONE
    assert '+        "profile": "documented",' in out
    assert '+          "organization": "lab"' in out
    assert '\nvpc_id = "vpc-0a1b2c3d"\n' in out
    assert (Path("cdktf.json").read_bytes(), Path("environments").exists()) == (before, False)


def test_programs_get_the_same(init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, values, the file and the next commands; what should be known is in the notes."""
    Path("terraform.tfvars").touch()
    monkeypatch.setenv("CDKTF_CONTEXT_JSON", "{}")
    status, out, _ = init(
        "dev", *PLACE, "--profile=hardened", "--output=json", "--var=vm_volume_gib=50"
    )
    data: dict[str, Any] = json.loads(out)["data"]
    assert (status, data["stack"], data["written"]) == (EXIT_DONE, "dev", True)
    assert data["settings"]["var_files"] == ["environments/dev.tfvars"]
    assert data["variables"]["vm_volume_gib"] == 50
    assert data["var_file_text"] == Path("environments/dev.tfvars").read_text()
    assert data["next"] == ["biomodal-aws doctor --stack dev", "biomodal-aws plan --stack dev"]
    shared, context = data["notes"]
    subprocess.run(["git", "init", "-q", "."], check=True)
    Path(".gitignore").write_text("*.tfvars\n")
    init("prod", *PLACE, "--backend=cloud", "--backend-config=organization=lab")
    local = init("test", *PLACE)[1]
    assert "note: Git ignores environments/test.tfvars: add !environments/test.tfvars" in local
    assert "note: The state of test is on this machine alone; that of prod is in cloud lab" in local
    assert shared.startswith("terraform.tfvars is read for dev too")
    assert context.startswith("CDKTF_CONTEXT_JSON replaces")


def test_an_empty_folder_becomes_a_project_with_a_key(
    init: Init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files, the native VM's SSH key, and the way to the first rehearsal."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "cdktf.json").unlink()
    monkeypatch.chdir(tmp_path / "elsewhere")
    status, out, err = init("lab", *PLACE)
    assert (status, err) == (EXIT_DONE, "")
    assert "cd lab" in out
    assert (tmp_path / "home" / ".ssh" / "lab.pem").stat().st_mode & 0o777 == 0o600
    assert 'vpc_id = "vpc-0a1b2c3d"' in (tmp_path / "elsewhere/lab/terraform.tfvars").read_text()
    # From a folder inside of it the same command adds a stack.
    monkeypatch.chdir(tmp_path / "elsewhere" / "lab" / "scripts")
    status, out, err = init("dev", *PLACE, "--output=json")
    assert (status, json.loads(out)["data"]["var_file"]) == (EXIT_DONE, "environments/dev.tfvars")
    stacks = json.loads((tmp_path / "elsewhere/lab/cdktf.json").read_text())["context"]
    assert list(stacks["stacks"]) == ["lab", "dev"]


@pytest.mark.parametrize(
    "words", [("--from", "dev"), ("lab", "--bootstrap=prerequisites", "--var", "vm_name=x")]
)
def test_a_project_that_cannot_be_made_leaves_nothing(
    init: Init, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """One line, and not even its folder."""
    (tmp_path / "cdktf.json").unlink()
    status, out, err = init(*words)
    assert (status, out) == (EXIT_USAGE, "")
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
