"""Making a sealed plan: drafted out of sight, sealed by one rename; and clearing old ones away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.terraform.locks import lock_holder
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import PRIVATE_FILE, private_dir, sync, write_new, writing
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import Verdict
from biomodal_deploy.plan.sealed.facts import Actor, Facts, one_line
from biomodal_deploy.plan.sealed.files import check_folders, private_sha256, sha256
from biomodal_deploy.plan.sealed.manifest import Manifest
from biomodal_deploy.plan.sealed.sealed_plan import (
    CHANGES_FILE,
    LOGS,
    MANIFEST_FILE,
    PLAN_FILE,
    SealedPlan,
    holds_secrets,
    sealed_plans,
    stack_folder,
)
from biomodal_deploy.plan.sealed.use import ENDED, UseState

LIFETIME: Final = timedelta(hours=24)
_DRAFT: Final = "draft-"
_LOCK: Final = ".lock"
KEPT_LOGS: Final = timedelta(days=30)


class Draft:
    """A plan that is being made: Terraform writes into its folder, then it is sealed.

    Attributes:
        logs: Where what Terraform says is kept. It stays where planning fails.
    """

    def __init__(self, folder: Path, created: datetime) -> None:
        stamp = created.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        self.id = f"{stamp}-{secrets.token_hex(3)}"
        self.path = folder / f"{_DRAFT}{self.id}"
        self.logs = self.path / LOGS
        self._folder, self._created = folder, created

    @property
    def plan_file(self) -> Path:
        """What Terraform writes with `-out`. Its own mode 0644 does no harm in this folder."""
        return self.path / PLAN_FILE

    def seal(
        self,
        plan: Plan,
        facts: Facts,
        *,
        kind: PlanKind = PlanKind.APPLY,
        verdicts: Sequence[Verdict] = (),
        lifetime: timedelta = LIFETIME,
        variables_sha256: str | None = None,
        authors: tuple[str, ...] = (),
        key: bytes | None = None,
    ) -> SealedPlan:
        """Seal it.

        Raises:
            UsageError: The system refused to write; nothing is left but the logs.
        """
        changes = plan.to_changes()
        with writing(self.plan_file):
            self.plan_file.chmod(PRIVATE_FILE)
        manifest = Manifest(
            id=self.id,
            kind=kind,
            created=self._created,
            expires=self._created + lifetime,
            maker=Actor.me(),
            authors=authors,
            plan_sha256=private_sha256(self.plan_file),
            changes_sha256=sha256(changes),
            variables_sha256=variables_sha256,
            facts=facts,
            counts=plan.counts,
            has_changes=plan.has_changes,
            verdicts=tuple(map(_on_one_line, verdicts)),
        )
        sync(self.plan_file)
        for name, content in ((CHANGES_FILE, changes), (MANIFEST_FILE, manifest.to_json(key))):
            if not write_new(self.path / name, content):
                raise UsageError("already exists", field=str(self.path / name))
        sync(self.path)
        sealed = self._folder / self.id
        with writing(sealed):
            self.path.rename(sealed)
        sync(self._folder)
        self.path, self.logs = sealed, sealed / LOGS
        return SealedPlan.load(sealed, key=key)


@contextlib.contextmanager
def drafting(plans: Path, stack: str, *, now: datetime | None = None) -> Iterator[Draft]:
    """Open a draft of a plan, and clear away what earlier runs left behind.

    A draft that is not sealed loses its plan file, which holds secrets, and keeps its logs.

    Raises:
        SealedPlanRefused: Others could exchange what is sealed there.
    """
    private_dir(plans)
    write_new(plans / ".gitignore", b"*\n")  # in whatever project this runs
    folder = private_dir(stack_folder(plans, stack))
    check_folders(folder)  # no apply would accept what is sealed there
    draft = Draft(folder, now or datetime.now(UTC))
    with _alone(folder):
        _clear(folder)
        private_dir(draft.path)
        private_dir(draft.logs)
        lock = _held(draft.path / _LOCK)
    try:
        yield draft
    finally:
        if draft.path.name == draft.id:
            (draft.path / _LOCK).unlink(missing_ok=True)
        else:
            _discard(draft.path)
        os.close(lock)


def clear_leftovers(plans: Path, stack: str) -> list[Path]:
    """Clear the drafts of processes that died; return their folders."""
    folder = stack_folder(plans, stack)
    if not any(map(_holds_more_than_logs, folder.glob(f"{_DRAFT}*"))):
        return []
    with _alone(folder):
        return _clear(folder)


def drafts(plans: Path, stack: str) -> list[Path]:
    """Return the folders of drafts: plans under way, and the logs of those that failed."""
    folder = stack_folder(plans, stack)
    return sorted(path for path in folder.glob(f"{_DRAFT}*") if path.is_dir())


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep others from clearing a draft away before it is held."""
    descriptor = _held(folder / _LOCK, wait=True)
    try:
        yield
    finally:
        os.close(descriptor)


def _held(path: Path, *, wait: bool = False) -> int:
    # The system lets go of it however this process ends: a draft without a holder is left over.
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with writing(path):
        descriptor = os.open(path, flags, PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _clear(folder: Path) -> list[Path]:
    cleared = []
    for draft in sorted(filter(_holds_more_than_logs, folder.glob(f"{_DRAFT}*"))):
        try:
            # One without a lock was left by a process that died before it had one, or while it
            # cleared the draft away: nobody begins a draft meanwhile.
            lock = _held(draft / _LOCK)
        except (BlockingIOError, UsageError):
            continue  # somebody is planning, or has just sealed it
        if not at_work(draft / LOGS):
            _discard(draft)
            cleared.append(draft)
        os.close(lock)
    return cleared


def at_work(logs: Path) -> bool:
    """Whether a Terraform lives that writes one of these logs: its command may be gone."""
    for path in logs.glob("*.log"):
        with contextlib.suppress(OSError), path.open("rb") as log:
            if lock_holder(log.fileno()) is not None:
                return True
    return False


def _holds_more_than_logs(draft: Path) -> bool:
    try:
        return any(path.name != LOGS for path in draft.iterdir()) or not (draft / LOGS).exists()
    except OSError:
        return False  # sealed or cleared away by now


def _on_one_line(verdict: Verdict) -> Verdict:
    # An address may hold any letter that a key of `for_each` has.
    address = None if verdict.address is None else one_line(verdict.address)
    return verdict.model_copy(update={"message": one_line(verdict.message), "address": address})


def _discard(draft: Path) -> None:
    """Take a draft away but for its logs, and all of it where there are none."""
    for path in draft.iterdir():
        if path.name not in (LOGS, _LOCK):
            with contextlib.suppress(OSError):
                path.unlink()
    # Last: a draft with a lock is looked at again, wherever this is stopped.
    (draft / _LOCK).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (draft / LOGS).rmdir()  # refused where there are logs
        draft.rmdir()


def prune(plans: Path, stack: str, *, now: datetime | None = None) -> None:
    """Clear a stack's folder; what was planned and what became of it stays."""
    clock = now or datetime.now(UTC)
    clear_leftovers(plans, stack)
    for path in sealed_plans(plans, stack):
        # Looked at first: most are over and cleared long since, and reading each takes its time.
        if holds_secrets(path) and (sealed_plan := _over(path, clock)):
            sealed_plan.drop_plan_file()
    for draft in drafts(plans, stack):
        if draft.stat().st_mtime < (clock - KEPT_LOGS).timestamp():
            shutil.rmtree(draft, ignore_errors=True)


def _over(path: Path, clock: datetime) -> SealedPlan | None:
    try:
        sealed_plan = SealedPlan.load(path)
    except SealedPlanRefused:
        return None  # somebody should look at it first
    ended = (
        sealed_plan.use.state in ENDED
        or _has_died(sealed_plan)
        or sealed_plan.manifest.is_expired(clock)
    )
    return sealed_plan if ended else None


def _has_died(sealed_plan: SealedPlan) -> bool:
    """Whether the process that claimed it is gone, and its Terraform too."""
    use = sealed_plan.use
    if use.state is not UseState.UNKNOWN or at_work(sealed_plan.logs):
        return False
    # One on another machine may be at it; a claim that cannot be read names nobody who could be.
    return use.claim is None or use.claim.by.is_running() is False
