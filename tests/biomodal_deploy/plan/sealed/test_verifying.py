"""Tests for biomodal_deploy.plan.sealed.verifying: one for each way a plan can be turned."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import EXIT_SEALED_PLAN, SealedPlanRefused
from biomodal_deploy.plan.sealed import (
    Facts,
    SealedPlan,
    StateId,
    UseState,
    consume,
    raise_on,
    record_outcome,
    verify,
)
from biomodal_deploy.plan.sealed.facts import FileDigest, Module
from tests.support.sealed_plans import NOW, OTHER, SHA, facts, sealed

TFVARS = FileDigest(path="terraform.tfvars", sha256=SHA)
PROD = FileDigest(path="prod.tfvars", sha256=SHA)
MODULE = Module(key="bootstrap", source="git::x", commit="c" * 40, sha256=SHA)


def test_nothing_changed_passes(tmp_path: Path) -> None:
    """A plan that is what it was may be applied."""
    sealed_plan = sealed(tmp_path)
    found = verify(sealed_plan, facts(), clock=NOW + timedelta(hours=1))
    assert found == []
    raise_on(sealed_plan, found)


def was(what: str, old: str, new: str) -> str:
    """Return the line for a fact that was one thing and is another."""
    return f"it was planned with {what} {old}, and here it is {new}"


CHANGED: dict[str, tuple[str, dict[str, Any], str]] = {
    "another stack": ("other_stack", {"stack": "prod"}, was("stack", "demo", "prod")),
    "another workspace": (
        "other_workspace",
        {"workspace": "prod"},
        was("workspace", "default", "prod"),
    ),
    "another directory": (
        "other_directory",
        {"directory": "cdktf.out/stacks/prod"},
        was("directory", "cdktf.out/stacks/demo", "cdktf.out/stacks/prod"),
    ),
    "another data directory": (
        "other_data_dir",
        {"data_dir": "elsewhere"},
        was("TF_DATA_DIR", "unset", "elsewhere"),
    ),
    "another backend": (
        "other_backend",
        {"backend": "s3:others/prod", "backend_sha256": OTHER},
        (
            "it was planned for the state in s3:states/demo (eu-west-2), and the state is in"
            " s3:others/prod"
        ),
    ),
    "another setting of the backend": (
        "other_backend",
        {"backend_sha256": OTHER},
        "the settings of the backend s3:states/demo (eu-west-2) changed after planning",
    ),
    "a changed file of the backend": (
        "edited_backend_file",
        {"backend_files": (FileDigest(path="lab.hcl", sha256=OTHER),)},
        "lab.hcl was added after planning",
    ),
    "another account": (
        "other_account",
        {"account": "999999999999"},
        was("AWS account", "111122223333", "999999999999"),
    ),
    "no account": ("other_account", {"account": None}, was("AWS account", "111122223333", "unset")),
    "another region": (
        "other_region",
        {"region": "us-east-1"},
        was("AWS region", "eu-west-2", "us-east-1"),
    ),
    "another endpoint": (
        "other_endpoint",
        {"endpoint": "http://127.0.0.1:1"},
        was("AWS endpoint", "unset", "http://127.0.0.1:1"),
    ),
    "another caller": (
        "other_caller",
        {"caller": "arn:aws:iam::111122223333:user/mallory"},
        was(
            "AWS caller",
            "arn:aws:sts::111122223333:assumed-role/deployer/monday",
            "arn:aws:iam::111122223333:user/mallory",
        ),
    ),
    "another role": (
        "other_caller",
        {"caller": "arn:aws:sts::111122223333:assumed-role/admin/monday"},
        was(
            "AWS caller",
            "arn:aws:sts::111122223333:assumed-role/deployer/monday",
            "arn:aws:sts::111122223333:assumed-role/admin/monday",
        ),
    ),
    "another engine": ("other_terraform", {"engine": "tofu"}, was("engine", "terraform", "tofu")),
    "another Terraform": (
        "other_terraform",
        {"terraform_version": "1.12.0"},
        was("Terraform version", "1.11.4", "1.12.0"),
    ),
    "another program of the same version": (
        "other_terraform",
        {"terraform_sha256": OTHER},
        "the program terraform was exchanged after planning, under the same version",
    ),
    "another endpoint of one service": (
        "other_endpoint",
        {"endpoints": {"s3": "http://127.0.0.1:5000"}},
        was("AWS endpoint of s3", "unset", "http://127.0.0.1:5000"),
    ),
    "FIPS endpoints": (
        "other_endpoint",
        {"endpoints": {"use_fips_endpoint": "true"}},
        was("use_fips_endpoint", "unset", "true"),
    ),
    "another provider version": (
        "other_providers",
        {"providers": {"registry.terraform.io/hashicorp/aws": "5.99.0"}},
        was("version of provider registry.terraform.io/hashicorp/aws", "5.100.0", "5.99.0"),
    ),
    "one more provider": (
        "other_providers",
        {"providers": {"registry.terraform.io/hashicorp/aws": "5.100.0", "x/y/tls": "4.0.0"}},
        was("version of provider x/y/tls", "unset", "4.0.0"),
    ),
    "the state moved on": (
        "state_moved_on",
        {"state": StateId(lineage="aaaa", serial=8)},
        "the state moved on, from serial 7 to 8",
    ),
    "another state": (
        "other_state",
        {"state": StateId(lineage="bbbb", serial=7)},
        "it starts from another state (its lineage differs)",
    ),
    "the state is gone": ("state_gone", {"state": None}, "the state that it starts from is gone"),
    "edited synthesized JSON": (
        "edited_synth",
        {"synthesized_sha256": OTHER},
        "the synthesized stack in cdktf.out/stacks/demo changed after planning",
    ),
    "an edited var-file": (
        "edited_var_file",
        {"var_files": (TFVARS, FileDigest(path="prod.tfvars", sha256=OTHER))},
        "prod.tfvars changed after planning",
    ),
    "a var-file that is gone": (
        "edited_var_file",
        {"var_files": (TFVARS, FileDigest(path="prod.tfvars", sha256=None))},
        "prod.tfvars was removed after planning",
    ),
    "one more var-file": (
        "edited_var_file",
        {"var_files": (TFVARS, PROD, FileDigest(path="x.auto.tfvars", sha256=SHA))},
        "x.auto.tfvars was added after planning",
    ),
    "var-files in another order": (
        "edited_var_file",
        {"var_files": (PROD, TFVARS)},
        "the order of the var-files changed after planning",
    ),
    "an edited install script": (
        "edited_install_script",
        {"install_script": FileDigest(path="scripts/install_script.sh", sha256=OTHER)},
        "scripts/install_script.sh changed after planning",
    ),
    "another lock file": (
        "edited_lock_file",
        {"lock_file_sha256": OTHER},
        "the provider lock file changed after planning",
    ),
    "a module at another commit": (
        "other_modules",
        {"modules": (MODULE.model_copy(update={"commit": "d" * 40, "sha256": OTHER}),)},
        f"module bootstrap was at commit {'c' * 40}, and now is at {'d' * 40}",
    ),
    "an edited module": (
        "other_modules",
        {"modules": (MODULE.model_copy(update={"sha256": OTHER}),)},
        "module bootstrap changed after planning",
    ),
    "a module that is gone": (
        "other_modules",
        {"modules": ()},
        "module bootstrap was removed after planning",
    ),
    "another commit": ("other_commit", {"git_commit": "b" * 40}, was("commit", "a" * 40, "b" * 40)),
    "an unclean tree": (
        "dirty_tree",
        {"git_clean": False},
        "files of the working tree changed after planning",
    ),
}


@pytest.mark.parametrize(("reason", "changed", "line"), CHANGED.values(), ids=CHANGED)
def test_every_difference_is_refused_by_name(
    tmp_path: Path, reason: str, changed: dict[str, Any], line: str
) -> None:
    """With its own reason and line, and the exit status of a sealed plan."""
    sealed_plan = sealed(tmp_path)
    found = verify(sealed_plan, facts(**changed), clock=NOW)
    assert [(each.reason, each.line) for each in found] == [(reason, line)]
    with pytest.raises(SealedPlanRefused) as caught:
        raise_on(sealed_plan, found)
    assert caught.value.reason == reason
    assert caught.value.exit_status == EXIT_SEALED_PLAN
    assert str(caught.value) == (
        f"The plan {sealed_plan.id} is refused: {line}. Next: biomodal-aws plan --stack demo"
    )


def test_every_fact_is_compared() -> None:
    """A fact that is added later must not be forgotten here; only a name for people is let be."""
    compared = {key for _, changed, _ in CHANGED.values() for key in changed}
    assert compared == set(Facts.model_fields) - {"account_alias"}


def test_another_alias_of_the_account_is_no_difference(tmp_path: Path) -> None:
    """An account may be renamed, and who applies may not be allowed to read its alias."""
    sealed_plan = sealed(tmp_path, account_alias="lab")
    assert verify(sealed_plan, facts(account_alias=None), clock=NOW) == []


def test_a_state_where_there_was_none_is_refused(tmp_path: Path) -> None:
    """Terraform itself applies such a plan, and builds everything a second time."""
    sealed_plan = sealed(tmp_path, state=None)
    (found,) = verify(sealed_plan, facts(), clock=NOW)
    assert found.reason == "state_appeared"
    assert found.line == "there was no state when it was planned, and now there is (serial 7)"
    assert verify(sealed_plan, facts(state=None), clock=NOW) == []


def test_another_session_of_the_same_role_is_the_same_caller(tmp_path: Path) -> None:
    """Its name changes with every login and every job."""
    again = facts(caller="arn:aws:sts::111122223333:assumed-role/deployer/tuesday")
    assert verify(sealed(tmp_path), again, clock=NOW) == []


def test_a_tree_that_was_unclean_and_now_is_clean_is_another(tmp_path: Path) -> None:
    """What lay there uncommitted is gone, or was committed."""
    (found,) = verify(sealed(tmp_path, git_clean=False), facts(), clock=NOW)
    assert found.reason == "other_tree"


class TestFiles:
    """The sealed plan itself."""

    def test_an_edited_plan_file_is_refused(self, tmp_path: Path) -> None:
        """Terraform would run the edit and show the original."""
        sealed_plan = sealed(tmp_path)
        sealed_plan.plan_file.write_bytes(b"another plan file")
        (found,) = verify(SealedPlan.load(sealed_plan.path), facts(), clock=NOW)
        assert found.reason == "edited_plan"
        assert found.line == "the plan file was changed after it was sealed"

    def test_a_used_plan_is_refused(self, tmp_path: Path) -> None:
        """With its outcome."""
        sealed_plan = sealed(tmp_path)
        consume(sealed_plan.path)
        record_outcome(sealed_plan.path, UseState.FAILED)
        sealed_plan.drop_plan_file()
        (found,) = verify(SealedPlan.load(sealed_plan.path), facts(), clock=NOW)
        assert found.reason == "used"
        assert found.line.startswith("it is used, failed at ")


class TestTime:
    """A plan is good for a day."""

    def test_it_expires(self, tmp_path: Path) -> None:
        """To the second."""
        sealed_plan = sealed(tmp_path)
        assert verify(sealed_plan, facts(), clock=NOW + timedelta(hours=24, seconds=-1)) == []
        (found,) = verify(sealed_plan, facts(), clock=NOW + timedelta(hours=24))
        assert found.reason == "expired"
        assert found.line.startswith("it expired at ")

    def test_the_lifetime_can_be_set(self, tmp_path: Path) -> None:
        """Per stack."""
        sealed_plan = sealed(tmp_path, lifetime=timedelta(hours=1))
        assert verify(sealed_plan, facts(), clock=NOW + timedelta(hours=2))[0].reason == "expired"

    def test_one_from_the_future_is_refused(self, tmp_path: Path) -> None:
        """A clock is wrong, and so would the expiry be; a few minutes do not matter."""
        sealed_plan = sealed(tmp_path)
        assert verify(sealed_plan, facts(), clock=NOW - timedelta(minutes=4)) == []
        (found,) = verify(sealed_plan, facts(), clock=NOW - timedelta(minutes=6))
        assert found.reason == "not_yet_valid"


def test_the_first_difference_explains_the_others(tmp_path: Path) -> None:
    """Another stack has another directory and another backend, too."""
    sealed_plan = sealed(tmp_path)
    found = verify(
        sealed_plan,
        facts(stack="prod", directory="x", backend_sha256=OTHER, synthesized_sha256=OTHER),
        clock=NOW,
    )
    with pytest.raises(SealedPlanRefused, match=r"here it is prod \(3 more differences\)\. Next"):
        raise_on(sealed_plan, found)
