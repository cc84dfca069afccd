"""`vm idle-stop`: a timer on the VM itself that stops it when nothing has run for a while."""

from __future__ import annotations

import shlex
from importlib.resources import files

from biomodal_deploy.aws.checks import Unavailable, ask_once
from biomodal_deploy.aws.errors import one_line
from biomodal_deploy.engine.process import NotStarted, TooMuchOutput
from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.vm.access import instance_of, ssh_target_of
from biomodal_deploy.vm.connecting import capture_by_ssh
from biomodal_deploy.vm.deployed import read_deployed
from biomodal_deploy.workflow.location import Listener, Step
from biomodal_deploy.workflow.stack import Stack


def set_idle_stop(stack: Stack, minutes: int, address: str | None, on_event: Listener) -> str:
    """Switch the idle stop of a stack's VM on, or off for 0 minutes; return the VM's id.

    Args:
        minutes: After how many minutes without work it stops.
        address: Another address of its SSH server.

    Raises:
        UsageError: There is no VM or no ssh, the key will not do, or a shutdown deletes the VM.
        NotConnected: There is no connection.
        EngineError: It could not be switched there, or AWS does not answer.
    """
    deployed = read_deployed(stack, on_event)
    if minutes:
        _require_stop(instance_of(deployed), deployed.region)
    environment = stack.location.environment
    target = ssh_target_of(stack, deployed, address)
    text = files("biomodal_deploy.vm").joinpath("idle_stop.sh").read_text("utf-8")
    line = shlex.join(["sudo", "-n", "sh", "-c", text, "idle_stop", str(minutes)])
    on_event(Step("Switching the idle stop on the VM"))
    try:
        done = capture_by_ssh(target, line, environment, on_event)
    except (NotStarted, TooMuchOutput) as error:
        raise EngineError(one_line(str(error))) from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = one_line(said[-1]) if said else f"status {done.returncode}"
        raise EngineError(
            f"the idle stop of {target.instance_id} could not be switched: {why}",
            advice="look: biomodal-aws connect -- systemctl status biomodal-idle-stop.timer",
        )
    return target.instance_id


def _require_stop(instance_id: str, region: str) -> None:
    """Require that EC2 takes a shutdown from inside as a stop, and not as the end of the VM."""
    name = "instanceInitiatedShutdownBehavior"
    try:
        said = ask_once(
            region,
            lambda clients: clients.ec2().describe_instance_attribute(
                InstanceId=instance_id, Attribute="instanceInitiatedShutdownBehavior"
            ),
        )
    except Unavailable as error:
        raise EngineError(
            f"whether a shutdown deletes {instance_id} is unknown: {error.line}", advice=error.fix
        ) from None
    if (value := said["InstanceInitiatedShutdownBehavior"].get("Value")) != "stop":
        raise UsageError(
            "a shutdown from inside would not stop this VM",
            field=f"{name} of {instance_id}",
            value=value,
            fix=f"aws ec2 modify-instance-attribute --region {region} --instance-id {instance_id} "
            "--instance-initiated-shutdown-behavior stop",
        )
