"""The values a stack gets: resolved from files and options, checked by the documented rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.bundle import sha256
from biomodal_deploy.contract import Rule, all_variables, broken_rule
from biomodal_deploy.events import spellings
from biomodal_deploy.plan import Redactor
from biomodal_deploy.var_files import (
    DeclaredVariable,
    ResolvedVariables,
    read_declared,
    resolve,
    write_private,
)
from biomodal_deploy.workflow.stack import Stack

VALUES_FILE: Final = "variables.tfvars.json"


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
        """The files that can be read again, in Terraform's order; a pipe cannot."""
        return [file.path for file in self.resolved.files if file.regular]


def given_values(
    stack: Stack, var_files: Sequence[Path], variables: Sequence[str], cwd: Path
) -> Given:
    """Resolve and check a stack's values.

    Args:
        stack: The stack, synthesized.
        var_files: `--var-file`, in order.
        variables: `--var`, each `NAME=VALUE`.
        cwd: What relative paths start from.

    Raises:
        UsageError: A file, name or value is wrong, or a required value is missing.
    """
    declared = read_declared(stack.directory)
    rules = _documented_rules()

    def broken(name: str, value: object) -> str | None:
        return _broken(declared[name], value, rules)

    resolved = resolve(
        stack.location.project_dir,
        declared,
        var_files,
        variables,
        cwd=cwd,
        environ=stack.location.environment,
        known_elsewhere={each.name for each in all_variables()},
        checks=broken,
    )
    return Given(resolved, redactor_for(resolved.secrets))


def redactor_for(secrets: Iterable[str]) -> Redactor:
    """Return a redactor that knows every way in which Terraform prints these secrets."""
    return Redactor(form for secret in secrets for form in spellings(secret))


def values_digest(path: Path) -> str:
    """Return the digest of a written values file."""
    return sha256(path.read_bytes())


def _documented_rules() -> dict[str, Rule]:
    """Return the documented rules by message: what a validation block is recognised by."""
    return {rule.message: rule for variable in all_variables() for rule in variable.rules}


def _broken(variable: DeclaredVariable, value: object, rules: Mapping[str, Rule]) -> str | None:
    return broken_rule((rules[message] for message in variable.messages if message in rules), value)
