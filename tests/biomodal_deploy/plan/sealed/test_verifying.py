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

MODULE = Module(key="bootstrap", source="git::x", commit="c" * 40, sha256=SHA)
AWS = "registry.terraform.io/hashicorp/aws"
USER = "arn:aws:iam::111122223333:user/mallory"
ADMIN = "arn:aws:sts::111122223333:assumed-role/admin/monday"


def file(path: str, digest: str | None = OTHER) -> FileDigest:
    """Return a file that is another one than it was."""
    return FileDigest(path=path, sha256=digest)


TFVARS, PROD = file("terraform.tfvars", SHA), file("prod.tfvars", SHA)
SCRIPT = "scripts/install_script.sh"


def test_nothing_changed_passes(tmp_path: Path) -> None:
    """A plan that is what it was may be applied."""
    sealed_plan = sealed(tmp_path)
    found = verify(sealed_plan, facts(), clock=NOW + timedelta(hours=1))
    assert found == []
    raise_on(sealed_plan, found)


def was(what: str, old: str | None, new: str | None) -> str:
    """Return the line for a fact that was one thing and is another."""
    return f"it was planned with {what} {old or 'unset'}, and here it is {new or 'unset'}"


# A fact, what refuses another value of it, how the line calls it, and that value.
FACTS: list[tuple[str, str, str, str | None]] = [
    ("stack", "other_stack", "stack", "prod"),
    ("workspace", "other_workspace", "workspace", "prod"),
    ("directory", "other_directory", "directory", "cdktf.out/stacks/prod"),
    ("data_dir", "other_data_dir", "TF_DATA_DIR", "elsewhere"),
    ("account", "other_account", "AWS account", "999999999999"),
    ("account", "other_account", "AWS account", None),
    ("region", "other_region", "AWS region", "us-east-1"),
    ("endpoint", "other_endpoint", "AWS endpoint", "http://127.0.0.1:1"),
    ("caller", "other_caller", "AWS caller", USER),
    ("caller", "other_caller", "AWS caller", ADMIN),
    ("engine", "other_terraform", "engine", "tofu"),
    ("terraform_version", "other_terraform", "Terraform version", "1.12.0"),
    ("git_commit", "other_commit", "commit", "b" * 40),
]
# What refuses, and the line of each change.
OTHERS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "other_backend": [
        (
            (
                "it was planned for the state in s3:states/demo (eu-west-2), and the state is in"
                " s3:others/prod"
            ),
            {"backend": "s3:others/prod", "backend_sha256": OTHER},
        ),
        (
            "the settings of the backend s3:states/demo (eu-west-2) changed after planning",
            {"backend_sha256": OTHER},
        ),
    ],
    "edited_backend_file": [
        ("lab.hcl was added after planning", {"backend_files": (file("lab.hcl"),)})
    ],
    "other_terraform": [
        (
            "the program terraform was exchanged after planning, under the same version",
            {"terraform_sha256": OTHER},
        )
    ],
    "other_endpoint": [
        (was("AWS endpoint of s3", None, "http://s3:1"), {"endpoints": {"s3": "http://s3:1"}}),
        (was("use_fips_endpoint", None, "true"), {"endpoints": {"use_fips_endpoint": "true"}}),
    ],
    "other_providers": [
        (was(f"version of provider {AWS}", "5.100.0", "5.99.0"), {"providers": {AWS: "5.99.0"}}),
        (
            was("version of provider x/y/tls", None, "4.0.0"),
            {"providers": {AWS: "5.100.0", "x/y/tls": "4.0.0"}},
        ),
    ],
    "state_moved_on": [
        ("the state moved on, from serial 7 to 8", {"state": StateId(lineage="aaaa", serial=8)})
    ],
    "other_state": [
        (
            "it starts from another state (its lineage differs)",
            {"state": StateId(lineage="bbbb", serial=7)},
        )
    ],
    "state_gone": [("the state that it starts from is gone", {"state": None})],
    "edited_synth": [
        (
            "the synthesized stack in cdktf.out/stacks/demo changed after planning",
            {"synthesized_sha256": OTHER},
        )
    ],
    "edited_var_file": [
        ("prod.tfvars changed after planning", {"var_files": (TFVARS, file("prod.tfvars"))}),
        (
            "prod.tfvars was removed after planning",
            {"var_files": (TFVARS, file("prod.tfvars", None))},
        ),
        (
            "x.auto.tfvars was added after planning",
            {"var_files": (TFVARS, PROD, file("x.auto.tfvars", SHA))},
        ),
        ("the order of the var-files changed after planning", {"var_files": (PROD, TFVARS)}),
    ],
    "edited_install_script": [
        (f"{SCRIPT} changed after planning", {"install_script": file(SCRIPT)})
    ],
    "edited_lock_file": [
        ("the provider lock file changed after planning", {"lock_file_sha256": OTHER})
    ],
    "other_modules": [
        (
            f"module bootstrap was at commit {'c' * 40}, and now is at {'d' * 40}",
            {"modules": (MODULE.model_copy(update={"commit": "d" * 40, "sha256": OTHER}),)},
        ),
        (
            "module bootstrap changed after planning",
            {"modules": (MODULE.model_copy(update={"sha256": OTHER}),)},
        ),
        ("module bootstrap was removed after planning", {"modules": ()}),
    ],
    "dirty_tree": [("files of the working tree changed after planning", {"git_clean": False})],
}
CHANGED = [
    *(
        (reason, {name: now}, was(what, getattr(facts(), name), now))
        for name, reason, what, now in FACTS
    ),
    *((reason, changed, line) for reason, found in OTHERS.items() for line, changed in found),
]


@pytest.mark.parametrize(("reason", "changed", "line"), CHANGED)
def test_every_difference_is_refused_by_name(
    tmp_path: Path, reason: str, changed: dict[str, Any], line: str
) -> None:
    """With its own reason and line, and the exit status of a sealed plan."""
    sealed_plan = sealed(tmp_path)
    found = verify(sealed_plan, facts(**changed), clock=NOW)
    assert [(each.reason, each.line) for each in found] == [(reason, line)]
    with pytest.raises(SealedPlanRefused) as caught:
        raise_on(sealed_plan, found)
    assert (caught.value.reason, caught.value.exit_status) == (reason, EXIT_SEALED_PLAN)
    assert str(caught.value) == (
        f"The plan {sealed_plan.id} is refused: {line}. Next: biomodal-aws plan --stack demo"
    )


def test_every_fact_is_compared() -> None:
    """A fact that is added later must not be forgotten here; only a name for people is let be."""
    compared = {key for _, changed, _ in CHANGED for key in changed}
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
