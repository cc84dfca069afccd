"""What moto's Batch lacks where jobs run in real containers (a Docker API is at DOCKER_HOST)."""

from __future__ import annotations

import time
from typing import Any, Final

from moto import settings
from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, Job
from moto.iam.exceptions import NotFoundException

from biomodal_deploy.sandbox.patches.patch import Method, patch, patched_value

# A closed port: what a metadata hop limit of 1 does to a container, which is one hop further away.
_NOWHERE: Final = "http://127.0.0.1:1"


class _Host:
    """Stands between a job and the Docker API, where ECS has the host's agent."""

    def __init__(self, job: Any, docker: Any) -> None:
        self._job, self._docker = job, docker

    @property
    def containers(self) -> _Host:
        return self

    def run(self, environment: dict[str, str], **words: Any) -> object:
        """Start the job's container; a reason is kept where that fails, as Batch describes it."""
        job = self._job
        if job.stop:
            raise RuntimeError("terminated before it was started")
        container = job.job_definition.container_properties or {}
        options = container.get("logConfiguration", {}).get("options", {})
        if group := options.get("awslogs-group"):
            if group not in job._log_backend.groups:  # noqa: SLF001 - moto's own
                job.container_reason = (
                    "CannotStartContainerError: Error response from daemon: failed to initialize "
                    "logging driver: failed to create Cloudwatch log stream: "
                    "ResourceNotFoundException: The specified log group does not exist."
                )
                raise RuntimeError(job.container_reason)
            job._log_group = group  # noqa: SLF001
        # The services answer on loopback, which a network of the container's own would not reach.
        words |= {"network_mode": "host", "extra_hosts": {}}
        environment |= _reaching(job)
        # Heavy, and only there for jobs.
        from docker.errors import APIError, NotFound

        try:
            return self._docker.containers.run(environment=environment, **words)
        except APIError as error:
            pulling = isinstance(error, NotFound) or "/images/" in str(error.response.url)
            word = "CannotPullContainerError" if pulling else "CannotStartContainerError"
            job.container_reason = f"{word}: Error response from daemon: {error.explanation}"
            raise


def _reaching(job: Any) -> dict[str, str]:
    """Return what leads a container to this account, and to its host's credentials."""
    here = f"http://127.0.0.1:{settings.moto_server_port()}"
    hops = [_hop_limit(job.backend, each) for each in job.job_queue.environments]
    metadata = _NOWHERE if 1 in hops else here
    return {"AWS_ENDPOINT_URL": here, "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata}


def _hop_limit(backend: Any, environment: Any) -> int | None:
    named = (environment.compute_resources or {}).get("launchTemplate", {})
    ec2 = backend.ec2_backend
    for template in ec2.launch_templates.values():
        if named.get("launchTemplateId", named.get("launchTemplateName")) in (
            template.id,
            template.name,
        ):
            options = template.latest_version().data.get("MetadataOptions", {})
            return int(options.get("HttpPutResponseHopLimit") or 0) or None
    return None


@patched_value(Job, "docker_client")
def jobs_run_on_hosts(original: Any) -> property:
    """Run a job's container as a Batch host does.

    With a way to the account and the host's credentials, its log in the group that its definition
    names, and with the reason where it does not start. moto does none of it.
    """
    return property(lambda self: _Host(self, original.fget(self)))


@jobs_run_on_hosts.also(Job, "describe")
def _describe_job(original: Method, self: Any) -> dict[str, Any]:
    described: dict[str, Any] = original(self)
    if reason := getattr(self, "container_reason", None):
        described.setdefault("container", {})["reason"] = reason
    return described


@patch(Job, "advance")
def jobs_wait_for_hosts(original: Method, self: Any) -> None:
    """Leave a job RUNNABLE while no environment of its queue can start a host; refuse new ones.

    A queue that is disabled takes no jobs. moto starts them all.
    """
    while self.status == "RUNNABLE" and not (self.stop or _has_hosts(self)):
        time.sleep(0.2)
    original(self)


@jobs_wait_for_hosts.also(BatchBackend, "submit_job")
def _submit_job(original: Method, self: Any, *args: Any, **words: Any) -> object:
    name = words.get("job_queue", args[2] if len(args) > 2 else None)
    queue = self.get_job_queue(name)
    if queue and queue.state != "ENABLED":
        raise ClientException(f"Job queue {name} is disabled")
    return original(self, *args, **words)


@patch(BatchBackend, "describe_compute_environments")
def environments_need_their_profile(
    original: Method, self: Any, environments: list[str] | None = None
) -> list[dict[str, Any]]:
    """Call a compute environment INVALID once the instance profile of its hosts is gone.

    moto calls each one VALID for ever.
    """
    described: list[dict[str, Any]] = original(self, environments)
    for each in described:
        if not _is_valid(self, self.get_compute_environment(each["computeEnvironmentArn"])):
            each["status"] = "INVALID"
            each["statusReason"] = "CLIENT_ERROR - The instance profile of the hosts does not exist"
    return described


def _has_hosts(job: Any) -> bool:
    return any(
        each.state == "ENABLED" and _is_valid(job.backend, each)
        for each in job.job_queue.environments
    )


def _is_valid(backend: Any, environment: Any) -> bool:
    profile = (environment.compute_resources or {}).get("instanceRole")
    if not profile:
        return True
    try:
        backend.iam_backend.get_instance_profile(profile.rpartition("/")[2])
    except NotFoundException:
        return False
    return True
