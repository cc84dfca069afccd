"""`biomodal-aws validate`."""

from __future__ import annotations

from biomodal_deploy.cli import options as opt
from biomodal_deploy.cli.render.project import show_findings
from biomodal_deploy.cli.session import emit, session
from biomodal_deploy.errors import EXIT_DONE, EXIT_FINDINGS
from biomodal_deploy.workflow.reading import validate as validate_stack
from biomodal_deploy.workflow.stack import fresh_stack


def validate(
    project_dir: opt.ProjectDir = opt.HERE,
    stack: opt.Stack = None,
    output: opt.OutputFormat = opt.Format.TEXT,
) -> int:
    """Check the stack against its providers' schemas.

    Findings name the construct that they come from. Exit status 2 where there are any errors.

    Example: biomodal-aws validate
    """
    with session(project_dir, output) as work:
        chosen = fresh_stack(work.location, stack)
        validation, findings = validate_stack(chosen)
    data = {
        "stack": chosen.name,
        "valid": validation.valid,
        "findings": [
            {
                "severity": each.diagnostic.severity,
                "construct": each.construct,
                "summary": each.diagnostic.summary,
                "detail": each.diagnostic.detail,
            }
            for each in findings
        ],
    }
    status = EXIT_DONE if validation.valid else EXIT_FINDINGS
    return emit(data, lambda console: show_findings(console, chosen.name, findings), output, status)
