"""The AWS Batch job queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_aws.batch_job_queue import BatchJobQueue as AwsBatchJobQueue
from cdktf_cdktf_provider_aws.batch_job_queue import (
    BatchJobQueueComputeEnvironmentOrder,
    BatchJobQueueJobStateTimeLimitAction,
)
from constructs import Construct

from biomodal_aws.part import Part, check_sequence


class BatchJobQueue(Part):
    """A job queue on one or more compute environments.

    Args:
        name: Name of the queue.
        compute_environment_arns: Compute environments in the order that Batch tries them.
        priority: Its priority among queues on the same environments, higher first.
        cancel_after_s: Seconds after which Batch cancels a job at the head of the queue, by what
            keeps it there (the API reference's JobStateTimeLimitAction names the reasons). Empty
            lets it wait for ever, and all that is behind it; limits that the queue has stay.

    Raises:
        TypeError: The compute environments are one text.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        compute_environment_arns: Sequence[str],
        priority: int = 1,
        cancel_after_s: Mapping[str, float] | None = None,
    ) -> None:
        check_sequence(id_, "compute_environment_arns", compute_environment_arns)
        super().__init__(scope, id_)
        queue = self.named(
            AwsBatchJobQueue(
                self,
                "queue",
                name=name,
                state="ENABLED",
                priority=priority,
                # Not `compute_environments`: AWS provider 6 has dropped that argument.
                compute_environment_order=[
                    BatchJobQueueComputeEnvironmentOrder(order=order, compute_environment=arn)
                    for order, arn in enumerate(compute_environment_arns, start=1)
                ],
                job_state_time_limit_action=[
                    BatchJobQueueJobStateTimeLimitAction(
                        action="CANCEL", state="RUNNABLE", reason=reason, max_time_seconds=seconds
                    )
                    for reason, seconds in (cancel_after_s or {}).items()
                ]
                or None,
                # The provider leaves limits that are no longer configured out of its request, and
                # Batch's reference does not say that it then removes them: a queue that once had
                # some would show a change in every plan. They stay and do no harm.
                lifecycle=None
                if cancel_after_s
                else TerraformResourceLifecycle(ignore_changes=["job_state_time_limit_action"]),
            )
        )
        self.arn = queue.arn
