"""Why jobs of a queue are RUNNABLE and wait: what keeps hosts away, as far as AWS shows it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import aws
from biomodal_deploy.aws.preflight.facts import Facts, running_in
from biomodal_deploy.aws.preflight.network import hosts_aws
from biomodal_deploy.aws.preflight.quotas import SPOT_VCPUS, STANDARD_VCPUS, quota_of
from biomodal_deploy.aws.preflight.target import Target
from biomodal_deploy.aws.resources import ComputeEnvironment, JobQueue
from biomodal_deploy.vm.checks import compute_environment, job_queue
from biomodal_deploy.vm.deployed import Deployed

HOSTS: Final = (
    "it waits for a host: one comes within minutes, unless the vCPU quota, a subnet without a way "
    "out or Spot capacity keeps it away (biomodal-aws doctor checks these)"
)
# The smallest host of the families that Batch takes.
_SMALLEST_VCPUS: Final = 2


def why_runnable(deployed: Deployed, queue: JobQueue, clients: Clients) -> str:
    """Return why jobs of a queue wait, in one line with its fix."""
    finding = blocked_by(deployed, queue, clients)
    if finding is None:
        return HOSTS
    return f"{finding.line}; fix: {finding.fix}" if finding.fix else finding.line


def blocked_by(deployed: Deployed, queue: JobQueue, clients: Clients) -> Finding | None:
    """Return what keeps hosts away from a queue; None where nothing is seen to."""
    for check in _checks(deployed, queue, clients):
        try:
            finding = check()
        # An answer that nobody has seen before, as well: a guess less, and no failure.
        except (BotoCoreError, ClientError, Unavailable, LookupError):
            continue
        if not finding.passed:
            return finding
    return None


def _checks(deployed: Deployed, queue: JobQueue, clients: Clients) -> Iterator[partial[Finding]]:
    hosts = [each for each in deployed.environments if each.arn in queue.environment_arns]
    yield partial(job_queue, clients, queue)
    for each in hosts:
        yield partial(compute_environment, clients, each)
    for each in hosts:
        yield partial(_vcpus, clients, each)
        yield partial(_ways_out, clients, each)


def _vcpus(clients: Clients, environment: ComputeEnvironment) -> Finding:
    """Whether one more host fits into the quota."""
    spot = environment.is_spot
    code, kind = (SPOT_VCPUS, "Spot") if spot else (STANDARD_VCPUS, "On-Demand")
    limit = quota_of(clients, code)
    used = sum(each.vcpus for each in running_in(clients) if each.spot is spot)
    line = f"{used} of {limit} {kind} vCPUs are in use"
    if used + _SMALLEST_VCPUS <= limit:
        return passed(line)
    words = ("--service-code", "ec2", "--quota-code", code, "--desired-value", str(limit + 32))
    more = aws("service-quotas", "request-service-quota-increase", clients.region, *words)
    return failed(f"{line}: no host fits", more)


def _ways_out(clients: Clients, environment: ComputeEnvironment) -> Finding:
    """Whether hosts reach AWS from the subnets that they start in."""
    ask = clients.batch().describe_compute_environments
    found = ask(computeEnvironments=[environment.arn])["computeEnvironments"]
    subnets = found[0].get("computeResources", {}).get("subnets", []) if found else []
    findings = [
        hosts_aws(
            Facts(
                Target(region=clients.region, vpc_id="", subnet_id=subnet, vm_name=""),
                clients,
                None,
            )
        )
        for subnet in subnets
    ]
    bad = ((s, f) for s, f in zip(subnets, findings, strict=True) if not f.passed)
    subnet, finding = next(bad, ("", passed("hosts reach AWS")))
    return finding if finding.passed else failed(f"{subnet}: {finding.line}", finding.fix or "")
