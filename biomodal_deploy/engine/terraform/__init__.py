"""The engine: Terraform's arguments, events, exits, locks; nothing of stacks or sealed plans."""

from biomodal_deploy.engine.terraform.calls import OnEvent
from biomodal_deploy.engine.terraform.cli import TerraformCli
from biomodal_deploy.engine.terraform.environment import Conflict, conflicting_environment
from biomodal_deploy.engine.terraform.failures import TerraformFailed, TerraformStopped
from biomodal_deploy.engine.terraform.locks import LockInfo
from biomodal_deploy.engine.terraform.results import (
    ApplyRun,
    OutputValue,
    PlanRun,
    State,
    StateHeader,
    StateResource,
    Touched,
    Validation,
    VersionInfo,
)
from biomodal_deploy.engine.terraform.runlog import LoggedRun, read_log

__all__ = [
    "ApplyRun",
    "Conflict",
    "LockInfo",
    "LoggedRun",
    "OnEvent",
    "OutputValue",
    "PlanRun",
    "State",
    "StateHeader",
    "StateResource",
    "TerraformCli",
    "TerraformFailed",
    "TerraformStopped",
    "Touched",
    "Validation",
    "VersionInfo",
    "conflicting_environment",
    "read_log",
]
