"""What a plan is asked for, and the values that it gets: resolved, checked by documented rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.config.contract import all_variables, broken_rule
from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.config.tfvars import (
    Check,
    DeclaredVariable,
    ResolvedVariables,
    read_declared,
    resolve,
    write_private,
)
from biomodal_deploy.config.tfvars.files import automatic_files, shown
from biomodal_deploy.engine.terraform.events import spellings
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import PlanKind, Redactor
from biomodal_deploy.plan.sealed import Facts
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack

REGION: Final = "region"


@dataclass(frozen=True)
class Given:
    """The values of one plan.

    Attributes:
        resolved: Values, where each came from, and the files that were read.
        redactor: Knows the values of sensitive variables.
    """

    resolved: ResolvedVariables
    redactor: Redactor

    def write(self, folder: Path) -> Path:
        """Write the one private file through which values reach Terraform."""
        return write_private(self.resolved.values, folder)

    @property
    def files(self) -> list[Path]:
        """The files that were read, in Terraform's order."""
        return [file.path for file in self.resolved.files]


def given_values(
    stack: Stack, var_files: Sequence[Path], variables: Sequence[str], cwd: Path
) -> Given:
    """Resolve and check a stack's values.

    Raises:
        UsageError: A file, name or value is wrong, or a required value is missing.
    """
    if stack.settings.state_bucket and not (var_files or variables):
        # All of it stands in its settings; the project's files are for its other stacks.
        return Given(ResolvedVariables({}, {}, (), frozenset(), ()), redactor_for(()))
    declared = read_declared(stack.directory)
    # A validation block is recognised by its message.
    rules = {rule.message: rule for variable in all_variables() for rule in variable.rules}

    def broken(name: str, value: object) -> str | None:
        messages = declared[name].messages
        return broken_rule((rules[each] for each in messages if each in rules), value)

    resolved = resolve_for(
        stack.location,
        stack.settings,
        declared,
        var_files=var_files,
        variables=variables,
        cwd=cwd,
        checks=broken,
    )
    return Given(resolved, redactor_for(resolved.secrets))


def resolve_for(
    location: Location,
    settings: StackSettings,
    declared: Mapping[str, DeclaredVariable],
    *,
    var_files: Sequence[Path],
    variables: Sequence[str],
    cwd: Path | None,
    checks: Check,
) -> ResolvedVariables:
    """Resolve a stack's values: the one place that says where they come from.

    The project's automatic files, the stack's `var_files`, `--var-file`, `--var`.

    Args:
        cwd: What their relative paths start from; this process's folder where None.
    """
    base = cwd or Path.cwd()
    own = [_own_file(location.project_dir, named) for named in settings.var_files]
    resolved = resolve(
        location.project_dir,
        declared,
        [*own, *(base / path.expanduser() for path in var_files)],
        variables,
        environ=location.environment,
        settings={REGION: settings.home_region} if settings.home_region else {},
        # One terraform.tfvars may serve several stacks.
        known_elsewhere={each.name for each in all_variables()},
        checks=checks,
    )
    region = resolved.values.get(REGION)
    if settings.home_region and region is not None and region != settings.home_region:
        raise UsageError(
            f"The stack is in {settings.home_region} (region in cdktf.json)",
            field=f"{REGION} ({resolved.origins[REGION]})",
            value=region,
            fix="take it out there, or correct the one that is wrong",
        )
    return resolved


def files_by_hand(location: Location, facts: Facts) -> list[Path]:
    """Return the files that a sealed plan's values came from and that --var-file named."""
    project = location.project_dir
    own = {project / named for named in location.settings(facts.stack).var_files}
    own.update(automatic_files(project))
    files = (project / each.path for each in facts.var_files)
    return [Path(shown(path)) for path in files if path not in own and path.is_file()]


def _own_file(project_dir: Path, named: str) -> Path:
    path = project_dir / named
    if not path.exists():
        raise UsageError(
            "no such file, and the stack in cdktf.json names it",
            field="var_files",
            value=named,
            fix="write it, or take it out of cdktf.json",
        )
    return path


def redactor_for(secrets: Iterable[str]) -> Redactor:
    """Return a redactor that knows every way in which Terraform prints these secrets."""
    return Redactor(form for secret in secrets for form in spellings(secret))


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What a person asks a plan for.

    Attributes:
        kind: To apply the configuration, to destroy it, or to refresh the state alone.
        allow_destroy: Addresses of protected resources that may be lost.
        allow: Checks whose refusals are let through.
        by_name: Whether a person types the stack's name before it is applied, and no protected
            resource has to be named besides.
        account_moved: The account that the state belongs to from now on, where that is another.
    """

    kind: PlanKind = PlanKind.APPLY
    var_files: Sequence[Path] = ()
    variables: Sequence[str] = ()
    allow_destroy: Sequence[str] = ()
    allow: Sequence[str] = ()
    by_name: bool = False
    cwd: Path = Path()
    readonly_lock: bool = False
    account_moved: str | None = None
