"""What became of an apply whose command died: read from its log, told by the next run."""

from __future__ import annotations

from dataclasses import dataclass

from biomodal_deploy.engine.terraform import LoggedRun, Touched, read_log
from biomodal_deploy.plan.history import plans_in_order
from biomodal_deploy.plan.sealed import Use, UseState
from biomodal_deploy.plan.sealed.use import use_of
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.signals import Listener, Notice
from biomodal_deploy.workflow.stack import Stack


@dataclass(frozen=True)
class Unfinished:
    """The last apply of a stack, where it did not come to a good end, or to none yet.

    Attributes:
        name: The sealed plan.
        use: Who began it, when, and how it ended where that is known.
        log: What is known of it; None where Terraform was not started.
    """

    name: str
    use: Use
    log: LoggedRun | None

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return self.use.state is UseState.RUNNING or bool(self.log and self.log.running)

    @property
    def made(self) -> tuple[Touched, ...]:
        """What it made, as far as is known."""
        return self.log.run.completed if self.log else ()


def unfinished_apply(stack: Stack) -> Unfinished | None:
    """Return the last apply of a stack, if its end is not known or has not come yet."""
    last = last_not_applied(stack)
    return last if last and last.use.state in (UseState.UNKNOWN, UseState.RUNNING) else None


def last_not_applied(stack: Stack) -> Unfinished | None:
    """Return the last apply of a stack, unless it went well: what it made may be in no state."""
    for path in plans_in_order(stack.location.plans, stack.name):
        use = use_of(path)
        if use.state is UseState.APPLIED:
            break
        if use.state is not UseState.UNUSED:
            return Unfinished(path.name, use, read_log(path / "logs" / "apply.log"))
    return None


def tell_unfinished(stack: Stack, listen: Listener) -> None:
    """Say what is known of the last apply, where it was begun and never ended.

    Args:
        stack: The stack.
        listen: Told in one notice.
    """
    found = unfinished_apply(stack)
    if found:
        listen(Notice(f"The plan {found.name} was {found.use.sentence()}. {_known(found)}"))


def _known(found: Unfinished) -> str:
    if found.running:
        return "Terraform is still at work: wait until it has ended."
    if found.log is None:
        return "Terraform was not started. This plan takes up where it stopped."
    run = found.log.run
    done = [f"{counted(len(run.completed), 'change')} made"]
    done += [f"{each.address} was begun and its end is unknown" for each in run.in_progress]
    done += [f"{each.address} failed" for each in run.failed]
    done += [f"{each.address} was never begun" for each in run.not_begun]
    return f"{'; '.join(done)}. This plan starts from what is there: review it closely."
