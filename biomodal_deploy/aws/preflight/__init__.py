"""The account preflight: what an apply will meet, asked beforehand and read-only."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from biomodal_deploy.aws.checks import Check, Finding, Progress, ReportData, run_checks
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight import caller, keys, machine, names, network, quotas, roles
from biomodal_deploy.aws.preflight.caller import NeededActions
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.roles import VARIABLES
from biomodal_deploy.aws.preflight.target import Target, target_from
from biomodal_deploy.aws.resources import owned_by

if TYPE_CHECKING:
    from boto3.session import Session


__all__ = ["owned_by", "run_preflight", "run_role_checks", "target_from"]

# `doctor` ends in 15 s whatever the network does; the rest is for starting and printing.
SECONDS: Final = 12.0
QUICK_SECONDS: Final = 6.0


def run_preflight(
    target: Target,
    session: Session,
    *,
    quick: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    owned: frozenset[str] | None = frozenset(),
    elsewhere: Mapping[str, str] = MappingProxyType({}),
    needed_actions: NeededActions | None = None,
    seconds: float | None = None,
) -> ReportData:
    """Check the account for what an apply of this stack will meet; nothing is changed.

    Args:
        quick: Ask only what is asked before every plan.
        owned: What the stack's state holds already, from `owned_by`: those names are not taken;
            None where it could not be read.
        elsewhere: What other states of the project hold, likewise, with whose each is.
        needed_actions: Returns what an apply calls; without it, that check is unknown.
    """
    limit = seconds if seconds is not None else QUICK_SECONDS if quick else SECONDS
    facts = Facts(target, Clients(session, target.region), owned, elsewhere)
    checks = [check for check in all_checks(facts, needed_actions) if check.quick or not quick]
    return _report(checks, facts, limit, on_progress, quick=quick)


def run_role_checks(session: Session, region: str) -> ReportData:
    """Check only for the roles that every stack needs and none creates.

    Args:
        region: Any region of the account's partition: roles are the same in all of them.
    """
    # These checks ask about the account alone, whatever is going to be deployed into it.
    nothing = Target(region=region, vpc_id="", subnet_id="", vm_name="", bootstrap="native")
    facts = Facts(nothing, Clients(session, region), frozenset())
    checks = [check for check in all_checks(facts) if check.name in VARIABLES]
    return _report(checks, facts, QUICK_SECONDS)


def _report(
    checks: Sequence[Check],
    facts: Facts,
    seconds: float,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    quick: bool = False,
) -> ReportData:
    started = time.monotonic()
    found = run_checks(checks, facts.clients, seconds, on_progress)
    return ReportData.of(found, quick=quick, seconds=time.monotonic() - started)


OPTIONS: Final = "options"
_ONLY_WHERE: Final[dict[str, Callable[[Target], bool]]] = {
    OPTIONS: lambda target: target.hardened is not None,
    "bucket-key": lambda target: target.existing_bucket is not None,
}
"""Checks that not every stack has."""


class Layer(StrEnum):
    """What a check is about, in the order in which a stack depends on it."""

    ACCOUNT = "Account"
    NETWORK = "Network"
    ROLES = "Roles"
    NAMES = "Names"
    MACHINE = "Machine"
    QUOTAS = "Quotas"
    PERMISSIONS = "Permissions"


_QUICK: Final = True
_CHECKS: Final[dict[Layer, tuple[tuple[str, str, Callable[[Facts], Finding], bool], ...]]] = {
    Layer.ACCOUNT: (
        ("credentials", "Credentials", caller.credentials, _QUICK),
        ("region", "Region", caller.region, _QUICK),
        ("partition", "Partition", caller.partition, _QUICK),
        ("limits", "Limits of the stack", caller.limits, _QUICK),
    ),
    Layer.NETWORK: (
        ("vpc", "VPC", network.vpc, _QUICK),
        ("subnet", "Subnet", network.subnet, _QUICK),
        ("vm-internet", "VM to the internet and back", network.vm_internet, False),
        ("hosts-aws", "Batch hosts to AWS", network.hosts_aws, False),
        ("s3-endpoint", "Route to S3", network.s3_endpoint, False),
    ),
    Layer.ROLES: (
        ("batch-service-role", "Batch's service role", roles.batch_service_role, _QUICK),
        ("spot-service-role", "Spot's service role", roles.spot_service_role, _QUICK),
        ("ecs-instance-role", "Batch hosts' role", roles.ecs_instance_role, _QUICK),
        ("tasks-bucket", "Batch tasks to the bucket", roles.tasks_bucket, False),
    ),
    Layer.NAMES: (
        ("bucket", "Bucket", names.bucket, _QUICK),
        ("bucket-key", "Key of the existing bucket", keys.bucket_key, False),
        ("key-pair", "Key pair", names.key_pair, _QUICK),
        ("repository", "ECR repository", names.repository, _QUICK),
        ("role", "VM role", names.role, _QUICK),
        ("instance-profile", "VM instance profile", names.instance_profile, _QUICK),
        ("security-group", "Security group", names.security_group, _QUICK),
        ("launch-template", "Launch template", names.launch_template, _QUICK),
        ("compute-environment", "Compute environment", names.compute_environment, _QUICK),
        ("job-queue", "Job queue", names.job_queue, _QUICK),
        (OPTIONS, "What the options name", names.options, _QUICK),
    ),
    Layer.MACHINE: (
        ("image", "Ubuntu image", machine.image, False),
        ("instance-type", "Instance type", machine.instance_type, _QUICK),
        ("volume-key", "Key of the volumes", keys.volume_key, False),
        ("rehearsal", "Rehearsed launch", machine.rehearsal, False),
    ),
    Layer.QUOTAS: (
        ("elastic-ips", "Elastic IPs", quotas.elastic_ips, _QUICK),
        ("on-demand-vcpus", "On-Demand vCPUs", quotas.on_demand_vcpus, _QUICK),
        ("spot-vcpus", "Spot vCPUs", quotas.spot_vcpus, False),
        ("batch-environments", "Compute environments", quotas.batch_environments, _QUICK),
        ("batch-queues", "Job queues", quotas.batch_queues, _QUICK),
    ),
}


def all_checks(facts: Facts, needed_actions: NeededActions | None = None) -> tuple[Check, ...]:
    """Return the checks that a stack has."""
    policy = partial(caller.caller_policy, facts, needed_actions)
    return (
        *(
            Check(name, title, partial(check, facts), layer, quick, name == "credentials")
            for layer, checks in _CHECKS.items()
            for name, title, check, quick in checks
            if name not in _ONLY_WHERE or _ONLY_WHERE[name](facts.target)
        ),
        Check("caller-policy", "What the caller may do", policy, Layer.PERMISSIONS),
    )
