"""Tests for biomodal_deploy.plan.sealed.gathering: real plans, turned in every way."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import read_plan
from biomodal_deploy.plan.guards import judge
from biomodal_deploy.plan.sealed import (
    Facts,
    RuntimeFacts,
    SealedPlan,
    StateId,
    backend_of,
    drafting,
    gather,
    verify,
)
from biomodal_deploy.plan.sealed.gathering import modules_of
from tests.support.git import git, git_repository
from tests.support.terraform import Engine, bare_engine

BACKEND = {"local": {"path": "../../../state/demo.tfstate"}}

LOCK_FILE = ".terraform.lock.hcl"


def gathered(project: Path, directory: Path, **more: Any) -> Facts:
    """Gather the facts of a stack; where nothing else is said, of one without a state."""
    given: dict[str, Any] = {"stack": "demo", "backend": BACKEND, "terraform_version": "1.11.4"}
    given |= more
    known = {name: given.pop(name) for name in RuntimeFacts.model_fields if name in given}
    return gather(RuntimeFacts(**known), project=project, directory=directory, **given)


class Lab:
    """A synthesized stack of built-in resources in a project, planned by real Terraform."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.plans = project / "plans"
        self.directory = project / "cdktf.out" / "stacks" / "demo"
        self.directory.mkdir(parents=True)
        self.tfvars = project / "terraform.tfvars"
        self.tfvars.write_text('word = "one"\n')
        self.script = project / "scripts" / "install_script.sh"
        self.script.parent.mkdir()
        self.script.write_text("#!/bin/sh\n")
        (project / ".gitignore").write_text("plans/\ncdktf.out/\nstate/\n*.tfvars\nhome/\n")
        self.write(word="one")
        git_repository(project)
        self.engine: Engine = bare_engine(project / "home")
        self.engine.must(self.directory, "init")

    def write(self, word: str) -> None:
        """Synthesize."""
        resource = {"terraform_data": {"x": {"input": word}}}
        configuration = {"terraform": {"backend": BACKEND}, "resource": resource}
        (self.directory / "cdk.tf.json").write_text(json.dumps(configuration))

    def facts(self, workspace: str = "default") -> Facts:
        """Compute the facts, as before an apply."""
        pulled = self.engine.must(self.directory, "state", "pull")
        state = json.loads(pulled) if pulled.strip() else None
        version = json.loads(self.engine.must(self.directory, "version", "-json"))
        return gathered(
            self.project,
            self.directory,
            workspace=workspace,
            terraform_version=version["terraform_version"],
            providers=version["provider_selections"],
            state=StateId(lineage=state["lineage"], serial=state["serial"]) if state else None,
            var_files=[self.tfvars],
            install_script=self.script,
            account="111122223333",
            region="eu-west-2",
        )

    def seal(self) -> SealedPlan:
        """Plan and seal."""
        with drafting(self.plans, "demo") as draft:
            self.engine.must(self.directory, "plan", f"-out={draft.plan_file}")
            shown = self.engine.must(self.directory, "show", "-json", str(draft.plan_file))
            plan = read_plan(shown.encode())[0]
            return draft.seal(plan, self.facts(), verdicts=judge(plan))

    def apply(self, sealed_plan: SealedPlan) -> None:
        """Apply without asking anybody."""
        self.engine.must(self.directory, "apply", str(sealed_plan.plan_file))


@pytest.fixture
def stack(tmp_path: Path) -> Lab:
    """A stack that is planned and not applied yet."""
    return Lab(tmp_path)


def reasons(stack: Lab, sealed_plan: SealedPlan, **facts: str) -> list[str]:
    """Return why a sealed plan may not be applied now."""
    return [each.reason for each in verify(SealedPlan.load(sealed_plan.path), stack.facts(**facts))]


@pytest.mark.engine
class TestRealPlans:
    """A plan of real Terraform, sealed, and what happens to it."""

    def test_untouched_it_is_applied(self, stack: Lab) -> None:
        """What was approved is what runs."""
        sealed_plan = stack.seal()
        assert reasons(stack, sealed_plan) == []
        facts = sealed_plan.manifest.facts
        assert (facts.state, facts.git_clean) == (None, True)
        assert facts.directory == "cdktf.out/stacks/demo"
        assert [file.path for file in facts.var_files] == ["terraform.tfvars"]
        stack.apply(sealed_plan)

    @pytest.mark.parametrize(
        ("found", "edit"),
        [
            (["edited_synth"], lambda d: d.write(word="two")),
            (["edited_var_file"], lambda d: d.tfvars.write_text('word = "two"\n')),
            (["edited_var_file"], lambda d: d.tfvars.unlink()),
            (["edited_lock_file"], lambda d: (d.directory / LOCK_FILE).write_text("#")),
            # The working tree is no longer the commit.
            (
                ["edited_install_script", "dirty_tree"],
                lambda d: d.script.write_text("#!/bin/sh\n#"),
            ),
        ],
        ids=["synthesized JSON", "var-file", "var-file gone", "lock file", "install script"],
    )
    def test_an_edit_after_planning_is_refused(
        self, stack: Lab, found: list[str], edit: Callable[[Lab], object]
    ) -> None:
        """Nothing else is different then."""
        sealed_plan = stack.seal()
        edit(stack)
        assert reasons(stack, sealed_plan) == found

    def test_a_plan_for_no_state_is_refused_once_there_is_one(self, stack: Lab) -> None:
        """Terraform itself would apply it where the state lies elsewhere, a second time."""
        first, second = stack.seal(), stack.seal()
        stack.apply(first)
        assert reasons(stack, second) == ["state_appeared"]

    def test_a_plan_for_an_older_state_is_refused(self, stack: Lab) -> None:
        """Somebody else applied in between."""
        stack.apply(stack.seal())
        stack.write(word="two")
        first, second = stack.seal(), stack.seal()
        stack.apply(first)
        assert reasons(stack, second) == ["state_moved_on"]

    def test_another_checkout_with_another_state_is_refused(
        self, stack: Lab, tmp_path: Path
    ) -> None:
        """Terraform would write to the first one's state from there."""
        sealed_plan = stack.seal()
        elsewhere = Lab(tmp_path / "elsewhere")
        assert "other_backend" in reasons(elsewhere, sealed_plan)

    def test_a_plan_file_edited_inside_is_refused(self, stack: Lab) -> None:
        """Terraform runs the edit, and shows the original."""
        sealed_plan = stack.seal()
        with zipfile.ZipFile(sealed_plan.plan_file) as plan_file:
            parts = {name: plan_file.read(name) for name in plan_file.namelist()}
        name = next(name for name in parts if name.endswith("cdk.tf.json"))
        parts[name] = parts[name].replace(b'"one"', b'"evil"')
        with zipfile.ZipFile(sealed_plan.plan_file, "w") as plan_file:
            for part, content in parts.items():
                plan_file.writestr(part, content)
        stack.engine.must(stack.directory, "show", str(sealed_plan.plan_file))
        assert reasons(stack, sealed_plan) == ["edited_plan"]


def test_a_file_outside_the_project_keeps_its_whole_path(tmp_path: Path) -> None:
    """One inside is named from the project, so that another checkout finds it."""
    (tmp_path / "project" / "stack").mkdir(parents=True)
    facts = gathered(
        tmp_path / "project",
        tmp_path / "project" / "stack",
        var_files=[tmp_path / "shared.tfvars", Path("inside.tfvars")],
        data_dir=Path("data"),
    )
    assert [file.path for file in facts.var_files] == [
        str(tmp_path / "shared.tfvars"),
        "inside.tfvars",
    ]
    assert facts.data_dir == "data"
    assert (facts.git_commit, facts.lock_file_sha256, facts.install_script) == (None, None, None)


def test_a_folder_of_any_name_can_be_sealed(tmp_path: Path) -> None:
    """A line break in it is shown as a space; what is compared is the digest."""
    project = tmp_path / "new\nline\x1b[31m"
    (project / "stack").mkdir(parents=True)
    facts = gathered(project, project / "stack", backend={"local": {"path": "../state/x.tfstate"}})
    assert facts.backend == f"local:{tmp_path}/new line [31m/state/x.tfstate"


S3 = {"bucket": "states", "key": "demo.tfstate", "region": "eu-west-2", "use_lockfile": True}


S3_WHERE = "s3:states/demo.tfstate (eu-west-2)"
NO_BLOCK: list[Any] = [None, {}, [], "odd", [{"local": [{}]}]]
WORKSPACE = {"cloud": {"organization": "lab", "workspaces": {"name": "prod"}}}


def initialized(directory: Path, kind: str, settings: dict[str, Any]) -> Path:
    """Write what `terraform init` leaves of a backend."""
    (directory / ".terraform").mkdir(parents=True)
    backend = {"type": kind, "config": settings, "hash": 1}
    text = json.dumps({"version": 3, "backend": backend})
    (directory / ".terraform" / "terraform.tfstate").write_text(text)
    return directory


class TestBackend:
    """Where the state lives, without credentials."""

    @pytest.mark.parametrize(
        ("block", "where"),
        [
            # The organization and the workspace say where the state is, not the host alone.
            (WORKSPACE, "cloud:lab/prod"),
            ({"s3": S3}, S3_WHERE),
            ([{"s3": [S3]}], S3_WHERE),
            # Without a block it is the local default, as for Terraform.
            *((block, None) for block in NO_BLOCK),
        ],
    )
    def test_it_is_shown_for_people(self, tmp_path: Path, block: object, where: str | None) -> None:
        """Bucket, key and region; Terraform JSON allows a block as a list."""
        default = f"local:{tmp_path / 'terraform.tfstate'}"
        assert backend_of(tmp_path, block).where == (where or default)

    def test_a_block_as_a_list_is_a_block(self, tmp_path: Path) -> None:
        """It has the same fingerprint."""
        assert backend_of(tmp_path, [{"s3": [S3]}]) == backend_of(tmp_path, {"s3": S3})

    def test_what_is_initialized_goes_before_what_is_configured(self, tmp_path: Path) -> None:
        """Terraform acts on that, where TF_DATA_DIR points."""
        directory = initialized(tmp_path / "a", "s3", {**S3, "key": "other"})
        assert backend_of(directory, {"s3": S3}).where == "s3:states/other (eu-west-2)"
        shutil.move(directory / ".terraform", directory / "data")
        assert backend_of(directory, None, Path("data")).where == "s3:states/other (eu-west-2)"

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
        block = {"local": {"path": "../state/x.tfstate"}}
        one, two = backend_of(tmp_path / "a", block), backend_of(tmp_path / "b" / "c", block)
        assert one.where == f"local:{tmp_path / 'state' / 'x.tfstate'}"
        assert one.sha256 != two.sha256

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
        git_repository(origin)
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
        before = set(modules_of(stack))
        (tmp_path / "local" / "main.tf").write_text("# edited\n")
        (downloaded,) = (stack / ".terraform" / "modules").glob("one/one/main.tf")
        downloaded.write_text("# edited\n")
        assert {module.key for module in set(modules_of(stack)) - before} == {"one", "beside"}

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
    source = "git::https://user:canary@example.org/m.git?ref=v1"
    module = {"Key": "m", "Source": source, "Version": "", "Dir": ".terraform/modules/m"}
    listed = {"Modules": [{"Key": "", "Source": "", "Dir": "."}, module]}
    (tmp_path / ".terraform" / "modules" / "modules.json").write_text(json.dumps(listed))
    (found,) = modules_of(tmp_path)
    assert (found.source, found.version) == ("git::https://example.org/m.git?ref=v1", None)


def test_a_stack_without_modules_has_none(tmp_path: Path) -> None:
    """And is no error."""
    assert modules_of(tmp_path) == ()
