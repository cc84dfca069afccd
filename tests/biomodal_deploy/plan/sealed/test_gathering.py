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
from biomodal_deploy.plan.sealed import Facts, SealedPlan, StateId, drafting, gather, verify
from tests.support.terraform import Engine, bare_engine

BACKEND = {"local": {"path": "../../../state/demo.tfstate"}}


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
        assert sealed_plan.manifest.facts.state is None
        assert sealed_plan.manifest.facts.git_clean is True
        assert sealed_plan.manifest.facts.directory == "cdktf.out/stacks/demo"
        assert [file.path for file in sealed_plan.manifest.facts.var_files] == ["terraform.tfvars"]
        stack.apply(sealed_plan)

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
        self, stack: Lab, reason: str, edit: Callable[[Lab], object]
    ) -> None:
        """Nothing else is different then."""
        sealed_plan = stack.seal()
        edit(stack)
        assert reasons(stack, sealed_plan) == [reason]

    def test_an_edited_install_script_is_refused(self, stack: Lab) -> None:
        """And the working tree is no longer the commit."""
        sealed_plan = stack.seal()
        stack.script.write_text("#!/bin/sh\nid\n")
        assert reasons(stack, sealed_plan) == ["edited_install_script", "dirty_tree"]

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

    def test_another_workspace_is_refused(self, stack: Lab) -> None:
        """Terraform builds everything a second time there."""
        sealed_plan = stack.seal()
        assert reasons(stack, sealed_plan, workspace="prod") == ["other_workspace"]

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
