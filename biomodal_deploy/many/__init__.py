"""Several deployments at once: each one is a command of its own, and here they are looked after.

A stack of a set is planned, applied or examined by the same command that a person would type for
it, as a child process with `--output json`. So a set can do nothing that one command cannot, a
failure in one has no way into another, and each has its own signals to stop by.
"""

from biomodal_deploy.many.choosing import choose_several, is_set
from biomodal_deploy.many.jobs import default_jobs
from biomodal_deploy.many.outcome import Outcome, Problem, worst
from biomodal_deploy.many.part import Part
from biomodal_deploy.many.running import Ended, Listener, Said, Started, Stopping, run_parts

__all__ = [
    "Ended",
    "Listener",
    "Outcome",
    "Part",
    "Problem",
    "Said",
    "Started",
    "Stopping",
    "choose_several",
    "default_jobs",
    "is_set",
    "run_parts",
    "worst",
]
