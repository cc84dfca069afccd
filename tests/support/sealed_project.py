"""A project on disk with a sealed plan, for commands that only read: nothing was run to make it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from biomodal_deploy.plan import Plan
from biomodal_deploy.plan.sealed import SealedPlan
from tests.support.plans import output, plan, resource
from tests.support.sealed_plans import sealed

STACK: Final = "demo"


def changing() -> Plan:
    """Return a plan with one of each that a person should see."""
    return plan(
        resource("aws_s3_bucket.data", "create", None, {"bucket": "data"}),
        resource("aws_instance.vm", "update", {"size": 1, "key": "a"}, {"size": 2, "key": "a"}),
        resource("aws_eip.ip", "delete", {"ip": "1"}, None),
        output_changes={"word": output("create", None, "hello")},
    )


def sealed_project(folder: Path, of: Plan | None = None, **facts: Any) -> tuple[Path, SealedPlan]:
    """Write a project that was synthesized, planned and sealed; return it and the sealed plan."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cdktf.json").write_text(json.dumps({"app": "true", "context": {}}))
    stack = folder / "cdktf.out" / "stacks" / STACK
    stack.mkdir(parents=True)
    (stack / "cdk.tf.json").write_text("{}")
    return folder, sealed(folder / "plans", of=of or changing(), stack=STACK, **facts)
