"""Move a state, and die at a chosen step: run as a program in a project's folder.

The step is counted in what the workflow tells, so the program is killed between two of its steps,
or in the middle of one while Terraform is at work.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from biomodal_deploy.workflow.location import Location, Step, WorkflowEvent
from biomodal_deploy.workflow.migrating import migrate_state
from biomodal_deploy.workflow.stack import fresh_stack


def main(last: str) -> None:
    """Move the state of the only stack, and kill this process as the step begins."""

    def on_event(told: WorkflowEvent) -> None:
        if isinstance(told, Step) and told.text.startswith(last):
            os.kill(os.getpid(), signal.SIGKILL)

    location = Location.of(Path.cwd())
    migrate_state(fresh_stack(location, None).with_listener(on_event))


if __name__ == "__main__":
    main(sys.argv[1])
