"""Where a project and its stacks lie, the settings of each, and who is told what goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from biomodal_deploy.config.settings import (
    OUTDIR_VARIABLE,
    PROJECT_FILE,
    SCRATCH_VARIABLE,
    ProjectFile,
    StackSettings,
    optional_stacks,
    output_directory,
    read_project_file,
)
from biomodal_deploy.engine.terraform.events import Event
from biomodal_deploy.errors import BiomodalError, UsageError
from biomodal_deploy.files import sweep
from biomodal_deploy.plan.sealed import prune
from biomodal_deploy.text import did_you_mean

# Where the project writes, from its own folder.
_WRITTEN: Final = (
    "locks",
    "environments",
    "state",
    "state/backups",
    "plans",
    "plans/*",
    "plans/*/logs",
    "plans/*/ssh",
    "plans/*/draft-*",
    "plans/*/*Z-*",
)
_SECRET: Final = ("draft-*/[!l]*", "*Z-*/plan.tfplan", "*Z-*/variables.tfvars.json")


@dataclass(frozen=True)
class Step:
    """Something that takes a while begins."""

    text: str


@dataclass(frozen=True)
class Notice:
    """Something that the user should know and need not act on."""

    text: str


WorkflowEvent: TypeAlias = Event | Step | Notice
Listener: TypeAlias = Callable[[WorkflowEvent], None]


def silent(_: WorkflowEvent) -> None:
    """Report nothing."""


@dataclass(frozen=True, kw_only=True)
class Location:
    """A project: its folder, its `cdktf.json`, and the settings of its stacks.

    Attributes:
        project_dir: The folder that holds `cdktf.json`, absolute.
        stacks: Settings by stack; empty for an app that keeps none there.
        on_event: Told of what goes on.
    """

    project_dir: Path
    project_file: ProjectFile
    stacks: Mapping[str, StackSettings]
    environment: Mapping[str, str]
    on_event: Listener = silent

    @classmethod
    def of(cls, project_dir: Path, environment: Mapping[str, str] = os.environ) -> Location:
        """Read a project's settings, and clear what killed commands left there.

        Args:
            project_dir: The project's folder; where it is the caller's own, the nearest folder
                above that holds `cdktf.json` is meant, as with Git.
        """
        folder = project_folder(project_dir)
        project_file = read_project_file(folder)
        output = output_directory(folder, project_file, environment)
        for field, path in (("--project-dir", folder), (OUTDIR_VARIABLE, output)):
            refuse_outside_scratch(path, environment, field)
        location = cls(
            project_dir=folder,
            project_file=project_file,
            stacks=optional_stacks(project_file, environment),
            environment=environment,
        )
        clear_leftovers(folder, location.plans)
        return location

    @property
    def output(self) -> Path:
        """The folder that synthesis writes to."""
        return output_directory(self.project_dir, self.project_file, self.environment)

    @property
    def plans(self) -> Path:
        """The folder of sealed plans and of the history."""
        return self.project_dir / "plans"

    def settings(self, stack: str) -> StackSettings:
        """Return a stack's settings, the defaults where there are none."""
        return self.stacks.get(stack, StackSettings())


def project_folder(project_dir: Path) -> Path:
    """Return the folder of the project that is meant, absolute.

    Args:
        project_dir: It, or the caller's own folder somewhere inside it.
    """
    here = project_dir.absolute()
    if project_dir != Path():
        return here
    return next((each for each in (here, *here.parents) if (each / PROJECT_FILE).exists()), here)


def refuse_outside_scratch(path: Path, environment: Mapping[str, str], field: str) -> None:
    """Refuse what a rehearsal would write outside its scratch copy.

    Raises:
        UsageError: It is a rehearsal, and the path is outside.
    """
    scratch = environment.get(SCRATCH_VARIABLE)
    if scratch and not path.resolve().is_relative_to(Path(scratch).resolve()):
        raise UsageError(
            f"outside the scratch copy of this rehearsal, {scratch}",
            field=field,
            value=str(path),
            fix="name another project as biomodal-aws sandbox run --project-dir DIR -- COMMAND",
        )


def choose(stack: str | None, names: list[str]) -> str:
    """Return the stack that is meant: the one named, or the only one.

    Raises:
        UsageError: It is unknown, or there are several and none is named.
    """
    if stack is None:
        if len(names) == 1:
            return names[0]
        raise UsageError(
            "several stacks in cdktf.json" if names else "no stack",
            field="--stack",
            fix=f"name one of {', '.join(names)}" if names else "add one to cdktf.json",
        )
    if stack not in names:
        names_all = f"name one of {', '.join(names)} with --stack or BIOMODAL_STACK"
        fix = did_you_mean(stack, names, otherwise=names_all)
        raise UsageError("no such stack", field="--stack", value=stack, fix=fix)
    return stack


def clear_leftovers(project_dir: Path, plans: Path) -> None:
    """Remove what killed commands left under a project in clear; never fail.

    A plan file and the values beside it hold every secret, and a state's copy too. Whoever is
    killed cannot remove them, so each command looks first. What a living command or a living
    Terraform works with stays, and so does an unused sealed plan.
    """
    with suppress(OSError):
        sweep(project_dir, *(path for pattern in _WRITTEN for path in project_dir.glob(pattern)))
        if stacks := {
            path.relative_to(plans).parts[0]
            for pattern in _SECRET
            for path in plans.glob(f"*/{pattern}")
        }:
            for stack in sorted(stacks):
                with suppress(BiomodalError, OSError):
                    prune(plans, stack)
