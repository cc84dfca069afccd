"""`vm stop` and `vm start`: the orchestrator without its hourly price, and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import BaseModel, Field

from biomodal_deploy.aws.checks import CheckData, Finding, Seconds, failed, unknown
from biomodal_deploy.aws.clients import Clients, open_clients
from biomodal_deploy.aws.commands import allow_stop
from biomodal_deploy.aws.errors import classify_error, one_line
from biomodal_deploy.aws.resources import INSTANCE_ENDED, describe_instance
from biomodal_deploy.engine.process import NotStarted, TooMuchOutput
from biomodal_deploy.errors import (
    EXIT_DONE,
    EXIT_FINDINGS,
    BiomodalError,
    EngineError,
    Interrupted,
    UsageError,
)
from biomodal_deploy.review.cost import Prices
from biomodal_deploy.review.cost.estimate import Line, idle_lines
from biomodal_deploy.review.cost.resources import Priced, Volume
from biomodal_deploy.text import counted
from biomodal_deploy.vm.access import has_ssh, instance_of, ssh_target_of
from biomodal_deploy.vm.connecting import capture_by_ssh
from biomodal_deploy.vm.deployed import Deployed, read_deployed
from biomodal_deploy.vm.jobs import find_jobs
from biomodal_deploy.workflow.location import Listener, Step
from biomodal_deploy.workflow.stack import Stack

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef

PAUSE_S: Final = 3.0
# Nextflow is a Java program whatever started it. In brackets, so that the shell that is given this
# line is not found by it.
_PGREP: Final = "pgrep -f 'java.*[n]extflow'"
_FOUND, _NONE = 0, 1
# EC2's words for what passes by itself, on the way to each state.
_ON_THE_WAY: Final = {"stopped": "stopping", "running": "pending"}


@dataclass(frozen=True, kw_only=True)
class PowerRequest:
    """What a person asks for.

    Attributes:
        wanted: The state to reach: `stopped` or `running`.
        force: Stop it whatever runs.
        timeout_s: Seconds to wait for it.
        address: Another address of the VM's SSH server.
    """

    wanted: str
    force: bool = False
    timeout_s: float = 600
    address: str | None = None


class PowerData(BaseModel, frozen=True):
    """The VM after a stop or start.

    Attributes:
        stack: The stack.
        region: Where it is.
        instance_id: The VM.
        state: EC2's word for the state that it is in.
        changed: Whether it was told to stop or to start.
        waited_seconds: How long that took.
        address: Its public address, if it has one.
        problems: What speaks against a stop: jobs, Nextflow, what could not be looked at.
        costs: What costs on while it is stopped, for a month; null where AWS did not say.
        wanted: The state that was asked for.
    """

    stack: str
    region: str
    instance_id: str
    state: str
    changed: bool
    waited_seconds: Seconds
    address: str | None
    problems: tuple[CheckData, ...]
    costs: tuple[Line, ...] | None
    wanted: str = Field(exclude=True)

    @property
    def exit_status(self) -> int:
        """The exit status that it stands for."""
        return EXIT_DONE if self.state == self.wanted else EXIT_FINDINGS


def switch(stack: Stack, request: PowerRequest, on_event: Listener) -> PowerData:
    """Stop or start a stack's VM, and wait until it is.

    Raises:
        UsageError: There is no VM, or it is protected against a stop.
        EngineError: AWS does not answer or refuses, or Terraform cannot read the state.
        Interrupted: It was asked to stop.
    """
    deployed = read_deployed(stack, on_event)
    vm = _Vm(
        stack,
        deployed,
        open_clients(deployed.region),
        on_event,
        time.monotonic(),
        request.timeout_s,
    )
    try:
        return _switch(vm, request)
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and "disableApiStop" in str(error):
            raise UsageError(
                "the VM is protected against a stop",
                field=vm.id,
                fix=allow_stop(vm.id, deployed.region),
            ) from None
        failure = classify_error(error, vm.clients)
        raise EngineError(f"{vm.id}: {failure.line}", advice=failure.fix) from None
    except KeyboardInterrupt:
        raise Interrupted(
            f"Interrupted: a stop or start of {vm.id} that was begun goes on by itself. "
            "Next: biomodal-aws status"
        ) from None


@dataclass(frozen=True)
class _Vm:
    stack: Stack
    deployed: Deployed
    clients: Clients
    on_event: Listener
    started: float
    timeout_s: float

    @property
    def id(self) -> str:
        return instance_of(self.deployed)

    @property
    def waited(self) -> float:
        return time.monotonic() - self.started

    def look(self) -> InstanceTypeDef:
        found = describe_instance(self.clients, self.id)
        if found is None or found["State"]["Name"] in INSTANCE_ENDED:
            raise UsageError(
                "the VM is gone", field=self.id, fix="run biomodal-aws plan: it makes a new one"
            )
        return found

    def wait_while(self, *states: str) -> InstanceTypeDef:
        while True:
            found = self.look()
            state, left = found["State"]["Name"], self.timeout_s - self.waited
            if state not in states or left <= 0:
                return found
            self.on_event(Step(f"Waiting: {self.id} is {state} ({self.waited:.0f} s)"))
            time.sleep(min(PAUSE_S, left))


def _switch(vm: _Vm, request: PowerRequest) -> PowerData:
    wanted = request.wanted
    before, other = ("running", "pending") if wanted == "stopped" else ("stopped", "stopping")
    found = vm.wait_while(other)
    changed = False
    problems: tuple[CheckData, ...] = ()
    if found["State"]["Name"] == before:
        if wanted == "stopped" and not request.force:
            problems = tuple(_work_on(vm, request.address))
        if not problems:
            change = vm.clients.ec2()
            if wanted == "stopped":
                change.stop_instances(InstanceIds=[vm.id])
            else:
                change.start_instances(InstanceIds=[vm.id])
            changed = True
    if not problems:
        # EC2 shows the former state for a moment, too.
        found = vm.wait_while(before, _ON_THE_WAY[wanted])
    return PowerData(
        stack=vm.deployed.stack,
        region=vm.deployed.region,
        instance_id=vm.id,
        wanted=wanted,
        state=found["State"]["Name"],
        changed=changed,
        waited_seconds=vm.waited,
        address=found.get("PublicIpAddress"),
        problems=problems,
        costs=_costs(vm) if found["State"]["Name"] == "stopped" else (),
    )


def _work_on(vm: _Vm, address: str | None) -> Iterator[CheckData]:
    """Yield what a stop would break, and what could not be looked at."""
    vm.on_event(Step("Looking for jobs and for Nextflow"))
    jobs = find_jobs(vm.deployed, vm.clients)
    if jobs.jobs:
        states = ", ".join(f"{number} {state}" for state, number in jobs.counts.items() if number)
        line = f"{counted(len(jobs.jobs), 'job')} in the queues: {states}"
        yield failed(line, "wait, or cancel them: biomodal-aws jobs").named("jobs", "Jobs")
    yield from (each for each in jobs.problems if each.check == "jobs")
    if finding := _nextflow_on(vm, address):
        yield finding.named("nextflow", "Nextflow")


def _nextflow_on(vm: _Vm, address: str | None) -> Finding | None:
    """Return that Nextflow runs on the VM, or that nobody could look; None where it does not."""
    look = f'look: biomodal-aws connect --ssm -- "{_PGREP}"'
    if not has_ssh(vm.deployed):
        return unknown("whether it runs on the VM is unknown: this stack has no SSH key", look)
    environment = vm.stack.location.environment
    try:
        target = ssh_target_of(vm.stack, vm.deployed, address)
        done = capture_by_ssh(target, _PGREP, environment, vm.on_event)
    except Interrupted:
        raise
    except UsageError as error:
        return unknown(f"whether it runs on the VM is unknown: {error.rule}", error.fix)
    except (BiomodalError, NotStarted, TooMuchOutput) as error:
        return unknown(f"whether it runs on the VM is unknown: {one_line(str(error))}")
    if done.returncode == _NONE:
        return None
    if done.returncode != _FOUND:
        said = one_line(done.stderr.decode("utf-8", "replace")) or f"status {done.returncode}"
        return unknown(f"whether it runs on the VM is unknown: pgrep: {said}", look)
    processes = one_line(done.stdout.decode("ascii", "replace"))
    return failed(
        f"it runs on the VM (process {processes})",
        "wait, or end it: biomodal-aws connect -- kill PROCESS",
    )


def _costs(vm: _Vm) -> tuple[Line, ...] | None:
    """Return what a stopped VM costs on: its volumes, and the address that is kept for it."""
    ec2 = vm.clients.ec2()
    attached: FilterTypeDef = {"Name": "attachment.instance-id", "Values": [vm.id]}
    kept: FilterTypeDef = {"Name": "instance-id", "Values": [vm.id]}
    try:
        volumes = ec2.describe_volumes(Filters=[attached])["Volumes"]
        addresses = ec2.describe_addresses(Filters=[kept])["Addresses"]
    except (BotoCoreError, ClientError):
        return None
    found = [
        Priced(
            each["VolumeId"],
            "aws_ebs_volume",
            Volume.model_validate(
                {"size": each["Size"], "type": each["VolumeType"]}
                | {"iops": each.get("Iops"), "throughput": each.get("Throughput")}
            ),
            (),
        )
        for each in volumes
    ]
    found += [Priced(each["PublicIp"], "aws_eip", Volume(), ()) for each in addresses]
    prices = Prices.of(vm.deployed.region, vm.stack.location.project_dir)
    return tuple(idle_lines(found, prices))
