"""Every check of a running stack, in the order in which its parts depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from biomodal_deploy.aws.checks import Check, Finding, Unavailable, failed, not_yet, passed, unknown
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.commands import START_VM, aws, show_console
from biomodal_deploy.aws.errors import one_line, or_none
from biomodal_deploy.aws.preflight.roles import MAKE
from biomodal_deploy.aws.resources import (
    INSTANCE_ENDED,
    ComputeEnvironment,
    JobQueue,
    console_of,
    describe_instance,
    minutes_up,
)
from biomodal_deploy.vm.deployed import Deployed
from biomodal_deploy.vm.install_log import InstallState, read_install

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef


_Resource = TypeVar("_Resource")
_CHANGING: Final = frozenset({"pending", "stopping"})
# EC2 gives its first console output some minutes after the start; the script takes about as long.
_SILENT_MINUTES: Final = 15
_DEEP: Final = "check on the VM itself: biomodal-aws status --deep"
_RERUN: Final = (
    "fix the cause (biomodal-aws connect -- sudo tail -n 50 /var/log/cloud-init-output.log), then "
    "run it again: biomodal-aws connect -- sudo bash /var/lib/cloud/instance/scripts/part-001"
)
_PLAN: Final = "run biomodal-aws plan: it creates what is missing"


def all_checks(deployed: Deployed, clients: Clients) -> tuple[Check, ...]:
    """Return the checks."""

    def check(name: str, title: str, run: Callable[[Deployed, Clients], Finding]) -> Check:
        return Check(name, title, partial(run, deployed, clients))

    return (
        check("vm", "VM", machine),
        check("vm-status", "VM status checks", status_checks),
        check("install-script", "Install script", install_script),
        *_each("Compute environment", deployed.environments, partial(compute_environment, clients)),
        *_each("Job queue", deployed.queues, partial(job_queue, clients)),
        check("bucket", "Bucket", bucket),
        check("repository", "ECR repository", repository),
        check("vm-role", "VM role", vm_role),
        check("hosts-role", "Batch hosts' role", hosts_role),
    )


def _each(
    title: str, resources: Sequence[_Resource], run: Callable[[_Resource], Finding]
) -> tuple[Check, ...]:
    """Return a check for each resource, numbered where there are several."""
    name = title.lower().replace(" ", "-")
    if not resources:
        return (Check(name, title, partial(not_built, title.lower())),)
    return tuple(
        Check(f"{name}-{number}" if len(resources) > 1 else name, title, partial(run, each))
        for number, each in enumerate(resources, 1)
    )


def compute_environment(clients: Clients, environment: ComputeEnvironment) -> Finding:
    """Whether a compute environment is enabled and valid."""
    name, ask = environment.name, clients.batch().describe_compute_environments
    found = ask(computeEnvironments=[environment.arn])["computeEnvironments"]
    if not found:
        return gone(f"the compute environment {name}")
    words = ("update-compute-environment", clients.region, "--compute-environment", name)
    shown = f"{name} ({'Spot' if environment.is_spot else 'On-Demand'})"
    return _batch_finding(shown, found[0], aws("batch", *words, "--state", "ENABLED"))


def job_queue(clients: Clients, queue: JobQueue) -> Finding:
    """Whether a job queue is enabled and valid."""
    found = clients.batch().describe_job_queues(jobQueues=[queue.arn])["jobQueues"]
    if not found:
        return gone(f"the job queue {queue.name}")
    words = ("update-job-queue", clients.region, "--job-queue", queue.name)
    return _batch_finding(queue.name, found[0], aws("batch", *words, "--state", "ENABLED"))


def _batch_finding(name: str, said: Mapping[str, Any], enable: str) -> Finding:
    state, status = said.get("state", "unknown"), said.get("status", "unknown")
    reason = said.get("statusReason", "")
    # Batch gives a healthy one a reason too, that it is healthy.
    because = f": {one_line(reason)}" if reason and status != "VALID" else ""
    words = f"{name} is {state}, {status}{because}"
    if status in ("CREATING", "UPDATING"):
        return not_yet(words)
    if status != "VALID":
        return failed(words, "fix what the reason names, then run biomodal-aws plan")
    if state != "ENABLED":
        return failed(words, enable)
    return passed(words)


def bucket(deployed: Deployed, clients: Clients) -> Finding:
    """Whether the data bucket exists, in the stack's region."""
    name = deployed.bucket
    if name is None:
        return not_built("bucket")
    said = or_none(lambda: clients.s3().head_bucket(Bucket=name), "404", "NoSuchBucket")
    if said is None:
        return gone(f"the bucket {name}")
    region = said.get("BucketRegion") or deployed.region
    if region != deployed.region:
        return failed(
            f"the bucket {name} is in {region}, and all else in {deployed.region}",
            "set use_existing_bucket_url to a bucket of that region: transfer between regions "
            "is slow and billed",
        )
    return passed(f"s3://{name}")


def repository(deployed: Deployed, clients: Clients) -> Finding:
    """Whether the ECR repository exists."""
    if not deployed.repositories:
        return not_built("ECR repository")
    name = deployed.repositories[0].name
    ask = partial(clients.ecr().describe_repositories, repositoryNames=[name])
    if (said := or_none(ask, "RepositoryNotFoundException")) is None:
        return gone(f"the ECR repository {name}")
    return passed(said["repositories"][0]["repositoryUri"])


def vm_role(deployed: Deployed, clients: Clients) -> Finding:
    """Whether the VM has an instance profile with a role in it."""
    vm = describe_instance(clients, deployed.vm.id) if deployed.vm else None
    if vm is None:
        raise Unavailable("there is no VM")
    profile = vm.get("IamInstanceProfile", {}).get("Arn")
    if profile is None:
        return failed("the VM has no instance profile", "run biomodal-aws plan: it restores it")
    name = _name(profile)
    if name not in {each.name for each in deployed.profiles}:
        return failed(
            f"the VM has the instance profile {name}, which is not this stack's",
            "run biomodal-aws plan: it restores its own",
        )
    return _holds_role(name, clients, "run biomodal-aws plan: it restores the role")


def hosts_role(deployed: Deployed, clients: Clients) -> Finding:
    """Whether the Batch hosts' instance profile holds a role."""
    named = (
        resources.instance_role
        for environment in deployed.environments
        for resources in environment.compute_resources
    )
    profile = next((each for each in named if each), None)
    if profile is None:
        return not_built("compute environment with a role for its hosts")
    name = _name(profile)
    ours = name in {each.name for each in deployed.profiles}
    fix = "run biomodal-aws plan: it creates it again" if ours else MAKE
    return _holds_role(name, clients, fix)


def _holds_role(profile: str, clients: Clients, fix: str) -> Finding:
    ask = partial(clients.iam().get_instance_profile, InstanceProfileName=profile)
    if (found := or_none(ask, "NoSuchEntity")) is None:
        return failed(f"the instance profile {profile} does not exist", fix)
    roles = found["InstanceProfile"]["Roles"]
    if not roles:
        return failed(f"the instance profile {profile} holds no role", fix)
    return passed(f"{roles[0]['RoleName']} (instance profile {profile})")


def _name(arn: str) -> str:
    """Return the name in an instance profile's ARN, which may have a path; a bare name stays."""
    return arn.rpartition("/")[2]


def not_built(what: str) -> Finding:
    """Return the finding for what the state does not hold."""
    return failed(f"the state holds no {what}: an apply was not completed", _PLAN)


def gone(what: str) -> Finding:
    """Return the finding for what the state holds and AWS does not have."""
    return failed(f"{what} is gone, though the state holds it", _PLAN)


def machine(deployed: Deployed, clients: Clients) -> Finding:
    """Whether the VM runs, at the address that the outputs name."""
    if deployed.vm is None:
        return not_built("VM")
    name, found = deployed.vm.id, describe_instance(clients, deployed.vm.id)
    state = found["State"]["Name"] if found else ""
    if found is None or state in INSTANCE_ENDED:
        return gone(f"the VM {name}")
    if state in _CHANGING:
        return not_yet(f"{name} is {state}")
    if state != "running":
        return failed(f"{name} is {state}", START_VM)
    address = found.get("PublicIpAddress")
    promised = deployed.outputs.get("public_ip")
    if promised and address != promised:
        return failed(
            f"{name} runs, but has the address {address or 'none'} and not {promised}",
            "run biomodal-aws plan: it restores the address",
        )
    return passed(f"{name} ({deployed.vm.instance_type}) runs at {address or 'no address'}")


def status_checks(deployed: Deployed, clients: Clients) -> Finding:
    """Whether EC2's two status checks pass: the host below the VM, and the VM itself."""
    name = _running(deployed, clients)[0]
    said = clients.ec2().describe_instance_status(InstanceIds=[name])["InstanceStatuses"]
    if not said:
        return not_yet("EC2 has not checked it yet")
    checks = {
        "system": said[0].get("SystemStatus", {}).get("Status", "unknown"),
        "instance": said[0].get("InstanceStatus", {}).get("Status", "unknown"),
    }
    words = ", ".join(f"{check} {status}" for check, status in checks.items())
    if set(checks.values()) == {"ok"}:
        return passed(words)
    if "impaired" in checks.values():
        return failed(words, show_console(name, deployed.region))
    if set(checks.values()) <= {"ok", "initializing"}:
        return not_yet(words)
    return unknown(words, "run it again in a minute")


def install_script(deployed: Deployed, clients: Clients) -> Finding:
    """How the install script went, from the console: no connection to the VM is needed."""
    name, vm = _running(deployed, clients)
    return install_answer(
        console_of(clients, name),
        fresh=minutes_up(vm) < _SILENT_MINUTES,
        where="the console",
        otherwise=_DEEP,
    )


def install_answer(log: str, *, fresh: bool, where: str, otherwise: str) -> Finding:
    """Return what a log of the install script shows.

    Args:
        fresh: Whether the VM was started so lately that the script may just have begun.
        where: What the log is, for people.
        otherwise: How to learn more where the log does not say.
    """
    install = read_install(log)
    if install.state is InstallState.DONE:
        return passed(install.sentence)
    if install.state in (InstallState.FAILED, InstallState.STOPPED):
        return failed(install.sentence, _RERUN)
    if install.state is InstallState.RUNNING:
        return not_yet(install.sentence)
    if fresh and not install.boot_ended:
        return not_yet(f"nothing on {where} yet: the VM has just started")
    # After a restart the console has the last boot only, and the script ran on the first.
    return unknown(f"{where} does not show the install script", otherwise)


def _running(deployed: Deployed, clients: Clients) -> tuple[str, InstanceTypeDef]:
    if deployed.vm is None:
        raise Unavailable("there is no VM")
    found = describe_instance(clients, deployed.vm.id)
    if found is None or found["State"]["Name"] != "running":
        raise Unavailable("the VM does not run")
    return deployed.vm.id, found
