"""Adding a stack: what it takes over, what is written, what to know about it, what comes next."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from biomodal_deploy.config.contract import Variable
from biomodal_deploy.config.settings import CONTEXT_VARIABLE, PROJECT_FILE, ProjectFile, read_stacks
from biomodal_deploy.config.tfvars.files import automatic_files, read_file, shown
from biomodal_deploy.config.tfvars.values import Value
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan.sealed.facts import is_ignored
from biomodal_deploy.workflow.init import Asker
from biomodal_deploy.workflow.init.answers import (
    SHARED,
    Answers,
    Given,
    checked_value,
    described,
    shared_by,
    without_place,
)
from biomodal_deploy.workflow.init.interview import gather
from biomodal_deploy.workflow.init.project import ProjectDraft, draft_project, name_of
from biomodal_deploy.workflow.init.writing import Draft, draft, stacks_of
from biomodal_deploy.workflow.location import Location, choose, project_folder

if TYPE_CHECKING:
    from biomodal_deploy.workflow.init.account import Account

# Everything in the account is named after it, and two of a name do not go together.
_ITS_OWN: Final = "vm_name"


def prepare(project_dir: Path, given: Given, *, other: str | None, asker: Asker | None) -> Draft:
    """Return a new stack, as it will be written.

    Args:
        asker: Asks a person; None where nobody can be asked.

    Raises:
        UsageError: A value is wrong or missing, or something would be overwritten.
        Interrupted: The person went away.
    """
    folder = project_folder(project_dir)
    taken = stacks_of(folder)
    # Without the environment's context: what is written stands beside what is in the file.
    base = copied_from(Location.of(folder, {}), other) if other else Answers()
    return draft(folder, gather(given, base, taken=taken, asker=asker, open_account=_open_account))


def prepare_project(
    folder: Path, given: Given, *, asker: Asker | None, eject_app: bool
) -> ProjectDraft:
    """Return a new project with its first stack, as it will be written.

    Where nobody can be asked, values may be missing: its `terraform.tfvars` has a line for each.

    Args:
        folder: Where; it need not exist.
        asker: Asks a person; None where nobody can be asked.

    Raises:
        UsageError: A value is wrong, or something would be overwritten.
        Interrupted: The person went away.
    """
    given = replace(given, name=given.name or name_of(folder))
    if given.name is None and asker is None:
        raise UsageError(
            "not a stack's name, which starts with a letter",
            field="NAME",
            value=folder.name,
            fix="give the folder another name",
        )
    base = Answers(shared=True)
    answers = gather(given, base, taken={}, asker=asker, open_account=_open_account, partly=True)
    return draft_project(folder, answers, eject_app=eject_app)


def project_steps(found: ProjectDraft, here: Path) -> list[str]:
    """Return the commands that come next in a new project."""
    folder = os.path.relpath(found.folder, here)
    if folder.startswith("-"):
        folder = f"./{folder}"  # else an option of cd
    return [
        *([f"cd {shlex.quote(folder)}"] if folder != "." else []),
        "biomodal-aws demo",
        "biomodal-aws doctor",
        "biomodal-aws plan",
    ]


def notes(found: Draft) -> list[str]:
    """Return what whoever goes on should know, a sentence each without its full stop."""
    lines = []
    name, file = found.answers.name, found.answers.var_file
    if (found.project_dir / SHARED).exists():
        lines.append(
            f"{SHARED} is read for {name} too: what {file} leaves at its default comes from there"
        )
    else:
        others = read_stacks(ProjectFile.model_validate_json(found.after), {})
        without = [
            each
            for each, it in others.items()
            # A bucket for states is all settings.
            if each != name and not it.var_files and it.state_bucket is None
        ]
        lines += [
            f"{each} has no values: fill in {SHARED} for it, or take it out of {PROJECT_FILE}"
            for each in without
        ]
    if found.answers.bootstrap == "prerequisites" and True not in found.answers.values.values():
        lines.append(f"No role is chosen yet: set those to true in {file} that the account lacks")
    kept = found.answers.settings.get("backend", "local")
    if kept == "local" and (shared := shared_by(stacks_of(found.project_dir))):
        other, backend = next(iter(shared.items()))
        lines.append(
            f"The state of {name} is on this machine alone; that of {other} is in "
            f"{described(backend)} ({PROJECT_FILE}: backend)"
        )
    if is_ignored(found.var_file):
        lines.append(f"Git ignores {file}: add !{file} to .gitignore, so that it can be reviewed")
    if os.environ.get(CONTEXT_VARIABLE):
        lines.append(
            f"{CONTEXT_VARIABLE} replaces what stands in {PROJECT_FILE}: unset it to use {name}"
        )
    return lines


def needs_key(answers: Answers) -> bool:
    """Say whether Terraform reads the VM's public key from this machine's `~/.ssh`."""
    # The hardened VM has no key where no network reaches it.
    wanted = answers.profile == "documented" or answers.values.get("ssh_cidr_blocks")
    given = answers.values.get("ssh_public_key")
    named = "vm_name" in answers.values
    return answers.bootstrap == "native" and named and bool(wanted) and not given


def _open_account(asker: Asker) -> Account:
    # Imported here: where nobody is asked, nothing of AWS is needed.
    from biomodal_deploy.workflow.init.account import Account

    return Account(asker)


def next_steps(found: Draft) -> list[str]:
    """Return the commands that come next."""
    answers = found.answers
    steps = [f"biomodal-aws plan --stack {answers.name}"]
    if answers.bootstrap == "prerequisites":
        # It says which roles the account lacks, in the words of this stack's variables.
        return [f"biomodal-aws doctor --commands --region {answers.values['region']}", *steps]
    steps.insert(0, f"biomodal-aws doctor --stack {answers.name}")
    vm_name = str(answers.values["vm_name"])
    there = (Path.home() / ".ssh" / f"{vm_name}.pub").is_file()
    backend = answers.settings.get("backend")
    if isinstance(backend, dict) and backend.get("kind") == "s3":
        steps.insert(0, f"biomodal-aws backend check --stack {answers.name}")
    if needs_key(answers) and not there:
        steps.insert(0, f"biomodal-aws keygen {vm_name}")
    return steps


def copied_from(location: Location, other: str) -> Answers:
    """Return the settings of a stack, and the values in the files that are read for it.

    Left out is what has to be another's: the VM's name, and where exactly the state is.

    Raises:
        UsageError: no such stack, or one of its files is wrong.
    """
    name = _chosen(location, other)
    if location.settings(name).state_bucket is not None:
        raise UsageError(
            "a bucket for the states of others",
            field="--from",
            value=name,
            fix="copy another stack",
        )
    raw = location.project_file.context["stacks"]
    entry = raw.get(name) if isinstance(raw, dict) else None
    settings = dict(entry) if isinstance(entry, dict) else {}
    settings.pop("var_files", None)
    settings.setdefault("bootstrap", "module")
    settings.setdefault("profile", "documented")
    if isinstance(backend := settings.get("backend"), dict):
        settings["backend"] = without_place(backend)
    answers = Answers(settings=settings)
    variables = answers.variables
    own = (location.project_dir / path for path in location.settings(name).var_files)
    for path in (*automatic_files(location.project_dir), *own):
        for variable, attribute in read_file(path).attributes.items():
            if variable in variables and variable != _ITS_OWN and attribute.value is not None:
                answers.values[variable] = _read(variables[variable], attribute.value, shown(path))
    if home := location.settings(name).home_region:
        answers.values.setdefault("region", home)
    return answers


def _chosen(location: Location, other: str) -> str:
    try:
        return choose(other, list(location.stacks))
    except UsageError as error:
        raise UsageError(error.rule, field="--from", value=other, fix=error.fix) from None


def _read(variable: Variable, value: Value, path: str) -> Value:
    try:
        return checked_value(variable, value)
    except ValueError as error:
        rule, fix = str(error).rstrip("."), f"correct it in {path}"
        raise UsageError(rule, field=variable.name, value=value, fix=fix) from None
