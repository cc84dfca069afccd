"""The steps: each runs real commands, and says whether what had to hold held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.config.settings import PROTECTED_KINDS
from biomodal_deploy.errors import EXIT_DONE
from biomodal_deploy.sandbox.demo.rehearsal import STACK, Rehearsal

Outcome = tuple[bool, str]


def synthesize(demo: Rehearsal) -> Outcome:
    """Both implementations become Terraform JSON."""
    status = demo.run("synth")
    files = sorted(demo.folder.glob("cdktf.out/stacks/*/cdk.tf.json"))
    return status == EXIT_DONE and len(files) == 2, f"{len(files)} stacks"


def validate(demo: Rehearsal) -> Outcome:
    """Terraform and the AWS provider accept the native stack."""
    return demo.run("validate", "--stack", STACK) == EXIT_DONE, "valid"


def plan(demo: Rehearsal) -> Outcome:
    """A plan to a file, sealed."""
    status = demo.run("plan", "--stack", STACK, "--var-file", demo.var_file)
    return status == EXIT_DONE and _has_changes(demo), _count(demo, "create")


def apply(demo: Rehearsal) -> Outcome:
    """Exactly that file, by its digest."""
    sealed = demo.ask("show", "--stack", STACK)
    digest = str(sealed["sha256"]) if isinstance(sealed, dict) else ""
    status = demo.run("apply", "--stack", STACK, "--expect-sha256", digest)
    return status == EXIT_DONE, "the approved digest"


def outputs(demo: Rehearsal) -> Outcome:
    """The documented outputs, all of them."""
    status = demo.run("output", "--stack", STACK)
    found = demo.ask("output", "--stack", STACK)
    names = set(found) if isinstance(found, dict) else set()
    return status == EXIT_DONE and names == set(OUTPUTS), f"{len(names)} of {len(OUTPUTS)}"


def no_changes(demo: Rehearsal) -> Outcome:
    """A second plan finds nothing to do."""
    status = demo.run("plan", "--stack", STACK, "--var-file", demo.var_file)
    return status == EXIT_DONE and not _has_changes(demo), "no changes"


def destroy_plan(demo: Rehearsal) -> Outcome:
    """A destroy plan, which names each protected resource that may go."""
    addresses = _protected(demo)
    allowed = [word for address in addresses for word in ("--allow-destroy", address)]
    status = demo.run("plan", "--destroy", "--stack", STACK, "--var-file", demo.var_file, *allowed)
    return status == EXIT_DONE and _has_changes(demo), _count(demo, "delete")


def destroy(demo: Rehearsal) -> Outcome:
    """Exactly that destroy plan, confirmed by the stack's name."""
    return demo.run("apply", "--stack", STACK, "--confirm", STACK) == EXIT_DONE, "confirmed"


def nothing_left(demo: Rehearsal) -> Outcome:
    """AWS itself says that nothing is left."""
    left = demo.sandbox.leftovers()
    return not left, ", ".join(f"{item.kind} {item.identifier}" for item in left) or "nothing"


def whole_history(demo: Rehearsal) -> Outcome:
    """Everything that was done is written down, and the log's chain is whole."""
    return demo.run("history", "--stack", STACK) == EXIT_DONE, "whole"


STEPS: Final[tuple[tuple[str, Callable[[Rehearsal], Outcome]], ...]] = (
    ("synthesize both stacks", synthesize),
    ("validate the native one", validate),
    ("plan to a sealed file", plan),
    ("apply exactly that file", apply),
    ("read the outputs", outputs),
    ("plan again: no changes", no_changes),
    ("plan the destruction", destroy_plan),
    ("apply the destroy plan", destroy),
    ("ask AWS what is left", nothing_left),
    ("read the history", whole_history),
)


def _has_changes(demo: Rehearsal) -> bool:
    sealed = demo.ask("show", "--stack", STACK)
    return isinstance(sealed, dict) and sealed.get("has_changes") is True


def _count(demo: Rehearsal, action: str) -> str:
    sealed = demo.ask("show", "--stack", STACK)
    counts = sealed.get("counts") if isinstance(sealed, dict) else None
    number = counts.get(action) if isinstance(counts, dict) else None
    return f"{number} to {action}"


def _protected(demo: Rehearsal) -> list[str]:
    """Return the addresses that need an allowance, as the applied plan named them."""
    applied = min(demo.folder.glob(f"plans/{STACK}/*Z-*"))
    sealed = demo.ask("show", applied, "--stack", STACK)
    changes = sealed.get("changes", []) if isinstance(sealed, dict) else []
    addresses = [str(change["address"]) for change in changes]
    return [each for each in addresses if each.partition(".")[0] in PROTECTED_KINDS]
