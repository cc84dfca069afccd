"""Quotas: whether what is made still fits beside what is there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed, warned
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight.facts import Facts

ELASTIC_IPS: Final = "L-0263D0A3"
STANDARD_VCPUS: Final = "L-1216C47A"
SPOT_VCPUS: Final = "L-34B43A08"
# Batch user guide, "Service quotas": fixed, and the same for both.
BATCH_LIMIT: Final = 50

# On-Demand quotas beside the standard one, by the letters that a type begins with (Service
# Quotas, service "ec2"). The longest match counts: `inf1` is no `i`, `hpc6` no `h`.
_FAMILIES: Final = {
    "dl": "L-6E869C2A",
    "f": "L-74FC7D96",
    "g": "L-DB2E81BA",
    "gr": "L-DB2E81BA",
    "vt": "L-DB2E81BA",
    "hpc": "L-F7808C92",
    "inf": "L-1945791B",
    "p": "L-417A185B",
    "trn": "L-2C3B7624",
    "u": "L-43DA4232",
    "x": "L-7295265B",
}


def elastic_ips(facts: Facts) -> Finding:
    """Whether one more elastic IP fits, and can be attached to a machine of the VPC."""
    if facts.target.hardened and not facts.target.hardened.elastic_ip:
        return passed("the stack makes none: elastic_ip is false")
    if facts.holds_any("aws_eip"):
        return passed("the stack has its elastic IP")
    said = facts.clients.ec2().describe_addresses()
    # Addresses that a customer brought along do not count.
    used = sum(1 for each in said["Addresses"] if each.get("PublicIpv4Pool", "amazon") == "amazon")
    try:
        limit = quota_of(facts.clients, ELASTIC_IPS)
    except ClientError:
        # EC2 itself knows this one, also where Service Quotas may not be asked.
        limit = _address_attribute(facts)
    line = f"{used} of {limit} elastic IPs are in use"
    if used >= limit:
        return failed(f"{line}: none is left", _raise(facts, ELASTIC_IPS, used + 1))
    if not facts.gateways():
        # EC2 API reference, error code Gateway.NotAttached.
        return failed(
            f"{facts.target.vpc_id} has no internet gateway: EC2 attaches no elastic IP there",
            "attach a gateway, or set elastic_ip = false in the hardened profile",
        )
    return passed(line)


def on_demand_vcpus(facts: Facts) -> Finding:
    """Whether the VM's vCPUs fit beside what runs, and the hardened profile's On-Demand hosts'."""
    runs, hardened = facts.holds_any("aws_instance"), facts.target.hardened
    if runs and not hardened:
        return passed("the VM runs already")
    kind = facts.instance_kind()
    if kind is None:
        raise Unavailable(f"there is no instance type {facts.target.instance_type}")
    code = quota_code(facts.target.instance_type)
    limit = quota_of(facts.clients, code)
    used = sum(
        each.vcpus for each in facts.running() if not each.spot and quota_code(each.type) == code
    )
    takes = 0 if runs else kind["VCpuInfo"]["DefaultVCpus"]
    line = f"{used} of {limit} On-Demand vCPUs are in use, the VM takes {takes}"
    if used + takes > limit:
        return failed(line, _raise(facts, code, used + takes))
    if hardened and code == STANDARD_VCPUS:
        line += f", Batch up to {facts.target.batch_vcpus}"
        if (wanted := used + takes + facts.target.batch_vcpus) > limit:
            return warned(
                f"{line}: some tasks of the On-Demand queue would wait in RUNNABLE",
                _raise(facts, code, wanted),
            )
    return passed(line)


def spot_vcpus(facts: Facts) -> Finding:
    """Whether Batch can have the Spot vCPUs it may ask for."""
    limit, batch = quota_of(facts.clients, SPOT_VCPUS), facts.target.batch_vcpus
    used = sum(
        each.vcpus
        for each in facts.running()
        if each.spot and quota_code(each.type) == STANDARD_VCPUS
    )
    line = f"{used} of {limit} Spot vCPUs are in use, Batch takes up to {batch}"
    more = _raise(facts, SPOT_VCPUS, used + batch)
    if limit == 0:
        return failed(f"{line}: no task would ever start", more)
    if used + batch > limit:
        return warned(f"{line}: some tasks would wait in RUNNABLE", more)
    return passed(line)


def batch_environments(facts: Facts) -> Finding:
    """Whether the stack's compute environments fit beside the others."""
    if facts.holds_any("aws_batch_compute_environment"):
        return passed("the stack has its compute environment")
    pages = facts.clients.batch().get_paginator("describe_compute_environments")
    used = sum(len(page["computeEnvironments"]) for page in pages.paginate())
    return _batch(facts, used, "compute environments", "describe-compute-environments")


def batch_queues(facts: Facts) -> Finding:
    """Whether the stack's job queues fit beside the others."""
    if facts.holds_any("aws_batch_job_queue"):
        return passed("the stack has its job queue")
    pages = facts.clients.batch().get_paginator("describe_job_queues")
    used = sum(len(page["jobQueues"]) for page in pages.paginate())
    return _batch(facts, used, "job queues", "describe-job-queues")


def quota_code(instance_type: str) -> str:
    """Return the On-Demand quota that an instance type counts against."""
    letters = re.match("[a-z]*", instance_type)
    start = letters[0] if letters else ""
    matching = [family for family in _FAMILIES if start.startswith(family)]
    return _FAMILIES[max(matching, key=len)] if matching else STANDARD_VCPUS


def _batch(facts: Facts, used: int, what: str, verb: str) -> Finding:
    line = f"{used} of {BATCH_LIMIT} Batch {what} are in use"
    # A queue for each environment.
    wanted = len(facts.target.job_queues)
    if used + wanted > BATCH_LIMIT:
        left = "none is left" if wanted == 1 else f"the stack makes {wanted}"
        return failed(
            f"{line}: {left}",
            f"delete one that `{facts.command('batch', verb)}` lists, or name another region",
        )
    return passed(line)


def quota_of(clients: Clients, code: str) -> int:
    """Return the limit that a quota of EC2 sets in the account and region."""
    quotas = clients.quotas()
    try:
        quota = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
    except quotas.exceptions.NoSuchResourceException:
        # A quota that nobody has changed may have no value of its own.
        quota = quotas.get_aws_default_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]
    return int(quota["Value"])


def _address_attribute(facts: Facts) -> int:
    said = facts.clients.ec2().describe_account_attributes(
        AttributeNames=["vpc-max-elastic-ips"]  # type: ignore[list-item]
    )
    values: Iterable[str] = (
        value["AttributeValue"]
        for attribute in said["AccountAttributes"]
        for value in attribute["AttributeValues"]
    )
    return int(next(iter(values)))


def _raise(facts: Facts, code: str, wanted: int) -> str:
    words = ("--service-code", "ec2", "--quota-code", code, "--desired-value", str(wanted))
    return facts.command("service-quotas", "request-service-quota-increase", *words)
