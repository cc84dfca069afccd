"""A caller's environment never changes what a plan does."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.engine.terraform.environment import (
    Conflict,
    child_environment,
    conflicting_environment,
)

KEPT = {
    "PATH": "/bin",
    "AWS_PROFILE": "lab",
    "TF_CLI_CONFIG_FILE": "/home/a/.terraformrc",
    "TF_PLUGIN_CACHE_DIR": "/home/a/cache",
}
# By name, as they are listed.
DROPPED = {
    "TF_AWS_DEFAULT_TAGS_Owner": "mallory",
    "TF_AWS_IGNORE_TAGS_KEYS": "environment",
    "TF_CLI_ARGS": "-parallelism=1",
    "TF_CLI_ARGS_apply": "-lock=false",
    "TF_DATA_DIR": "elsewhere",
    "TF_FORCE_LOCAL_BACKEND": "1",
    "TF_LOG": "TRACE",
    "TF_LOG_PATH": "/tmp/trace",
    "TF_REATTACH_PROVIDERS": "{}",
    "TF_VAR_secret": "canary",
    "TF_WORKSPACE": "other",
}
CALLER = {**KEPT, **DROPPED, "TF_INPUT": "1"}


def test_what_would_change_the_outcome_is_dropped_and_named() -> None:
    """Arguments, values, logs and places of the caller's do not reach Terraform; their names do."""
    child = child_environment(CALLER, workspace="dev")
    assert child.variables == {
        **KEPT,
        "TF_WORKSPACE": "dev",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",
        "GOMEMLIMIT": "1GiB",
    }
    assert child.dropped == tuple(DROPPED)


@pytest.mark.parametrize(
    "name", ["TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "AWS_CONFIG_FILE", "AWS_CA_BUNDLE"]
)
def test_a_file_that_was_checked_is_the_one_that_is_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform runs in the stack's folder: a relative name would be another file there."""
    monkeypatch.chdir(tmp_path)
    assert child_environment({name: "lab/rc"}).variables[name] == str(tmp_path / "lab/rc")
    for kept in ("", "~/rc", "/lab/rc"):
        assert child_environment({name: kept}).variables[name] == kept


@pytest.mark.parametrize("theirs", [{"GOGC": "50"}, {"GOGC": ""}, {"GOMEMLIMIT": "512MiB"}])
def test_a_limit_of_the_callers_to_memory_is_the_only_one(theirs: dict[str, str]) -> None:
    """Who says how Go is to collect its garbage gets exactly that."""
    found = child_environment(theirs).variables
    assert {name: found[name] for name in ("GOGC", "GOMEMLIMIT") if name in found} == theirs


def test_dropped_names_hold_no_values() -> None:
    """The notice about dropped variables cannot print a secret."""
    assert "canary" not in repr(child_environment(CALLER).dropped)


def test_what_is_the_same_is_not_reported() -> None:
    """A variable that says what is true anyway is no news."""
    child = child_environment({"TF_WORKSPACE": "dev"}, workspace="dev", data_dir=Path("d"))
    assert child.dropped == ()
    assert child.variables["TF_DATA_DIR"] == "d"


def test_a_trace_is_kept_when_asked_for() -> None:
    """Terraform's own log is there for those who ask."""
    child = child_environment(CALLER, trace=True)
    assert child.variables["TF_LOG"] == "TRACE"
    assert "TF_LOG" not in child.dropped


@pytest.mark.parametrize(
    ("environment", "conflicts"),
    [
        ({}, ()),
        ({"TF_WORKSPACE": ""}, ()),
        ({"TF_WORKSPACE": "dev"}, ()),
        ({"TF_WORKSPACE": "prod"}, (Conflict("TF_WORKSPACE", "prod", "dev"),)),
        ({"TF_DATA_DIR": ".terraform"}, ()),
        ({"TF_DATA_DIR": "/stack/.terraform/"}, ()),
    ],
)
def test_conflicts(environment: dict[str, str], conflicts: tuple[Conflict, ...]) -> None:
    """Only what points elsewhere is a conflict, however the same place is spelt."""
    found = conflicting_environment(environment, directory=Path("/stack"), workspace="dev")
    assert found == conflicts


def test_another_data_directory_is_a_conflict() -> None:
    """A data directory that was not sealed could hold another backend's settings."""
    found = conflicting_environment({"TF_DATA_DIR": "x"}, directory=Path("/stack"))
    assert found == (Conflict("TF_DATA_DIR", "x", "/stack/.terraform"),)
