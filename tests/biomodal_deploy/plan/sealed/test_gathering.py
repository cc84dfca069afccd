"""Tests for biomodal_deploy.plan.sealed.gathering: real plans, turned in every way."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from biomodal_deploy.plan import read_plan
from biomodal_deploy.plan.guards import judge
from biomodal_deploy.plan.sealed import Bundle, Facts, StateId, drafting, gather, verify
from tests.support.terraform import Engine, bare_engine

BACKEND = {"local": {"path": "../../../state/demo.tfstate"}}


class Deployment:
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
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
            identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
            subprocess.run(["git", "-C", project, *identity, *arguments], check=True)
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
        return gather(
            project=self.project,
            directory=self.directory,
            stack="demo",
            workspace=workspace,
            backend=BACKEND,
            terraform_version=version["terraform_version"],
            providers=version["provider_selections"],
            state=StateId(lineage=state["lineage"], serial=state["serial"]) if state else None,
            var_files=[self.tfvars],
            install_script=self.script,
            account="111122223333",
            region="eu-west-2",
        )

    def seal(self) -> Bundle:
        """Plan and seal."""
        with drafting(self.plans, "demo") as draft:
            self.engine.must(self.directory, "plan", f"-out={draft.plan_file}")
            shown = self.engine.must(self.directory, "show", "-json", str(draft.plan_file))
            plan = read_plan(shown.encode())[0]
            return draft.seal(plan, self.facts(), verdicts=judge(plan))

    def apply(self, bundle: Bundle) -> None:
        """Apply without asking anybody."""
        self.engine.must(self.directory, "apply", str(bundle.plan_file))


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """A stack that is planned and not applied yet."""
    return Deployment(tmp_path)


def reasons(deployment: Deployment, bundle: Bundle, **facts: str) -> list[str]:
    """Return why a sealed plan may not be applied now."""
    return [each.reason for each in verify(Bundle.load(bundle.path), deployment.facts(**facts))]


@pytest.mark.engine
class TestRealPlans:
    """A plan of real Terraform, sealed, and what happens to it."""

    def test_untouched_it_is_applied(self, deployment: Deployment) -> None:
        """What was approved is what runs."""
        bundle = deployment.seal()
        assert reasons(deployment, bundle) == []
        assert bundle.manifest.facts.state is None
        assert bundle.manifest.facts.git_clean is True
        assert bundle.manifest.facts.directory == "cdktf.out/stacks/demo"
        assert [file.path for file in bundle.manifest.facts.var_files] == ["terraform.tfvars"]
        deployment.apply(bundle)

    @pytest.mark.parametrize(
        ("reason", "edit"),
        [
            ("edited_synth", lambda d: d.write(word="two")),
            ("edited_var_file", lambda d: d.tfvars.write_text('word = "two"\n')),
            ("edited_var_file", lambda d: d.tfvars.unlink()),
            ("edited_lock_file", lambda d: (d.directory / ".terraform.lock.hcl").write_text("#")),
        ],
        ids=["synthesized JSON", "var-file", "var-file gone", "lock file"],
    )
    def test_an_edit_after_planning_is_refused(
        self, deployment: Deployment, reason: str, edit: Callable[[Deployment], object]
    ) -> None:
        """Nothing else is different then."""
        bundle = deployment.seal()
        edit(deployment)
        assert reasons(deployment, bundle) == [reason]

    def test_an_edited_install_script_is_refused(self, deployment: Deployment) -> None:
        """And the working tree is no longer the commit."""
        bundle = deployment.seal()
        deployment.script.write_text("#!/bin/sh\nid\n")
        assert reasons(deployment, bundle) == ["edited_install_script", "dirty_tree"]

    def test_a_plan_for_no_state_is_refused_once_there_is_one(self, deployment: Deployment) -> None:
        """Terraform itself would apply it where the state lies elsewhere, a second time."""
        first, second = deployment.seal(), deployment.seal()
        deployment.apply(first)
        assert reasons(deployment, second) == ["state_appeared"]

    def test_a_plan_for_an_older_state_is_refused(self, deployment: Deployment) -> None:
        """Somebody else applied in between."""
        deployment.apply(deployment.seal())
        deployment.write(word="two")
        first, second = deployment.seal(), deployment.seal()
        deployment.apply(first)
        assert reasons(deployment, second) == ["state_moved_on"]

    def test_another_workspace_is_refused(self, deployment: Deployment) -> None:
        """Terraform builds everything a second time there."""
        bundle = deployment.seal()
        assert reasons(deployment, bundle, workspace="prod") == ["other_workspace"]

    def test_another_checkout_with_another_state_is_refused(
        self, deployment: Deployment, tmp_path: Path
    ) -> None:
        """Terraform would write to the first one's state from there."""
        bundle = deployment.seal()
        elsewhere = Deployment(tmp_path / "elsewhere")
        assert "other_backend" in reasons(elsewhere, bundle)

    def test_a_plan_file_edited_inside_is_refused(self, deployment: Deployment) -> None:
        """Terraform runs the edit, and shows the original."""
        bundle = deployment.seal()
        with zipfile.ZipFile(bundle.plan_file) as plan_file:
            parts = {name: plan_file.read(name) for name in plan_file.namelist()}
        name = next(name for name in parts if name.endswith("cdk.tf.json"))
        parts[name] = parts[name].replace(b'"one"', b'"evil"')
        with zipfile.ZipFile(bundle.plan_file, "w") as plan_file:
            for part, content in parts.items():
                plan_file.writestr(part, content)
        deployment.engine.must(deployment.directory, "show", str(bundle.plan_file))
        assert reasons(deployment, bundle) == ["edited_plan"]


def test_a_file_outside_the_project_keeps_its_whole_path(tmp_path: Path) -> None:
    """One inside is named from the project, so that another checkout finds it."""
    (tmp_path / "project" / "stack").mkdir(parents=True)
    facts = gather(
        project=tmp_path / "project",
        directory=tmp_path / "project" / "stack",
        stack="demo",
        workspace="default",
        backend=None,
        terraform_version="1.11.4",
        providers={},
        state=None,
        var_files=[tmp_path / "shared.tfvars", Path("inside.tfvars")],
        data_dir=Path("data"),
    )
    assert [file.path for file in facts.var_files] == [
        str(tmp_path / "shared.tfvars"),
        "inside.tfvars",
    ]
    assert facts.data_dir == "data"
    assert (facts.git_commit, facts.lock_file_sha256, facts.install_script) == (None, None, None)
