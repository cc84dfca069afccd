"""The facts of a stack that Nextflow's configuration rests on."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from biomodal_deploy.aws.checks import Unavailable, ask_once
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.config.contract.aws import ECS_INSTANCE_ROLE, WORK_FOLDER
from biomodal_deploy.errors import UsageError
from biomodal_deploy.vm.deployed import Deployed
from biomodal_deploy.workflow.location import Listener, Notice, Step

# Apart from the work directory, so that no expiry of work files reaches it.
CACHE_FOLDER: Final = "nf-cache"
# What `scripts/batch_host.sh` says of itself, in the launch template's user data.
_CLI_PATH: Final = re.compile(r"aws\.batch\.cliPath = '([^'\n]+)'")


@dataclass(frozen=True, kw_only=True)
class NextflowFacts:
    """What was built, as far as Nextflow uses it.

    Attributes:
        queue_is_spot: Whether its hosts are Spot hosts.
        on_demand_queue: A queue of On-Demand hosts besides, or None.
        cli_path: Where the hosts have the AWS command line, or None.
        job_role: ARN of the role that tasks take, or None.
        logs_group: The log group of tasks, or None for Batch's own.
        shared_hosts_role: Whether hosts have the account's shared role, which lacks the bucket.
        queue_cancels: Whether each of these queues cancels jobs that wait for too long.
        instance_type: The VM's type, or None.
        memory_mib: The VM's memory in MiB, or None where EC2 did not say.
    """

    stack: str
    region: str
    bucket: str
    registry: str | None
    queue: str
    queue_is_spot: bool
    on_demand_queue: str | None
    cli_path: str | None
    job_role: str | None
    logs_group: str | None
    shared_hosts_role: bool
    queue_cancels: bool
    instance_type: str | None
    memory_mib: int | None

    @property
    def work_dir(self) -> str:
        """Nextflow's work directory."""
        return f"s3://{self.bucket}/{WORK_FOLDER}"


def nextflow_facts(deployed: Deployed, memory_mib: int | None) -> NextflowFacts:
    """Return the facts of a stack.

    Args:
        memory_mib: The VM's memory in MiB, or None where it is not known.

    Raises:
        UsageError: There is no job queue or no bucket yet.
    """
    spot, on_demand = deployed.queue_for(spot=True), deployed.queue_for(spot=False)
    queue = spot or on_demand or (deployed.queues[0] if deployed.queues else None)
    if queue is None:
        raise UsageError(
            "no job queue yet",
            field=deployed.stack,
            fix="finish the stack: run biomodal-aws plan, then biomodal-aws apply",
        )
    bucket = deployed.output("bucket_url").removeprefix("s3://").strip("/")
    role = deployed.job_role()
    hosts_roles = {
        (resources.instance_role or "").rpartition("/")[2]
        for environment in deployed.environments
        for resources in environment.compute_resources
    }
    return NextflowFacts(
        stack=deployed.stack,
        region=deployed.region,
        bucket=bucket,
        registry=deployed.outputs.get("docker_repo_url"),
        queue=queue.name,
        queue_is_spot=spot is not None,
        on_demand_queue=on_demand.name if spot and on_demand else None,
        cli_path=_cli_path(deployed),
        job_role=role.arn if role else None,
        logs_group=deployed.log_groups[0].name if deployed.log_groups else None,
        shared_hosts_role=ECS_INSTANCE_ROLE in hosts_roles,
        queue_cancels=all(
            each.job_state_time_limit_action
            for each in (queue, on_demand if spot else None)
            if each is not None
        ),
        instance_type=deployed.vm.instance_type if deployed.vm else None,
        memory_mib=memory_mib,
    )


def _cli_path(deployed: Deployed) -> str | None:
    """Return where the hosts' start-up script puts the AWS command line, as it says itself."""
    for template in deployed.templates:
        try:
            script = base64.b64decode(template.user_data or "").decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            continue
        if found := _CLI_PATH.search(script):
            return found[1]
    return None


def memory_of(deployed: Deployed, on_event: Listener) -> int | None:
    """Return the VM's memory in MiB; None where there is no VM or EC2 does not say."""
    if deployed.vm is None:
        return None
    kind = deployed.vm.instance_type

    def ask(clients: Clients) -> int:
        said = clients.ec2().describe_instance_types(
            # The type is a text of the state's; the stubs list the types of their own day.
            InstanceTypes=[kind]  # type: ignore[list-item]
        )
        return said["InstanceTypes"][0]["MemoryInfo"]["SizeInMiB"]

    on_event(Step("Asking EC2 for the VM's memory"))
    try:
        return ask_once(deployed.region, ask)
    except (Unavailable, LookupError):
        on_event(Notice(f"EC2 did not say how much memory a {kind} has, so NXF_OPTS is left open"))
        return None
