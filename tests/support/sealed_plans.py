"""Sealed plans to attack."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.guards import judge
from biomodal_deploy.plan.sealed import Facts, SealedPlan, StateId, drafting, sha256
from biomodal_deploy.plan.sealed.facts import FileDigest, Module
from biomodal_deploy.plan.sealed.files import canonical
from tests.support.plans import plan, resource

NOW: Final = datetime.now(UTC).replace(microsecond=0)
SHA: Final = sha256(b"something")
OTHER: Final = sha256(b"another")


def facts(**changed: Any) -> Facts:
    """Return facts with every field set, some of them changed."""
    return Facts.model_validate(
        {
            "stack": "demo",
            "directory": "cdktf.out/stacks/demo",
            "workspace": "default",
            "backend": "s3:states/demo (eu-west-2)",
            "backend_sha256": SHA,
            "account": "111122223333",
            "region": "eu-west-2",
            "caller": "arn:aws:sts::111122223333:assumed-role/deployer/monday",
            "terraform_version": "1.11.4",
            "providers": {"registry.terraform.io/hashicorp/aws": "5.100.0"},
            "state": StateId(lineage="aaaa", serial=7),
            "synthesized_sha256": SHA,
            "var_files": (
                FileDigest(path="terraform.tfvars", sha256=SHA),
                FileDigest(path="prod.tfvars", sha256=SHA),
            ),
            "install_script": FileDigest(path="scripts/install_script.sh", sha256=SHA),
            "lock_file_sha256": SHA,
            "modules": (Module(key="bootstrap", source="git::x", commit="c" * 40, sha256=SHA),),
            "git_commit": "a" * 40,
            "git_clean": True,
            **changed,
        }
    )


def sealed(
    plans: Path,
    *,
    now: datetime = NOW,
    of: Plan | None = None,
    content: bytes = b"a plan file",
    lifetime: timedelta = timedelta(hours=24),
    kind: PlanKind = PlanKind.APPLY,
    key: bytes | None = None,
    stack: str = "demo",
    **changed: Any,
) -> SealedPlan:
    """Seal a plan."""
    what = of or plan(resource("aws_x.y", "create", None, {"a": 1}))
    with drafting(plans, stack, now=now) as draft:
        draft.plan_file.write_bytes(content)
        (draft.logs / "plan.jsonl").write_text("{}\n")
        return draft.seal(
            what,
            facts(stack=stack, **changed),
            kind=kind,
            verdicts=judge(what, kind=kind),
            lifetime=lifetime,
            key=key,
        )


@contextmanager
def refused(reason: str, words: str | None = None) -> Iterator[None]:
    """Expect that a sealed plan is refused for a reason."""
    with pytest.raises(SealedPlanRefused, match=words) as caught:
        yield
    assert caught.value.reason == reason


def edit_manifest(
    sealed_plan: SealedPlan, change: Callable[[dict[str, Any]], object], *, forge: bool
) -> None:
    """Change the manifest as somebody would who knows its digest, or does not."""
    path = sealed_plan.path / "manifest.json"
    body = json.loads(path.read_text())
    change(body)
    if forge:
        signature = body.pop("signature", None)
        body.pop("manifest_sha256")
        body["manifest_sha256"] = sha256(canonical(body))
        if signature:
            body["signature"] = signature
    path.write_text(json.dumps(body))


def forked(*works: Callable[[], object], kill: bool = False) -> list[int | None]:
    """Run functions at the same time, each in a process of its own; return how they ended."""
    context = get_context("fork")
    gate = context.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        gate.wait(20)
        try:
            work()
        except BaseException:  # noqa: BLE001  # the parent asks for the status
            os._exit(1)
        os._exit(0)

    processes = [context.Process(target=run, args=(work,)) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    codes: Sequence[int | None] = [process.exitcode for process in processes]
    assert kill or all(code in {0, 1} for code in codes)
    return list(codes)
