"""What moto's Batch lacks, also where jobs run in real containers (a Docker API at DOCKER_HOST)."""

from __future__ import annotations

import time
from typing import Any, Final

from moto import settings
from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, Job, JobQueue
from moto.batch.responses import BatchResponse
from moto.ecs.models import EC2ContainerServiceBackend
from moto.iam.exceptions import NotFoundException

from biomodal_deploy.sandbox.patches import Method, patch, patched_value

_SERVICE: Final = "batch.amazonaws.com"
_ROLE: Final = "AWSServiceRoleForBatch"


@patch(BatchBackend, "create_compute_environment")
def service_role_is_optional(
    original: Method,
    self: Any,
    compute_environment_name: str,
    _type: str,
    state: str,
    compute_resources: dict[str, Any],
    service_role: str | None,
    tags: dict[str, str] | None = None,
) -> object:
    """Take the service-linked role where a compute environment names none.

    That is what AWS does, and it makes the role where the account has none yet. moto refuses.
    """
    if not service_role:
        try:
            role = self.iam_backend.get_role(_ROLE)
        except NotFoundException:
            role = self.iam_backend.create_service_linked_role(_SERVICE, "", "")
        service_role = role.arn
    return original(
        self, compute_environment_name, _type, state, compute_resources, service_role, tags
    )


@patch(BatchBackend, "update_compute_environment")
def compute_resources_are_updated(
    original: Method,
    self: Any,
    compute_environment_name: str,
    state: str | None,
    compute_resources: dict[str, Any] | None,
    service_role: str | None,
) -> object:
    """Do what UpdateComputeEnvironment asks for.

    moto checks a change of compute resources and forgets it, so each later plan wants it again.
    """
    answer = original(self, compute_environment_name, state, compute_resources, service_role)
    environment = self.get_compute_environment(compute_environment_name)
    environment.compute_resources = {
        **(environment.compute_resources or {}),
        **(compute_resources or {}),
    }
    return answer


@patch(BatchBackend, "describe_compute_environments")
def update_policy_is_kept(
    original: Method, self: Any, environments: list[str] | None = None
) -> list[dict[str, Any]]:
    """Keep a compute environment's update policy.

    moto reads no such parameter, so each plan wants to add it again.
    """
    described: list[dict[str, Any]] = original(self, environments)
    for each in described:
        environment = self.get_compute_environment(each["computeEnvironmentArn"])
        if policy := getattr(environment, "update_policy", None):
            each["updatePolicy"] = policy
    return described


@patch(JobQueue, "describe")
def queue_time_limits_are_kept(original: Method, self: Any) -> dict[str, Any]:
    """Keep a job queue's time limits for jobs that cannot start.

    moto reads no such parameter, so each plan wants to add them again.
    """
    actions = getattr(self, "time_limit_actions", [])
    return {**original(self), "jobStateTimeLimitActions": actions}


def _keeping(getter: str, parameter: str, attribute: str, named_by: str) -> Method:
    """Return what makes a response keep a parameter that moto does not read."""

    def method(original: Method, self: Any) -> object:
        answer = original(self)
        made = getattr(self.batch_backend, getter)(self._get_param(named_by))
        given = self._get_param(parameter)
        if made and given is not None:
            setattr(made, attribute, given)
        return answer

    return method


for _name, _named_by in (
    ("createcomputeenvironment", "computeEnvironmentName"),
    ("updatecomputeenvironment", "computeEnvironment"),
):
    update_policy_is_kept.also(BatchResponse, _name)(
        _keeping("get_compute_environment", "updatePolicy", "update_policy", _named_by)
    )
for _name, _named_by in (("createjobqueue", "jobQueueName"), ("updatejobqueue", "jobQueue")):
    queue_time_limits_are_kept.also(BatchResponse, _name)(
        _keeping("get_job_queue", "jobStateTimeLimitActions", "time_limit_actions", _named_by)
    )


@patch(BatchBackend, "delete_compute_environment")
def deletes_in_order(original: Method, self: Any, compute_environment_name: str) -> None:
    """Refuse what Batch refuses: to delete a queue or an environment that is still in use.

    An environment has to be disabled and in no queue, a queue disabled. moto deletes anything, so
    a configuration in the wrong order would be destroyed here and get stuck on AWS.
    """
    environment = self.get_compute_environment(compute_environment_name)
    if environment:
        if environment.state != "DISABLED":
            raise ClientException("Cannot delete, state must be DISABLED")
        if any(environment in queue.environments for queue in self._job_queues.values()):
            raise ClientException("Cannot delete, found existing JobQueue relationship")
    original(self, compute_environment_name)


@deletes_in_order.also(BatchBackend, "delete_job_queue")
def _delete_job_queue(original: Method, self: Any, queue_name: str) -> None:
    queue = self.get_job_queue(queue_name)
    if queue and queue.state != "DISABLED":
        raise ClientException("Cannot delete, state must be DISABLED")
    original(self, queue_name)


@patch(EC2ContainerServiceBackend, "list_clusters")
def deleted_clusters_are_gone(_: Method, self: Any) -> list[str]:
    """List no ECS cluster that was deleted.

    Batch keeps one for each compute environment and deletes it with it. moto lists those too, so
    each destroy would seem to leave one behind.
    """
    return [each.arn for each in self.clusters.values() if each.status != "INACTIVE"]


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
