"""The Python API: a project, its plans, and what becomes of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from biomodal_deploy.aws.ledger import Ledger, Leftovers
from biomodal_deploy.engine.synthesis import Synthesis
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import Counts, Plan, PlanKind, ResourceChange
from biomodal_deploy.plan.guards import Verdict
from biomodal_deploy.plan.history import Chain
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.workflow.applying import Applied, prepare
from biomodal_deploy.workflow.destroying import list_leftovers, take_ledger
from biomodal_deploy.workflow.location import Listener, Location, silent
from biomodal_deploy.workflow.planning import make_plan
from biomodal_deploy.workflow.plans import find_sealed_plan
from biomodal_deploy.workflow.reading import Finding, find_drift, read_outputs, validate
from biomodal_deploy.workflow.stack import (
    Stack,
    fresh_stack,
    last_stack,
    recorded_stack,
    synthesized_stacks,
)
from biomodal_deploy.workflow.variables import PlanRequest

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class ProjectPlan:
    """A sealed plan: what will happen, and the only thing that can be applied.

    Attributes:
        sealed_plan: Its folder and manifest.
        data: What it does, redacted.
    """

    sealed_plan: SealedPlan
    data: Plan
    _stack: Stack = field(repr=False)

    @property
    def id(self) -> str:
        """Its name, which sorts by time."""
        return self.sealed_plan.id

    @property
    def sha256(self) -> str:
        """The digest that stands for all of it, for an approval elsewhere."""
        return self.sealed_plan.sha256

    @property
    def changes(self) -> tuple[ResourceChange, ...]:
        """The objects that applying it touches."""
        return self.data.changes

    @property
    def has_changes(self) -> bool:
        """Whether applying it does anything."""
        return self.sealed_plan.manifest.has_changes

    @property
    def counts(self) -> Counts:
        """How many objects each action touches."""
        return self.sealed_plan.manifest.counts

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the guards said."""
        return self.sealed_plan.manifest.verdicts

    def apply(self, *, confirm: str | None = None, expect_sha256: str | None = None) -> Applied:
        """Apply exactly this plan, once.

        Args:
            confirm: The stack's name, needed where something that exists is lost.
            expect_sha256: The digest that was approved.

        Raises:
            SealedPlanRefused: Something differs from what was sealed.
            GuardRefused: A guard refused it, or the loss was not confirmed.
            EngineError: Terraform failed.
            Interrupted: It was asked to stop.
        """
        _check("confirm", confirm, str, "a text", optional=True)
        _check("expect_sha256", expect_sha256, str, "a text", optional=True)
        ready = prepare(self._stack, self.sealed_plan, expect_sha256=expect_sha256)
        return ready.run(confirm)

    def ledger(self) -> Ledger:
        """Return what the stack holds that a destroy plan does not show; kept beside it.

        Only for a destroy plan; AWS is asked, and what it does not answer is said to be unknown.
        """
        return take_ledger(self._stack, self.sealed_plan, self.data)

    def remains(self) -> Leftovers:
        """Return what is left of the stack once its destroy plan was applied."""
        return list_leftovers(self._stack, self.sealed_plan, self.data)


class Project:
    """A project: the folder that holds `cdktf.json`, its stacks and their plans.

    Args:
        project_dir: That folder.
        stack: The stack; needed only where `cdktf.json` has several.
        environment: The environment variables to work with; this process's where None.
        on_event: Told of steps, notices and the engine's events, in the calling thread.

    Raises (every method):
        UsageError: Settings, variables or arguments are wrong.
        EngineError: Terraform or the app command failed.
        Interrupted: It was asked to stop.
    """

    def __init__(
        self,
        project_dir: str | Path = ".",
        *,
        stack: str | None = None,
        environment: Mapping[str, str] | None = None,
        on_event: Listener = silent,
    ) -> None:
        _check_path("project_dir", project_dir)
        _check("stack", stack, str, "a text", optional=True)
        if not callable(on_event):
            raise UsageError("must be a function", field="on_event")
        location = Location.of(
            Path(project_dir), os.environ if environment is None else _environment(environment)
        )
        self._location, self._name = replace(location, on_event=on_event), stack

    def synth(self) -> Synthesis:
        """Synthesize every stack."""
        return synthesized_stacks(self._location)

    def validate(self) -> tuple[Finding, ...]:
        """Check the stack with Terraform; what is wrong is the result."""
        return validate(self._fresh())[1]

    def plan(
        self,
        *,
        destroy: bool = False,
        refresh_only: bool = False,
        var_files: Sequence[str | Path] = (),
        variables: Mapping[str, str] | None = None,
        allow_destroy: Sequence[str] = (),
        allow: Sequence[str] = (),
        account_moved: str | None = None,
    ) -> ProjectPlan:
        """Make and seal a plan.

        Args:
            destroy: Plan to remove everything.
            refresh_only: Plan to record what changed outside Terraform, and nothing else.
            var_files: Files of variables, after the project's own; later ones win.
            variables: Single values, over every file, as `--var` takes them.
            allow_destroy: Addresses of protected resources that may be lost.
            allow: Checks whose refusals are let through, by the names that refusals give.
            account_moved: Today's account, where the last apply went elsewhere and the state is
                to belong here from now on.
        """
        _check("destroy", destroy, bool, "True or False")
        _check("refresh_only", refresh_only, bool, "True or False")
        _check("account_moved", account_moved, str, "a text", optional=True)
        if destroy and refresh_only:
            raise UsageError("cannot be used with refresh_only", field="destroy")
        kind = PlanKind.DESTROY if destroy else PlanKind.APPLY
        request = PlanRequest(
            kind=PlanKind.REFRESH_ONLY if refresh_only else kind,
            var_files=_paths(var_files),
            variables=_pairs(variables),
            allow_destroy=_texts("allow_destroy", allow_destroy),
            allow=_texts("allow", allow),
            cwd=Path.cwd(),
            account_moved=account_moved,
        )
        stack = self._fresh()
        planned = make_plan(stack, request)
        return ProjectPlan(planned.sealed_plan, planned.plan, stack)

    def sealed(self, sealed_plan: str | Path | None = None) -> ProjectPlan:
        """Return a sealed plan: the newest unused one, or one by its id or folder."""
        if sealed_plan is not None:
            _check_path("sealed_plan", sealed_plan)
        stack = self._last()
        found = find_sealed_plan(
            self._location, stack.name, None if sealed_plan is None else str(sealed_plan)
        )
        return ProjectPlan(found, found.plan(), stack)

    def drift(
        self, *, var_files: Sequence[str | Path] = (), variables: Mapping[str, str] | None = None
    ) -> tuple[ResourceChange, ...]:
        """Return what changed outside Terraform since the last apply.

        What AWS filled in by itself is left out: an address, an empty map where there was nothing.
        """
        plan = find_drift(
            self._fresh(),
            var_files=_paths(var_files),
            variables=_pairs(variables),
            cwd=Path.cwd(),
        )
        return plan.drifted

    def output(self) -> dict[str, OutputValue]:
        """Return the outputs, sensitive ones in clear."""
        return read_outputs(self._last())

    def history(self) -> Chain:
        """Return every plan, apply, refusal and result, and whether the chain is whole."""
        return recorded_stack(self._location, self._name).history.verify_chain()

    def _fresh(self) -> Stack:
        return fresh_stack(self._location, self._name)

    def _last(self) -> Stack:
        return last_stack(self._location, self._name)


def _paths(var_files: Sequence[str | Path]) -> list[Path]:
    found = _listed("var_files", var_files)
    for each in found:
        _check_path("var_files", each)
    return [Path(each) for each in found]


def _texts(field: str, given: Sequence[str]) -> tuple[str, ...]:
    found = _listed(field, given)
    for each in found:
        _check(field, each, str, "a list of texts")
    return found


def _listed(field: str, given: Sequence[_Item]) -> tuple[_Item, ...]:
    # To Python one text is a sequence too, of its letters, and no type checker objects.
    if isinstance(given, str):
        raise UsageError("must be a list", field=field, value=given, fix=f'write ["{given}"]')
    if isinstance(given, bytes | Mapping) or not isinstance(given, Iterable):
        raise UsageError(f"must be a list, not {_kind(given)}", field=field)
    return tuple(given)


def _pairs(variables: Mapping[str, str] | None) -> list[str]:
    """Return variables as `--var` takes them; Python's own spelling of a value is not one."""
    if variables is None:
        return []
    _check("variables", variables, Mapping, "a dict")
    for name, value in variables.items():
        _check("variables", name, str, "a dict of texts")
        if "=" in name:
            raise UsageError("a name holds no =", field="variables", value=name)
        # Not the value: it may be a secret.
        _check(f"variables[{name!r}]", value, str, "a text as --var takes it")
    return [f"{name}={value}" for name, value in variables.items()]


def _environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    _check("environment", environment, Mapping, "a dict")
    for name, value in environment.items():
        _check("environment", name, str, "a dict of texts")
        if not name or "=" in name or "\0" in name:
            raise UsageError("no name of a variable", field="environment", value=name)
        _check(f"environment[{name!r}]", value, str, "a text")
        if "\0" in value:
            raise UsageError("must not hold a NUL character", field=f"environment[{name!r}]")
    return environment


def _check_path(field: str, given: str | Path) -> None:
    _check(field, given, (str, os.PathLike), "a text or Path")
    if "\0" in str(given):
        raise UsageError("a path holds no NUL character", field=field, value=str(given))


def _check(
    field: str, given: object, kind: type | tuple[type, ...], wanted: str, *, optional: bool = False
) -> None:
    # A type checker says the same, where there is one: in a notebook there is none.
    if not (isinstance(given, kind) or (optional and given is None)):
        raise UsageError(f"must be {wanted}, not {_kind(given)}", field=field)


def _kind(given: object) -> str:
    return "None" if given is None else type(given).__name__
