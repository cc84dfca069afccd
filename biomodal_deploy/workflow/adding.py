"""Adding a deployment to a project: what is written, what to know about it, what comes next."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from biomodal_deploy.config.settings import (
    CONTEXT_VARIABLE,
    PROJECT_FILE,
    ProjectFile,
    read_deployments,
)
from biomodal_deploy.plan.sealed.git import is_ignored
from biomodal_deploy.workflow.init import Answers, Asker, Draft, Given, draft, gather
from biomodal_deploy.workflow.init.backend import described, shared_by
from biomodal_deploy.workflow.init.copying import copied_from
from biomodal_deploy.workflow.init.writing import deployments_of
from biomodal_deploy.workflow.location import Location

if TYPE_CHECKING:
    from biomodal_deploy.workflow.init.account import Aws

_SHARED: Final = "terraform.tfvars"


def prepare(project_dir: Path, given: Given, *, other: str | None, asker: Asker | None) -> Draft:
    """Return a new deployment, as it will be written.

    Args:
        project_dir: The folder that holds `cdktf.json`.
        given: What was given on the command line.
        other: The deployment to copy; None for none.
        asker: Asks a person; None where nobody can be asked.

    Raises:
        UsageError: A value is wrong or missing, or something would be overwritten.
        Interrupted: The person went away.
    """
    folder = project_dir.absolute()
    taken = deployments_of(folder)
    # Without the environment's context: what is written stands beside what is in the file.
    base = copied_from(Location.of(folder, {}), other) if other else Answers()
    return draft(folder, gather(given, base, taken=taken, asker=asker, open_aws=_open_aws))


def notes(found: Draft, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return what whoever goes on should know, a sentence each without its full stop."""
    told = []
    name, file = found.answers.name, found.answers.var_file
    if (found.project_dir / _SHARED).exists():
        told.append(
            f"{_SHARED} is read for {name} too: what {file} leaves at its default comes from there"
        )
    else:
        others = read_deployments(ProjectFile.model_validate_json(found.after), {})
        without = [
            each
            for each, it in others.items()
            # A bucket for states is all settings.
            if each != name and not it.var_files and it.state_bucket is None
        ]
        told += [
            f"{each} has no values: fill in {_SHARED} for it, or take it out of {PROJECT_FILE}"
            for each in without
        ]
    if found.answers.bootstrap == "prerequisites" and True not in found.answers.values.values():
        told.append(f"No role is chosen yet: set those to true in {file} that the account lacks")
    kept = found.answers.settings.get("backend", "local")
    if kept == "local" and (shared := shared_by(deployments_of(found.project_dir))):
        other, backend = next(iter(shared.items()))
        told.append(
            f"The state of {name} is on this machine alone; that of {other} is in "
            f"{described(backend)} ({PROJECT_FILE}: backend)"
        )
    if is_ignored(found.var_file):
        told.append(f"Git ignores {file}: add !{file} to .gitignore, so that it can be reviewed")
    if environment.get(CONTEXT_VARIABLE):
        told.append(
            f"{CONTEXT_VARIABLE} replaces what stands in {PROJECT_FILE}: unset it to use {name}"
        )
    return told


def _open_aws(asker: Asker) -> Aws:
    # Imported here: where nobody is asked, nothing of AWS is needed.
    from biomodal_deploy.workflow.init.account import Aws

    return Aws(asker)


def next_steps(found: Draft) -> list[str]:
    """Return the commands that come next."""
    answers = found.answers
    steps = [f"biomodal-aws plan --stack {answers.name}"]
    if answers.bootstrap == "prerequisites":
        # It says which roles the account lacks, in the words of this deployment's variables.
        return [f"biomodal-aws prerequisites --region {answers.values['region']}", *steps]
    steps.insert(0, f"biomodal-aws doctor --stack {answers.name}")
    vm_name = str(answers.values["vm_name"])
    # The hardened VM has no key where no network reaches it.
    wanted = answers.profile == "documented" or answers.values.get("ssh_cidr_blocks")
    given = answers.values.get("ssh_public_key")
    there = (Path.home() / ".ssh" / f"{vm_name}.pub").is_file()
    backend = answers.settings.get("backend")
    if isinstance(backend, dict) and backend.get("kind") == "s3":
        steps.insert(0, f"biomodal-aws backend check --stack {answers.name}")
    if answers.bootstrap == "native" and wanted and not given and not there:
        steps.insert(0, f"biomodal-aws keygen {vm_name}")
    return steps
