"""What a person asks a plan for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from biomodal_deploy.plan import PlanKind


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What a person asks a plan for.

    Attributes:
        kind: To apply the configuration, to destroy it, or to refresh the state alone.
        var_files: `--var-file`, in order.
        variables: `--var`, in order.
        allow_destroy: Addresses of protected resources that may be lost.
        allow: Checks whose refusals are let through.
        by_name: Whether a person types the stack's name before it is applied, and no protected
            resource has to be named besides.
        cwd: What relative paths start from.
        readonly_lock: Whether the provider lock file has to fit as it is.
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
