"""The engine: Terraform's arguments, events, exits, locks; nothing of stacks or sealed plans."""

from biomodal_deploy.engine.terraform.cli import TerraformCli
from biomodal_deploy.engine.terraform.environment import conflicting_environment
from biomodal_deploy.engine.terraform.failures import TerraformFailed, TerraformStopped
from biomodal_deploy.engine.terraform.locks import LockInfo
from biomodal_deploy.engine.terraform.results import (
    ApplyRun,
    OutputValue,
    State,
    StateHeader,
    Touched,
    Validation,
)
from biomodal_deploy.engine.terraform.runlog import LoggedRun, read_log

__all__ = [
    "ApplyRun",
    "LockInfo",
    "LoggedRun",
    "OutputValue",
    "State",
    "StateHeader",
    "TerraformCli",
    "TerraformFailed",
    "TerraformStopped",
    "Touched",
    "Validation",
    "conflicting_environment",
    "read_log",
]
