"""What an apply has built, from the stack's state: the same for module and native."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from biomodal_deploy.aws.resources import (
    ComputeEnvironment,
    InstanceProfile,
    JobQueue,
    LaunchTemplate,
    LogGroup,
    Repository,
    Role,
    Vm,
)
from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.config.contract.grammar import broken_output
from biomodal_deploy.engine.terraform import State
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.workflow.location import Listener
from biomodal_deploy.workflow.reading import read_state
from biomodal_deploy.workflow.stack import Stack

_Model = TypeVar("_Model", bound=BaseModel)
_ARN_FIELDS: Final = 6


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One stack as it was applied.

    Attributes:
        outputs: The documented outputs that are there, as text.
        vm: The orchestrator VM; None where the apply did not come so far, as with all others.
    """

    stack: str
    outputs: dict[str, str]
    vm: Vm | None = None
    environments: tuple[ComputeEnvironment, ...] = ()
    queues: tuple[JobQueue, ...] = ()
    repositories: tuple[Repository, ...] = ()
    roles: tuple[Role, ...] = ()
    profiles: tuple[InstanceProfile, ...] = ()
    templates: tuple[LaunchTemplate, ...] = ()
    log_groups: tuple[LogGroup, ...] = ()

    @property
    def region(self) -> str:
        """The region that it was built in, whatever the variables say today.

        Raises:
            UsageError: Nothing that is built has a region.
        """
        for resource in (self.vm, *self.environments, *self.queues):
            parts = (resource.arn or "").split(":", _ARN_FIELDS - 1) if resource else []
            if len(parts) == _ARN_FIELDS and parts[3]:
                return parts[3]
        raise UsageError(
            "Neither a VM nor a job queue was built, so there is nothing to operate",
            field=self.stack,
            fix="finish the stack: run biomodal-aws plan, then biomodal-aws apply",
        )

    @property
    def bucket(self) -> str | None:
        """The data bucket's name, its own or the existing one."""
        return self.outputs.get("bucket_url", "").removeprefix("s3://").strip("/") or None

    def output(self, name: str) -> str:
        """Return a documented output.

        Raises:
            UsageError: It is not there: the apply did not end.
        """
        if value := self.outputs.get(name):
            return value
        raise UsageError(
            f"{self.stack} has no output of this name yet",
            field=name,
            fix="finish the stack: run biomodal-aws plan, then biomodal-aws apply",
        )

    def queue_for(self, *, spot: bool) -> JobQueue | None:
        """Return the first queue whose hosts are all Spot, or all On-Demand."""
        arns = {each.arn for each in self.environments if each.is_spot is spot}
        return next((each for each in self.queues if each.environment_arns <= arns), None)

    def job_role(self) -> Role | None:
        """Return the role that tasks may take: one that ECS may assume."""
        return next((each for each in self.roles if _ecs_may_assume(each)), None)


def read_deployed(stack: Stack, on_event: Listener) -> Deployed:
    """Read what a stack's state holds.

    Raises:
        UsageError: Nothing was applied yet, or the stack has no environment to operate.
        EngineError: Terraform cannot read the state.
    """
    settings = stack.location.stacks.get(stack.name)
    if settings and settings.bootstrap in ("prerequisites", "state-bucket"):
        made = "roles" if settings.bootstrap == "prerequisites" else "a bucket for states"
        raise UsageError(
            f"this stack creates {made} only: there is no VM to operate",
            field="bootstrap",
            value=settings.bootstrap,
            fix="name another stack with --stack",
        )
    state = read_state(stack.with_listener(on_event))
    if state is None or not any(each.mode == "managed" for each in state.resources):
        raise UsageError(
            "Nothing is applied yet",
            field=stack.name,
            fix="run biomodal-aws plan, then biomodal-aws apply",
        )
    return built_from(stack.name, state)


def built_from(stack: str, state: State) -> Deployed:
    """Return what a state holds, as far as it is operated.

    Raises:
        EngineError: A resource lacks what every provider version writes.
        UsageError: An output is not what it has to be.
    """
    vms = _all(state, "aws_instance", Vm)
    return Deployed(
        stack=stack,
        outputs=_outputs(state),
        vm=vms[0] if vms else None,
        environments=_all(state, "aws_batch_compute_environment", ComputeEnvironment),
        queues=_all(state, "aws_batch_job_queue", JobQueue),
        repositories=_all(state, "aws_ecr_repository", Repository),
        roles=_all(state, "aws_iam_role", Role),
        profiles=_all(state, "aws_iam_instance_profile", InstanceProfile),
        templates=_all(state, "aws_launch_template", LaunchTemplate),
        log_groups=_all(state, "aws_cloudwatch_log_group", LogGroup),
    )


def _outputs(state: State) -> dict[str, str]:
    found = {
        name: output.value
        for name, output in state.outputs.items()
        if name in OUTPUTS and isinstance(output.value, str)
    }
    for name, value in found.items():
        if (expected := broken_output(name, value)) is not None:
            raise UsageError(
                f"not {expected}",
                field=f"output {name} of the state",
                value=value,
                fix="find out who changed the state; run biomodal-aws drift",
            )
    return found


def _all(state: State, kind: str, model: type[_Model]) -> tuple[_Model, ...]:
    try:
        return tuple(
            model.model_validate(instance.attributes)
            for resource in state.resources
            if resource.mode == "managed" and resource.type == kind
            for instance in resource.instances
        )
    except ValidationError as error:
        # Its text quotes the state, secrets and all; where it lies is enough.
        found = error.errors(include_url=False, include_context=False, include_input=False)
        places = ", ".join(str(each["loc"][0]) for each in found if each["loc"])
        raise EngineError(f"the state's {kind} cannot be read ({places})") from None


def _ecs_may_assume(role: Role) -> bool:
    try:
        return "ecs-tasks.amazonaws.com" in json.dumps(json.loads(role.assume_role_policy))
    except ValueError:
        return False
