"""What each command prints as `data` under `--output json`, as types, and their two pages.

`make docs` writes `docs/json.md` and `docs/json.schema.json` from them. A test closes the schemas
and runs the commands: a key that is missing here, or that a command lacks, fails it. To a shape
keys may be added; none is taken away.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from biomodal_deploy.aws.checks import ReportData
from biomodal_deploy.config.json_schema import DIALECT, describe, schema_of
from biomodal_deploy.engine.synthesis import Synthesis
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.engine.toolchain import Tool
from biomodal_deploy.review.hardening import ExplainData
from biomodal_deploy.review.report.plan_json import PlanData
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
from biomodal_deploy.workflow.sets import SetData
from tests.support.payload_plans import (
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
from tests.support.payload_running import (
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

PAGE: Final = Path("docs") / "json.md"
SCHEMA: Final = Path("docs") / "json.schema.json"
PLAN_SCHEMA: Final = Path("docs") / "plan.schema.json"
_INTRODUCTION: Final = """\
# JSON for programs

Written from the code by `make docs`; a test fails where it is out of date.

Under `--output json` every command prints one object on standard output: `exit_status`, `data` as
below (null where it failed before there was a result), and `error`, null or as in
[exit-codes.md](exit-codes.md). As JSON Schema, by command: [json.schema.json](json.schema.json);
what `plan` and `show` print stands alone in [plan.schema.json](plan.schema.json). Keys may be added
to a shape; none is taken away.
"""


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `data`, by command, with what they share under `$defs`."""
    inputs: list[Any] = [
        ((name, number), "serialization", TypeAdapter(kind))
        for name, kinds in PAYLOADS.items()
        for number, kind in enumerate(kinds)
    ]
    found, shared = TypeAdapter.json_schemas(inputs)
    for each in shared["$defs"].values():
        describe(each)
    commands: dict[str, Any] = {}
    for name, kinds in PAYLOADS.items():
        each = [found[(name, number), "serialization"] for number in range(len(kinds))]
        commands[name] = each[0] if len(each) == 1 else {"anyOf": each}
    return {"$schema": DIALECT, "commands": commands, "$defs": shared["$defs"]}


def schema_text() -> str:
    """Return the schema with each shape on a line of its own."""
    lines = []
    for key, value in schema().items():
        text = json.dumps(value)
        if isinstance(value, dict):
            inner = ",\n".join(
                f"{json.dumps(name)}: {json.dumps(each)}" for name, each in value.items()
            )
            text = f"{{\n{inner}\n}}"
        lines.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def page() -> str:
    """Return the whole page."""
    whole = schema()
    shapes = whole["$defs"]
    lines = [_INTRODUCTION, "## Commands\n", "| command | `data` |", "|---|---|"]
    for name, each in whole["commands"].items():
        lines.append(f"| `{name}` | {' or '.join(map(_kind, each.get('anyOf', [each])))} |")
    for name in sorted(shapes):
        lines += _section(name, shapes[name])
    return "\n".join(lines) + "\n"


def _section(name: str, shape: dict[str, Any]) -> Iterator[str]:
    yield f"\n## {name}\n"
    yield _words(shape) if "description" in shape else "One of the words below."
    if "enum" in shape:
        yield f"\n{', '.join(f'`{each}`' for each in shape['enum'])}."
    if "properties" in shape:
        yield "\n| key | value | what it is |\n|---|---|---|"
        for key, each in shape["properties"].items():
            yield f"| `{key}` | {_kind(each)} | {_words(each)} |"


def _words(schema: dict[str, Any]) -> str:
    return " ".join(str(schema.get("description", "")).split()).replace("|", "\\|")


def _kind(schema: dict[str, Any]) -> str:
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(map(_kind, options)))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return " or ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    match schema.get("type"):
        case "array":
            inner = schema.get("items") or (schema.get("prefixItems") or [{}])[0]
            return f"list of {_kind(inner)}"
        case "object":
            values = schema.get("additionalProperties")
            return f"object of {_kind(values)}" if isinstance(values, dict) else "object"
        case None:
            return "any"
        case kind:
            return str(kind)


def plan_schema() -> str:
    """Return the shape of a sealed plan as JSON Schema."""
    return json.dumps(schema_of(PlanData, "serialization"), indent=2) + "\n"


def main() -> int:
    """Write all three into the current folder's docs."""
    PLAN_SCHEMA.write_text(plan_schema(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
