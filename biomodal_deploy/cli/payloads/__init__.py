"""What each command prints as `data` under `--output json`, as types.

`make docs` writes `docs/json.md` and `docs/json.schema.json` from them. A test closes the schemas
and runs the commands: a key that is missing here, or that a command lacks, fails it. To a shape
keys may be added; none is taken away.
"""

from __future__ import annotations

from typing import Any, Final

from biomodal_deploy.aws.checks import ReportData
from biomodal_deploy.cli.payloads.plans import (
    AdoptedData,
    AppliedData,
    ApprovalsData,
    CostData,
    DriftData,
    HistoryData,
    NewProject,
    NewStack,
    ValidateData,
)
from biomodal_deploy.cli.payloads.running import (
    BucketPolicy,
    CheckedBucket,
    CreatedBucket,
    DeployerData,
    DiagnosisData,
    HostData,
    IdleStopData,
    NextflowData,
    PolicyCheckData,
    RolesData,
    VmPolicyData,
)
from biomodal_deploy.engine.synthesis import Synthesis
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.engine.toolchain import Tool
from biomodal_deploy.review.hardening import ExplainData
from biomodal_deploy.review.report.data import PlanData
from biomodal_deploy.sandbox.demo import StepResult
from biomodal_deploy.vm.jobs import JobsData
from biomodal_deploy.vm.power import PowerData
from biomodal_deploy.vm.smoke.run import SmokeData
from biomodal_deploy.vm.ssh_key import KeyFiles
from biomodal_deploy.vm.status import StatusData
from biomodal_deploy.workflow.ejecting import Ejected
from biomodal_deploy.workflow.locking import Locked
from biomodal_deploy.workflow.migrating import Migrated
from biomodal_deploy.workflow.plans import PlansData
from biomodal_deploy.workflow.sets.outcome import SetData

# By command; what several types stand for depends on the options.
PAYLOADS: Final[dict[str, tuple[Any, ...]]] = {
    "init": (NewProject, NewStack, ExplainData),
    "demo": (list[StepResult],),
    "doctor": (ReportData, RolesData, list[Tool]),
    "plan": (PlanData, SetData),
    "plans": (PlansData,),
    "show": (PlanData,),
    "cost": (CostData,),
    "approve": (ApprovalsData,),
    "apply": (AppliedData, SetData),
    "destroy": (AppliedData,),
    "output": (dict[str, OutputValue],),
    "status": (StatusData,),
    "jobs": (JobsData,),
    "vm stop": (PowerData,),
    "vm start": (PowerData,),
    "vm idle-stop": (IdleStopData,),
    "smoke": (SmokeData,),
    "connect": (HostData,),
    "nextflow-config": (NextflowData,),
    "diagnose": (DiagnosisData,),
    "history": (HistoryData,),
    "drift": (DriftData, SetData),
    "backend create": (CreatedBucket,),
    "backend check": (CheckedBucket,),
    "backend policy": (BucketPolicy,),
    "backend migrate": (Migrated,),
    "policy deployer": (DeployerData,),
    "policy check": (PolicyCheckData,),
    "policy vm": (list[VmPolicyData],),
    "keygen": (KeyFiles,),
    "synth": (Synthesis,),
    "validate": (ValidateData,),
    "lock": (list[Locked],),
    "adopt": (AdoptedData,),
    "eject": (Ejected,),
}
