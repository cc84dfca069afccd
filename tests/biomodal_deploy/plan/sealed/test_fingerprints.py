"""Tests for biomodal_deploy.plan.sealed.fingerprints."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.sealed import backend_of, modules_of
from tests.support.terraform import bare_engine

S3 = {"bucket": "states", "key": "demo.tfstate", "region": "eu-west-2", "use_lockfile": True}


def initialized(directory: Path, kind: str, settings: dict[str, Any]) -> Path:
    """Write what `terraform init` leaves of a backend."""
    (directory / ".terraform").mkdir(parents=True)
    backend = {"type": kind, "config": settings, "hash": 1}
    (directory / ".terraform" / "terraform.tfstate").write_text(
        json.dumps({"version": 3, "backend": backend})
    )
    return directory


class TestBackend:
    """Where the state lives, without credentials."""

    def test_a_workspace_is_named(self, tmp_path: Path) -> None:
        """The organization and the workspace say where the state is, not the host alone."""
        block = {"cloud": {"organization": "lab", "workspaces": {"name": "prod"}}}
        assert backend_of(tmp_path, block).where == "cloud:lab/prod"

    def test_it_is_shown_for_people(self, tmp_path: Path) -> None:
        """Bucket, key and region."""
        assert backend_of(tmp_path, {"s3": S3}).where == "s3:states/demo.tfstate (eu-west-2)"

    def test_what_is_initialized_goes_before_what_is_configured(self, tmp_path: Path) -> None:
        """Terraform acts on that."""
        directory = initialized(tmp_path / "a", "s3", {**S3, "bucket": "others"})
        assert backend_of(directory, {"s3": S3}).where == "s3:others/demo.tfstate (eu-west-2)"

    def test_before_and_after_init_it_is_the_same(self, tmp_path: Path) -> None:
        """Init adds every setting that is not set, as null."""
        directory = initialized(tmp_path / "a", "s3", {**S3, "profile": None, "acl": None})
        assert backend_of(directory, None) == backend_of(tmp_path, {"s3": S3})

    @pytest.mark.parametrize("key", ["bucket", "key", "region", "use_lockfile"])
    def test_every_setting_counts(self, tmp_path: Path, key: str) -> None:
        """Another bucket is another state."""
        other = backend_of(tmp_path, {"s3": {**S3, key: "other"}})
        assert other.sha256 != backend_of(tmp_path, {"s3": S3}).sha256

    @pytest.mark.parametrize("key", ["access_key", "secret_key", "token", "password", "sas_token"])
    def test_credentials_do_not_count_and_do_not_show(self, tmp_path: Path, key: str) -> None:
        """They say who may open a state, and a digest could be guessed at."""
        with_key = backend_of(tmp_path, {"s3": {**S3, key: "canary"}})
        assert with_key == backend_of(tmp_path, {"s3": S3})

    def test_the_same_relative_path_elsewhere_is_another_state(self, tmp_path: Path) -> None:
        """A local state lies where the directory lies."""
        one = backend_of(tmp_path / "a", {"local": {"path": "../state/x.tfstate"}})
        two = backend_of(tmp_path / "b" / "c", {"local": {"path": "../state/x.tfstate"}})
        assert one.where == f"local:{tmp_path / 'state' / 'x.tfstate'}"
        assert one.sha256 != two.sha256

    @pytest.mark.parametrize("block", [None, {}, [], "odd", [{"local": [{}]}]])
    def test_without_a_block_it_is_the_local_default(self, tmp_path: Path, block: object) -> None:
        """As Terraform does."""
        assert backend_of(tmp_path, block).where == f"local:{tmp_path / 'terraform.tfstate'}"

    def test_a_block_as_a_list_is_a_block(self, tmp_path: Path) -> None:
        """Terraform JSON allows both."""
        assert backend_of(tmp_path, [{"s3": [S3]}]) == backend_of(tmp_path, {"s3": S3})

    def test_another_data_directory_is_read(self, tmp_path: Path) -> None:
        """Where TF_DATA_DIR points."""
        initialized(tmp_path / "a", "s3", S3)
        shutil.move(tmp_path / "a" / ".terraform", tmp_path / "a" / "data")
        assert backend_of(tmp_path / "a", None, Path("data")).where.startswith("s3:states")

    def test_what_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        """Rather than taken for another backend."""
        (tmp_path / ".terraform").mkdir()
        (tmp_path / ".terraform" / "terraform.tfstate").write_text("{")
        with pytest.raises(UsageError, match="cannot be read"):
            backend_of(tmp_path, None)

    @pytest.mark.engine
    def test_real_terraform_leaves_what_is_read(self, tmp_path: Path) -> None:
        """The fingerprint before `init` is the one after it."""
        block = {"local": {"path": "../state/demo.tfstate"}}
        directory = tmp_path / "stack"
        directory.mkdir()
        (directory / "cdk.tf.json").write_text(json.dumps({"terraform": {"backend": block}}))
        before = backend_of(directory, block)
        bare_engine(tmp_path).must(directory, "init")
        assert (directory / ".terraform" / "terraform.tfstate").exists()
        assert backend_of(directory, None) == before


def git(folder: Path, *arguments: str) -> str:
    """Run Git as nobody in particular."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


@pytest.mark.engine
class TestModules:
    """What Terraform downloaded, to the commit."""

    @pytest.fixture
    def origin(self, tmp_path: Path) -> Path:
        """A repository with two modules."""
        origin = tmp_path / "origin"
        for name in ("one", "two"):
            (origin / name).mkdir(parents=True)
            (origin / name / "main.tf").write_text(f'output "name" {{ value = "{name}" }}\n')
        git(origin, "init", "-q", "-b", "main")
        git(origin, "add", ".")
        git(origin, "commit", "-q", "-m", "one")
        return origin

    @pytest.fixture
    def stack(self, tmp_path: Path, origin: Path) -> Path:
        """A stack that calls both, and a local module beside it."""
        stack = tmp_path / "stack"
        stack.mkdir()
        (tmp_path / "local").mkdir()
        (tmp_path / "local" / "main.tf").write_text("")
        calls = {
            "one": {"source": f"git::file://{origin}//one?ref=main"},
            "two": {"source": f"git::file://{origin}//two?ref=main"},
            "beside": {"source": "../local"},
        }
        (stack / "cdk.tf.json").write_text(json.dumps({"module": calls}))
        bare_engine(tmp_path).must(stack, "init")
        return stack

    def test_every_call_has_its_source_and_commit(self, stack: Path, origin: Path) -> None:
        """Also the copy that Terraform makes of a package that it has already."""
        commit = git(origin, "rev-parse", "HEAD")
        modules = {module.key: module for module in modules_of(stack)}
        assert set(modules) == {"one", "two", "beside"}
        assert modules["one"].commit == modules["two"].commit == commit
        assert modules["one"].source == f"git::file://{origin}//one?ref=main"
        assert modules["beside"].commit is None
        assert modules["one"].sha256 != modules["two"].sha256

    def test_the_projects_own_commit_is_no_modules(self, stack: Path, tmp_path: Path) -> None:
        """A module in the project's repository is no clone."""
        git(tmp_path, "init", "-q")
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "project")
        modules = {module.key: module for module in modules_of(stack)}
        assert modules["beside"].commit is None

    def test_an_edit_of_any_module_is_seen(self, stack: Path, tmp_path: Path) -> None:
        """Downloaded or local."""
        before = modules_of(stack)
        (tmp_path / "local" / "main.tf").write_text("# edited\n")
        (downloaded,) = (stack / ".terraform" / "modules").glob("one/one/main.tf")
        downloaded.write_text("# edited\n")
        after = {module.key: module.sha256 for module in modules_of(stack)}
        changed = {module.key for module in before if module.sha256 != after[module.key]}
        assert changed == {"one", "beside"}

    def test_another_commit_is_seen(self, stack: Path, origin: Path, tmp_path: Path) -> None:
        """The same branch, fetched again."""
        before = {module.key: module.commit for module in modules_of(stack)}
        (origin / "one" / "main.tf").write_text("")
        git(origin, "commit", "-q", "-am", "two")
        bare_engine(tmp_path).must(stack, "init", "-upgrade")
        after = {module.key: module.commit for module in modules_of(stack)}
        assert after["one"] == git(origin, "rev-parse", "HEAD") != before["one"]


def test_credentials_in_a_source_do_not_show(tmp_path: Path) -> None:
    """A token in a Git URL would be in every manifest."""
    (tmp_path / ".terraform" / "modules" / "m").mkdir(parents=True)
    listed = {
        "Modules": [
            {"Key": "", "Source": "", "Dir": "."},
            {
                "Key": "m",
                "Source": "git::https://user:canary@example.org/m.git?ref=v1",
                "Version": "",
                "Dir": ".terraform/modules/m",
            },
        ]
    }
    (tmp_path / ".terraform" / "modules" / "modules.json").write_text(json.dumps(listed))
    (module,) = modules_of(tmp_path)
    assert module.source == "git::https://example.org/m.git?ref=v1"
    assert module.version is None


def test_a_stack_without_modules_has_none(tmp_path: Path) -> None:
    """And is no error."""
    assert modules_of(tmp_path) == ()
