"""From an error, in a file or of the newest failed run, to causes, statements and next commands."""

from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import JsonValue

from biomodal_deploy.config.tfvars.values import to_json
from biomodal_deploy.engine.terraform import LockInfo
from biomodal_deploy.errors import BiomodalError, UsageError
from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.known_errors.catalog import UNLOCK, Match
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.review.diagnosis import Diagnosis, Finding, diagnose, merged
from biomodal_deploy.review.diagnosis.statements import Missing, denial_in, missing_for
from biomodal_deploy.workflow.failed_runs import FailedRun, newest_failed
from biomodal_deploy.workflow.importing import EXISTS, known_id
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import Stack, last_stack
from biomodal_deploy.workflow.terraform_setup import open_engine
from biomodal_deploy.workflow.variables import given_values

STDIN: Final = Path("-")
# Variables that templates may name where the error itself does not.
_VALUES: Final = ("vpc_id", "subnet_id")
# They take the stack's name; the others are about no one stack.
_OF_ONE: Final = frozenset(
    {
        "apply",
        "connect",
        "doctor",
        "drift",
        "history",
        "output",
        "plan",
        "policy",
        "show",
        "status",
    }
)
# Any account will do where only a statement's form is wanted.
_SOME_ACCOUNT: Final = "111122223333"


@dataclass(frozen=True, kw_only=True)
class Diagnosed:
    """What was read, and what it says.

    Attributes:
        origin: What was read, for people.
        run: The failed run, where no file was named.
    """

    origin: str
    run: FailedRun | None
    diagnosis: Diagnosis
    stack: Stack | None

    @cached_property
    def context(self) -> Mapping[str, str]:
        """What templates may name besides what the error tells."""
        if self.stack is None:
            return {}
        known = {"stack": self.stack.name, "directory": str(self.stack.directory)}
        values = self._values or {}
        known |= {name: str(values[name]) for name in _VALUES if values.get(name)}
        region = values.get("region") or self.stack.location.environment.get("AWS_REGION")
        return {**known, "region": str(region)} if region else known

    def context_of(self, match: Match) -> Mapping[str, str]:
        """Return what templates may name for a cause: for a held lock, how to release it."""
        lock = match.fields.get("id")
        if lock is None or self.stack is None or UNLOCK not in match.entry.placeholders:
            return self.context
        return {**self.context, UNLOCK: _unlock_command(self.stack, lock)}

    def next_of(self, match: Match) -> str:
        """Return the next command for a cause, with the stack's name where it needs one."""
        command = match.next(self.context)
        words = command.split()
        several = self.stack is not None and len(self.stack.location.stacks) > 1
        if self.stack and several and words[:1] == ["biomodal-aws"] and words[1] in _OF_ONE:
            command += f" --stack {self.stack.name}"
        return command

    def missing(self, finding: Finding) -> Missing | None:
        """Return the statement that a refused caller lacks; None where that is not the matter."""
        if finding.match is None or finding.match.entry.statement is None:
            return None
        denial = denial_in(finding.error.text)
        if denial is None:
            return None
        deployer = finding.match.entry.statement == "deployer"
        return missing_for(denial, self._permissions(denial.account) if deployer else None)

    def imports(self, finding: Finding) -> dict[str, str]:
        """Return the id of each resource whose name is taken, where the failed plan says it."""
        if not (finding.match and finding.match.entry.code == EXISTS and self.run and self.run.log):
            return {}
        with suppress(BiomodalError):
            plan = SealedPlan.load(self.run.log.parents[1])
            return {
                change.address: id_
                for change in plan.plan().changes
                if change.address in finding.addresses
                and (id_ := known_id(change, plan.manifest.facts))
            }
        return {}

    @cached_property
    def _values(self) -> Mapping[str, JsonValue] | None:
        """The variables' values; None where they cannot be known from here."""
        if self.stack is None:
            return None
        with suppress(BiomodalError):
            given = given_values(self.stack, (), (), Path.cwd())
            values: dict[str, JsonValue] = json.loads(to_json(given.resolved.values))
            return values
        return None

    def _permissions(self, account: str | None) -> StackPermissions | None:
        """Return what the stack needs; None where it cannot be known from here."""
        if self.stack is None or self._values is None:
            return None
        limits = self.stack.settings.account
        chosen = account or next(iter(limits), _SOME_ACCOUNT)
        with suppress(BiomodalError):
            return StackPermissions(self.stack.directory, self._values, chosen)
        return None


def diagnose_error(project_dir: Path, stack: str | None, files: Sequence[Path] = ()) -> Diagnosed:
    """Say what went wrong.

    Args:
        project_dir: The project; it need not be one where a file is named.
        stack: The stack; where None, the one whose run failed last, or the only one.
        files: The files with the error, `-` for standard input; the newest failed run where empty.
    """
    if not files:
        return _of_newest(Location.of(project_dir), stack)
    location = None
    if stack is not None:
        location = Location.of(project_dir)
    else:
        with suppress(BiomodalError):
            location = Location.of(project_dir)
    parts = [(str(file) if file != STDIN else "standard input", _read(file)) for file in files]
    return Diagnosed(
        origin=", ".join(name for name, _ in parts),
        run=None,
        diagnosis=parts[0][1] if len(parts) == 1 else merged(parts),
        stack=_stack(location, stack),
    )


def _read(file: Path) -> Diagnosis:
    with _opened(file) as stream:
        return diagnose(stream)


def _of_newest(location: Location, stack: str | None) -> Diagnosed:
    run = newest_failed(location, stack)
    if run.log is None:
        diagnosis = diagnose(io.BytesIO(f"error: {run.message}\n".encode()))
        origin = f"the history of {run.stack}"
    else:
        with _opened(run.log) as stream:
            diagnosis = diagnose(stream)
        origin = str(run.log)
    return Diagnosed(
        origin=origin,
        run=run,
        diagnosis=diagnosis,
        stack=_stack(location, run.stack),
    )


def _unlock_command(stack: Stack, lock: str) -> str:
    """Return the exact command that releases a lock; nothing where it ends with its holder."""
    try:
        engine = open_engine(stack)
        return engine.unlock_command(LockInfo(ID=lock)) or ""
    except BiomodalError:
        directory = shlex.quote(f"-chdir={stack.directory}")
        return f"terraform {directory} force-unlock {shlex.quote(lock)}"


def _stack(location: Location | None, name: str | None) -> Stack | None:
    with suppress(BiomodalError):
        return last_stack(location, name) if location else None
    return None


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})",
            field=str(file),
            fix="name a file with the error, or give it on standard input with -",
        ) from None
