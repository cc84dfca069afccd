"""The whole job, rehearsed against the sandbox with the very commands that a person types."""

from biomodal_deploy.sandbox.demo.rehearsal import Rehearsal, StepResult
from biomodal_deploy.sandbox.demo.steps import STEPS

__all__ = ["STEPS", "Rehearsal", "StepResult"]
