"""`biomodal-aws history`."""

from __future__ import annotations

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.plans import history_data, show_history
from biomodal_deploy.cli.session import emit
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.workflow.location import Location
from biomodal_deploy.workflow.stack import recorded_stack


def history(
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Print who planned and applied what, and when.

    With every result. The log is a chain: each entry holds the digest of the one
    before, so a changed or missing entry shows: exit status 2.

    Example: biomodal-aws history
    """
    chain = recorded_stack(Location.of(project_dir), stack).history.verify_chain()
    return emit(
        history_data(chain),
        lambda console: show_history(console, chain),
        output,
        EXIT_FINDINGS if chain.broken_at else EXIT_DONE,
    )
