"""What became of an apply whose command died: read from its log, told by the next run."""

from __future__ import annotations

from biomodal_deploy.engine.terraform import LoggedRun, read_log
from biomodal_deploy.plan.history import plans_in_order
from biomodal_deploy.plan.sealed import UseState
from biomodal_deploy.plan.sealed.use import use_of
from biomodal_deploy.text import counted
from biomodal_deploy.workflow.signals import Listener, Notice
from biomodal_deploy.workflow.stack import Stack


def tell_unfinished(stack: Stack, listen: Listener) -> None:
    """Say what is known of the last apply, where it was begun and never ended.

    Args:
        stack: The stack.
        listen: Told in one notice.
    """
    for path in plans_in_order(stack.location.plans, stack.name):
        use = use_of(path)
        if use.state is UseState.UNUSED:
            continue
        if use.state is UseState.UNKNOWN:
            log = path / "logs" / "apply.log"
            listen(Notice(f"The plan {path.name} was {use.sentence()}. {_known(read_log(log))}"))
        return


def _known(logged: LoggedRun | None) -> str:
    if logged is None:
        return "Terraform was not started. This plan takes up where it stopped."
    if logged.running:
        return "Terraform is still at work: wait until it has ended."
    done = [f"{counted(len(logged.run.completed), 'change')} made"]
    done += [f"{each.address} was begun and its end is unknown" for each in logged.run.in_progress]
    done += [f"{each.address} failed" for each in logged.run.failed]
    return f"{'; '.join(done)}. This plan starts from what is there: review it closely."
