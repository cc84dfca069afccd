"""A sealed plan on disk: `plans/<stack>/<id>/`."""

from __future__ import annotations

import contextlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import writing
from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed.files import (
    check_folders,
    check_private,
    held,
    opened,
    private_sha256,
    read_private,
    sha256,
    typed_sha256,
)
from biomodal_deploy.plan.sealed.manifest import ID, MOST_BYTES, Manifest
from biomodal_deploy.plan.sealed.use import CLAIM_FILE, OUTCOME_FILE, Use, UseState, use_of

PLAN_FILE: Final = "plan.tfplan"
MANIFEST_FILE: Final = "manifest.json"
CHANGES_FILE: Final = "changes.json"
# The copy that Terraform opens, where it cannot be in memory.
HELD_FILE: Final = "held.tfplan"
LOGS: Final = "logs"
# Who agreed to it.
APPROVALS: Final = "approvals"
# What a destroy plan's stack held before, and what was left of it after.
LEDGER_FILE: Final = "ledger.json"
REMAINS_FILE: Final = "remains.json"
_RECORD: Final = frozenset(
    {
        MANIFEST_FILE,
        CHANGES_FILE,
        CLAIM_FILE,
        OUTCOME_FILE,
        LOGS,
        APPROVALS,
        LEDGER_FILE,
        REMAINS_FILE,
    }
)
_MOST_CHANGES: Final = 500_000_000
_STACK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class SealedPlan:
    """A sealed plan, as found on disk.

    Attributes:
        sha256: Of `manifest.json`, and so of everything that the manifest binds: what a reviewer
            pins.
    """

    path: Path
    manifest: Manifest
    sha256: str
    use: Use

    @classmethod
    def load(cls, path: Path, *, key: bytes | None = None) -> SealedPlan:
        """Open a sealed plan.

        Nothing is recomputed yet that may have changed around it; see `verify`.

        Raises:
            SealedPlanRefused: missing, incomplete, edited, or others could have touched it.
        """
        path = path.absolute()
        _check_folder(path)
        with _plan_again():
            content = read_private(path / MANIFEST_FILE, MOST_BYTES)
        manifest = Manifest.from_json(content, key)
        if manifest.id != path.name:
            raise SealedPlanRefused(
                "renamed", f"{path} holds the plan {manifest.id}: a copy is not a plan. Plan again."
            )
        use = use_of(path)
        needed = [CHANGES_FILE]
        if use.state is UseState.UNUSED and not manifest.is_expired(datetime.now(UTC)):
            needed.append(PLAN_FILE)
        for name in needed:
            with _plan_again(), opened(path / name):
                pass
        return cls(path, manifest, sha256(content), use)

    @property
    def id(self) -> str:
        """Its name, which sorts by time."""
        return self.manifest.id

    @property
    def plan_file(self) -> Path:
        """What Terraform applies."""
        return self.path / PLAN_FILE

    @property
    def logs(self) -> Path:
        """Where what Terraform said is kept."""
        return self.path / LOGS

    def plan(self) -> Plan:
        """Return what was planned, redacted, without Terraform.

        Raises:
            SealedPlanRefused: `changes.json` is not the one that was sealed.
        """
        content = read_private(self.path / CHANGES_FILE, _MOST_CHANGES)
        if sha256(content) != self.manifest.changes_sha256:
            raise SealedPlanRefused(
                "edited_changes",
                f"{CHANGES_FILE} of {self.id} was changed after it was sealed: plan again.",
            )
        return Plan.from_changes(content)

    def plan_file_sha256(self) -> str:
        """Return the digest of the plan file as it is now."""
        return private_sha256(self.plan_file)

    @contextlib.contextmanager
    def held_plan_file(self) -> Iterator[Path]:
        """Hold the plan file's bytes as they were sealed, for Terraform to open.

        Raises:
            SealedPlanRefused: They are not those that were sealed.
        """
        with held(self.plan_file, self.path / HELD_FILE) as copy:
            if copy.sha256 != self.manifest.plan_sha256:
                raise SealedPlanRefused(
                    "edited_plan",
                    f"The plan {self.id} is refused: the plan file was changed after it was sealed."
                    f" Next: biomodal-aws plan --stack {self.manifest.facts.stack}",
                )
            yield copy.path

    def drop_plan_file(self, *, but_held: bool = False) -> None:
        """Delete the plan file, and what else was put beside it; the record stays.

        They hold every secret in clear, and are good for nothing more.

        Args:
            but_held: Whether the copy that Terraform is about to open stays.
        """
        with writing(self.path):
            found = list(self.path.iterdir())
        for path in found:
            if path.name not in _RECORD and not (but_held and path.name == HELD_FILE):
                with writing(path):
                    path.unlink(missing_ok=True)

    def require(self, expected: str) -> None:
        """Require the sealed plan that was approved elsewhere.

        Args:
            expected: The SHA-256 as `plan` printed it: the manifest's, which covers all the rest.
        """
        expected = typed_sha256(
            expected, field="--expect-sha256", fix="copy it whole from the output of plan"
        )
        if not hmac.compare_digest(expected, self.sha256):
            raise SealedPlanRefused(
                "not_approved",
                f"{self.id} has the SHA-256 {self.sha256}, and {expected} was approved.",
            )


def holds_secrets(folder: Path) -> bool:
    """Whether a sealed plan's folder holds more than the record that stays."""
    try:
        return any(path.name not in _RECORD for path in folder.iterdir())
    except OSError:
        return False


def stack_folder(plans: Path, stack: str) -> Path:
    """Return the folder of a stack's sealed plans."""
    if not _STACK.fullmatch(stack):
        raise UsageError(
            "A stack's name here has letters, digits, dots, hyphens and underscores",
            field="stack",
            value=stack,
            fix="rename it",
        )
    return plans / stack


def sealed_plans(plans: Path, stack: str) -> list[Path]:
    """Return the folders of a stack's sealed plans, the newest first by their own clock."""
    folder = stack_folder(plans, stack)
    try:
        # A file of such a name is no plan. A link to one is, and is refused where it is opened.
        found = [
            each
            for each in folder.iterdir()
            if ID.fullmatch(each.name) and (each.is_symlink() or each.is_dir())
        ]
    except FileNotFoundError:
        return []
    return sorted(found, key=_age, reverse=True)


def _age(path: Path) -> tuple[str, int]:
    # Within one second only the manifest, which is written once, tells which came later.
    try:
        written = (path / MANIFEST_FILE).lstat().st_mtime_ns
    except OSError:
        written = 0
    return path.name.partition("-")[0], written


@contextlib.contextmanager
def _plan_again() -> Iterator[None]:
    """Say what to do where a file of a sealed plan is refused."""
    try:
        yield
    except SealedPlanRefused as refusal:
        raise SealedPlanRefused(refusal.reason, f"{refusal} Plan again.") from None


def _check_folder(path: Path) -> None:
    try:
        check_private(path, path.lstat(), directory=True)
        check_folders(path.parent)
    except FileNotFoundError:
        raise SealedPlanRefused("no_sealed_plan", f"There is no sealed plan at {path}.") from None
    except NotADirectoryError:
        raise SealedPlanRefused("no_sealed_plan", f"{path} is not a folder.") from None
