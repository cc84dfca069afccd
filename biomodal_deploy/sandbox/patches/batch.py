"""What moto's Batch lacks."""

from __future__ import annotations

from typing import Any, Final

from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, JobQueue
from moto.batch.responses import BatchResponse
from moto.ecs.models import EC2ContainerServiceBackend
from moto.iam.exceptions import NotFoundException

from biomodal_deploy.sandbox.patches.patch import Method, patch

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
