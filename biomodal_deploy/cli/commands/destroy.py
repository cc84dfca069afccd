"""`biomodal-aws destroy`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.applying import apply_asking
from biomodal_deploy.cli.render import message_console
from biomodal_deploy.cli.render.applies import applied_data, show_applied
from biomodal_deploy.cli.render.sealed_plans import show_sealed_plan
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import BiomodalError
from biomodal_deploy.plan import PlanKind
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.workflow.destroying import take_ledger
from biomodal_deploy.workflow.planning import make_plan
from biomodal_deploy.workflow.stack import fresh_stack
from biomodal_deploy.workflow.variables import PlanRequest


def destroy(
    var_file: opt.VarFiles = None,
    var: opt.Variables = None,
    allow_destroy: opt.AllowDestroy = None,
    account_moved: opt.AccountMoved = None,
    confirm: opt.Confirm = None,
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Show what will be destroyed, ask, and destroy it.

    A destroy plan is made, sealed and shown, and the stack's name has to be typed: on a terminal
    that is enough. Where nobody can answer (CI, a pipe), --confirm gives the name, and each
    protected resource needs --allow-destroy; without it the plan is refused with exit status 3, and
    the refusal names the addresses. A plan whose name was not typed cannot be applied later.

    Before anybody is asked, it shows what the plan does not: objects, images, running jobs, disks,
    and what would make the destroy fail. Afterwards it looks for what is left and still bills.
    Both only read, name the commands that solve it, never hold up the destroy, and are kept beside
    the sealed plan (biomodal-aws show).

    Example: biomodal-aws destroy --allow-destroy aws_instance.vm
    """
    with session(project_dir, output) as work:
        by_name = work.can_ask and confirm is None
        request = PlanRequest(
            kind=PlanKind.DESTROY,
            var_files=var_file or (),
            variables=var or (),
            allow_destroy=allow_destroy or (),
            by_name=by_name,
            cwd=Path.cwd(),
            account_moved=account_moved,
        )
        chosen = fresh_stack(work.location, stack)
        planned = make_plan(chosen, request)
        ledger = take_ledger(chosen, planned.sealed_plan, planned.plan)
        work.progress.pause()
        show_sealed_plan(message_console(), planned.sealed_plan, planned.plan, ledger)
        with _good_for_this_answer(planned.sealed_plan) if by_name else nullcontext():
            done = apply_asking(work, chosen, planned.sealed_plan, name=confirm, ledger=ledger)
    return emit(applied_data(done), lambda console: show_applied(console, done), output)


@contextmanager
def _good_for_this_answer(sealed_plan: SealedPlan) -> Iterator[None]:
    """Make a plan useless unless it is applied: the name that was typed stood for its flags."""
    try:
        yield
    except BaseException:
        with suppress(BiomodalError, OSError):
            sealed_plan.drop_plan_file()
        raise
