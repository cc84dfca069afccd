"""What each command prints as `data` under `--output json`, as types.

`make docs` writes `docs/json.md` and `docs/json.schema.json` from them. A test closes the schemas
and runs the commands: a key that is missing here, or that a command lacks, fails it. To a shape
keys may be added; none is taken away.
"""

from __future__ import annotations

from typing import Any, Final

from biomodal_deploy.cli.payloads.plans import (
    AppliedData,
    ApprovalsData,
    CostData,
    DriftData,
    HistoryData,
    SetData,
)
from biomodal_deploy.cli.payloads.projects import (
    AdoptedData,
    EjectedData,
    ExplainData,
    KeyData,
    LockData,
    NewProject,
    NewStack,
    StepData,
    SynthData,
    ValidateData,
)
from biomodal_deploy.cli.payloads.running import (
    DiagnosisData,
    HostData,
    JobsData,
    NextflowData,
    PowerData,
    ReportData,
    RolesData,
    SmokeData,
    StatusData,
    ToolData,
)
from biomodal_deploy.cli.payloads.team import (
    BucketPolicy,
    CheckedBucket,
    CreatedBucket,
    DeployerData,
    MigratedData,
    PolicyCheckData,
    VmPolicyData,
)
from biomodal_deploy.cli.render.plans import PlansData
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.review.report.data import PlanData

# By command; what several types stand for depends on the options.
PAYLOADS: Final[dict[str, tuple[Any, ...]]] = {
    "init": (NewProject, NewStack, ExplainData),
    "demo": (list[StepData],),
    "doctor": (ReportData, RolesData, list[ToolData]),
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
    "smoke": (SmokeData,),
    "connect": (HostData,),
    "nextflow-config": (NextflowData,),
    "diagnose": (DiagnosisData,),
    "history": (HistoryData,),
    "drift": (DriftData, SetData),
    "backend create": (CreatedBucket,),
    "backend check": (CheckedBucket,),
    "backend policy": (BucketPolicy,),
    "backend migrate": (MigratedData,),
    "policy deployer": (DeployerData,),
    "policy check": (PolicyCheckData,),
    "policy vm": (list[VmPolicyData],),
    "keygen": (KeyData,),
    "synth": (SynthData,),
    "validate": (ValidateData,),
    "lock": (list[LockData],),
    "adopt": (AdoptedData,),
    "eject": (EjectedData,),
}
