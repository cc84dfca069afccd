"""How much memory the VM has, as EC2 lists its type."""

from __future__ import annotations

from biomodal_deploy.aws.checks import Unavailable, ask_once
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.vm.built import Built
from biomodal_deploy.workflow.signals import Listener, Notice, Step


def memory_of(built: Built, listen: Listener) -> int | None:
    """Return the VM's memory in MiB; None where there is no VM or EC2 does not say."""
    if built.vm is None:
        return None
    kind = built.vm.instance_type

    def ask(clients: Clients) -> int:
        said = clients.ec2().describe_instance_types(
            # The type is a text of the state's; the stubs list the types of their own day.
            InstanceTypes=[kind],  # type: ignore[list-item]
        )
        return said["InstanceTypes"][0]["MemoryInfo"]["SizeInMiB"]

    listen(Step("Asking EC2 for the VM's memory"))
    try:
        return ask_once(built.region, ask)
    except (Unavailable, LookupError):
        listen(Notice(f"EC2 did not say how much memory a {kind} has, so NXF_OPTS is left open"))
        return None
