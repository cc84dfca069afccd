"""What a stack's settings need in S3 beside its state: the remote history, and the plan store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from biomodal_deploy.config.stack import StackSettings
from biomodal_deploy.iam.catalog import Condition, Phase
from biomodal_deploy.iam.needs import Need
from biomodal_deploy.iam.place import Place

_CHANGES: Final = (Phase.APPLY, Phase.UPDATE, Phase.DESTROY)


def remote_needs(settings: StackSettings, stack: str, place: Place) -> Iterator[Need]:
    """Yield what whoever plans needs, who may put a plan, and whoever applies, who may fetch it."""
    if history := settings.history:
        arn = _objects(place, history.bucket, history.prefix, stack)
        actions = ["s3:PutObject", "s3:GetObject"]
        actions += ["s3:PutObjectRetention"] if history.retain_days else []
        for action in actions:
            yield from _needs("history", action, arn, _CHANGES, "claims the plan")
    if store := settings.plan_store:
        arn = _objects(place, store.bucket, store.prefix, stack)
        yield from _needs("plan_store", "s3:PutObject", arn, (Phase.PLAN,), "stores the plan")
        yield from _needs("plan_store", "s3:GetObject", arn, _CHANGES, "fetches the plan")
        if key := store.kms_key_arn:
            region = store.region or place.region
            through = {"StringEquals": {"kms:ViaService": place.principals(f"s3.{region}")}}
            for action, phases in (
                ("kms:GenerateDataKey", (Phase.PLAN,)),
                ("kms:Decrypt", _CHANGES),
            ):
                yield from _needs("plan_store", action, key, phases, "encrypts the plan", through)


def _objects(place: Place, bucket: str, prefix: str, stack: str) -> str:
    # A key may hold a star, which in an ARN would stand for every other key.
    return f"arn:{place.partition}:s3:::{bucket}/{prefix.replace('*', '${*}')}{stack}/*"


def _needs(
    setting: str,
    action: str,
    resource: str,
    phases: tuple[Phase, ...],
    why: str,
    condition: Condition | None = None,
) -> Iterator[Need]:
    for phase in phases:
        yield Need(
            address=setting,
            kind=setting,
            phase=phase,
            action=action,
            resources=(resource,),
            condition=condition or {},
            tags={},
            why=why,
            unobserved=None,
        )
