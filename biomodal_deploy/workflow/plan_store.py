"""Sealed plans by way of S3: from the machine that plans to the one that applies.

An object's key is the plan's digest, so what was approved names what is fetched. Who plans may put
and not read, who applies may read and not put. An object that somebody exchanged is refused.
"""

from __future__ import annotations

import tempfile

from biomodal_deploy.config.stack import PlanStore
from biomodal_deploy.errors import SealedPlanRefused, UsageError
from biomodal_deploy.files import private_dir, scratch, write_new, writing
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.archive import MOST_ARCHIVE, pack, unpack
from biomodal_deploy.plan.sealed.digests import typed_sha256
from biomodal_deploy.plan.sealed.sealed import stack_folder
from biomodal_deploy.workflow.plans import find_sealed_plan
from biomodal_deploy.workflow.signals import Notice, Step
from biomodal_deploy.workflow.stack import Stack


def push_plan(stack: Stack, named: str) -> SealedPlan:
    """Put a sealed plan into the stack's store, encrypted."""
    # The AWS library takes a while to load, and few stacks have a store.
    from biomodal_deploy.aws.buckets import put_file

    store = _store(stack)
    found = find_sealed_plan(stack.location, stack.name, named)
    key = _key(store, stack.name, found.sha256)
    stack.on_event(Step(f"Putting s3://{store.bucket}/{key}"))
    with tempfile.TemporaryFile(dir=private_dir(stack.location.plans)) as file:
        pack(found, file)
        file.seek(0)
        versioned = put_file(
            store.region_or(stack.settings.home_region), store.bucket, key, file, store.kms_key_arn
        )
    if not versioned:
        stack.on_event(Notice(f"The bucket {store.bucket} keeps no versions: switch versioning on"))
    return found


def pull_plan(stack: Stack, sha256: str) -> SealedPlan:
    """Fetch a sealed plan from the stack's store, by its digest, into `plans/`."""
    from biomodal_deploy.aws.buckets import get_file

    store = _store(stack)
    digest = typed_sha256(sha256, field="--pull", fix="copy it whole from the report")
    key = _key(store, stack.name, digest)
    private_dir(stack.location.plans)
    write_new(stack.location.plans / ".gitignore", b"*\n")  # as where it was planned
    where = f"s3://{store.bucket}/{key}"
    folder = private_dir(stack_folder(stack.location.plans, stack.name))
    stack.on_event(Step(f"Fetching {where}"))
    with scratch(folder, "pull") as room, tempfile.TemporaryFile(dir=room) as file:
        get_file(store.region_or(stack.settings.home_region), store.bucket, key, file, MOST_ARCHIVE)
        file.seek(0)
        unpacked = private_dir(room / "sealed")
        manifest = unpack(file, unpacked, digest, where)
        if manifest.facts.stack != stack.name:
            raise SealedPlanRefused(
                "not_stored", f"{where} is a plan of another stack: {manifest.facts.stack}."
            )
        target = folder / manifest.id
        if target.exists():
            raise SealedPlanRefused("here_already", f"{manifest.id} is here already, in {folder}.")
        with writing(target):
            unpacked.rename(target)
    return SealedPlan.load(target)


def _store(stack: Stack) -> PlanStore:
    if (store := stack.settings.plan_store) is None:
        raise UsageError(
            f"{stack.name} has no store for plans",
            field="plan_store",
            fix='set it in cdktf.json: "plan_store": {"remote": "s3://BUCKET/PREFIX"}',
        )
    return store


def _key(store: PlanStore, stack: str, sha256: str) -> str:
    return f"{store.prefix}{stack}/{sha256}.tar"
