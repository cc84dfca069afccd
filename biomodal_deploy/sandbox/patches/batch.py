"""What moto's Batch lacks."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from moto.batch.exceptions import ClientException
from moto.batch.models import BatchBackend, JobQueue
from moto.batch.responses import BatchResponse
from moto.ecs.models import EC2ContainerServiceBackend
from moto.iam.exceptions import NotFoundException

from biomodal_deploy.sandbox.patches.change import Change, Method

_SERVICE: Final = "batch.amazonaws.com"
_ROLE: Final = "AWSServiceRoleForBatch"


def service_role_is_optional() -> list[Change]:
    """Take the service-linked role where a compute environment names none.

    That is what AWS does, and it makes the role where the account has none yet. moto refuses.
    """

    def with_linked_role(original: Method) -> Method:
        def create_compute_environment(
            self: Any,
            compute_environment_name: str,
            _type: str,
            state: str,
            compute_resources: dict[str, Any],
            service_role: str | None,
            tags: dict[str, str] | None = None,
        ) -> object:
            if not service_role:
                try:
                    role = self.iam_backend.get_role(_ROLE)
                except NotFoundException:
                    role = self.iam_backend.create_service_linked_role(_SERVICE, "", "")
                service_role = role.arn
            return original(
                self, compute_environment_name, _type, state, compute_resources, service_role, tags
            )

        return create_compute_environment

    return [Change(BatchBackend, "create_compute_environment", with_linked_role)]


def compute_resources_are_updated() -> list[Change]:
    """Do what UpdateComputeEnvironment asks for.

    moto checks a change of compute resources and forgets it, so each later plan wants it again.
    """

    def updating(original: Method) -> Method:
        def update_compute_environment(
            self: Any,
            compute_environment_name: str,
            state: str | None,
            compute_resources: dict[str, Any] | None,
            service_role: str | None,
        ) -> object:
            answer = original(
                self, compute_environment_name, state, compute_resources, service_role
            )
            environment = self.get_compute_environment(compute_environment_name)
            environment.compute_resources = {
                **(environment.compute_resources or {}),
                **(compute_resources or {}),
            }
            return answer

        return update_compute_environment

    return [Change(BatchBackend, "update_compute_environment", updating)]


def update_policy_is_kept() -> list[Change]:
    """Keep a compute environment's update policy.

    moto reads no such parameter, so each plan wants to add it again.
    """

    def describing(original: Method) -> Method:
        def describe_compute_environments(
            self: Any, environments: list[str] | None = None
        ) -> list[dict[str, Any]]:
            described: list[dict[str, Any]] = original(self, environments)
            for each in described:
                environment = self.get_compute_environment(each["computeEnvironmentArn"])
                if policy := getattr(environment, "update_policy", None):
                    each["updatePolicy"] = policy
            return described

        return describe_compute_environments

    keeping = partial(_keeping, "get_compute_environment", "updatePolicy", "update_policy")
    return [
        Change(BatchResponse, "createcomputeenvironment", keeping("computeEnvironmentName")),
        Change(BatchResponse, "updatecomputeenvironment", keeping("computeEnvironment")),
        Change(BatchBackend, "describe_compute_environments", describing),
    ]


def queue_time_limits_are_kept() -> list[Change]:
    """Keep a job queue's time limits for jobs that cannot start.

    moto reads no such parameter, so each plan wants to add them again.
    """

    def describing(original: Method) -> Method:
        def describe(self: Any) -> dict[str, Any]:
            actions = getattr(self, "time_limit_actions", [])
            return {**original(self), "jobStateTimeLimitActions": actions}

        return describe

    keeping = partial(_keeping, "get_job_queue", "jobStateTimeLimitActions", "time_limit_actions")
    return [
        Change(BatchResponse, "createjobqueue", keeping("jobQueueName")),
        Change(BatchResponse, "updatejobqueue", keeping("jobQueue")),
        Change(JobQueue, "describe", describing),
    ]


def deletes_in_order() -> list[Change]:
    """Refuse what Batch refuses: to delete a queue or an environment that is still in use.

    An environment has to be disabled and in no queue, a queue disabled. moto deletes anything, so
    a configuration in the wrong order would be destroyed here and get stuck on AWS.
    """

    def checked_environment(original: Method) -> Method:
        def delete_compute_environment(self: Any, compute_environment_name: str) -> None:
            environment = self.get_compute_environment(compute_environment_name)
            if environment:
                if environment.state != "DISABLED":
                    raise ClientException("Cannot delete, state must be DISABLED")
                if any(environment in queue.environments for queue in self._job_queues.values()):
                    raise ClientException("Cannot delete, found existing JobQueue relationship")
            original(self, compute_environment_name)

        return delete_compute_environment

    def checked_queue(original: Method) -> Method:
        def delete_job_queue(self: Any, queue_name: str) -> None:
            queue = self.get_job_queue(queue_name)
            if queue and queue.state != "DISABLED":
                raise ClientException("Cannot delete, state must be DISABLED")
            original(self, queue_name)

        return delete_job_queue

    return [
        Change(BatchBackend, "delete_compute_environment", checked_environment),
        Change(BatchBackend, "delete_job_queue", checked_queue),
    ]


def deleted_clusters_are_gone() -> list[Change]:
    """List no ECS cluster that was deleted.

    Batch keeps one for each compute environment and deletes it with it. moto lists those too, so
    each destroy would seem to leave one behind.
    """

    def without_inactive(_: Method) -> Method:
        def list_clusters(self: Any) -> list[str]:
            clusters = self.clusters.values()
            return [cluster.arn for cluster in clusters if cluster.status != "INACTIVE"]

        return list_clusters

    return [Change(EC2ContainerServiceBackend, "list_clusters", without_inactive)]


def _keeping(getter: str, parameter: str, attribute: str, named_by: str) -> Method:
    """Return what makes a response keep a parameter that moto does not read."""

    def wrap(original: Method) -> Method:
        def method(self: Any) -> object:
            answer = original(self)
            made = getattr(self.batch_backend, getter)(self._get_param(named_by))
            given = self._get_param(parameter)
            if made and given is not None:
                setattr(made, attribute, given)
            return answer

        return method

    return wrap


PATCHES: Final = (
    service_role_is_optional,
    compute_resources_are_updated,
    update_policy_is_kept,
    queue_time_limits_are_kept,
    deletes_in_order,
    deleted_clusters_are_gone,
)
