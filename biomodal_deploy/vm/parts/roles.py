"""The VM's role and the Batch hosts': there, in their instance profiles, and in use."""

from __future__ import annotations

from botocore.exceptions import ClientError

from biomodal_deploy.aws.answers import failed, passed
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.machines import look_up
from biomodal_deploy.aws.preflight import Answer
from biomodal_deploy.aws.preflight.facts import Unanswered
from biomodal_deploy.aws.preflight.prerequisites import MAKE
from biomodal_deploy.vm.built import Built
from biomodal_deploy.vm.parts.finish import not_built


def vm_role(built: Built, clients: Clients) -> Answer:
    """Whether the VM has an instance profile with a role in it."""
    if built.vm is None:
        raise Unanswered("there is no VM")
    vm = look_up(clients, built.vm.id)
    if vm is None:
        raise Unanswered("there is no VM")
    if vm.profile is None:
        return failed("the VM has no instance profile", "run biomodal-aws plan: it gives it back")
    name = _name(vm.profile)
    ours = {each.name for each in built.profiles}
    if name not in ours:
        return failed(
            f"the VM has the instance profile {name}, which is not this deployment's",
            "run biomodal-aws plan: it gives its own back",
        )
    return _holds_role(name, clients, "run biomodal-aws plan: it puts the role back")


def hosts_role(built: Built, clients: Clients) -> Answer:
    """Whether the Batch hosts' instance profile holds a role."""
    named = (
        resources.instance_role
        for environment in built.environments
        for resources in environment.compute_resources
    )
    profile = next((each for each in named if each), None)
    if profile is None:
        return not_built("compute environment with a role for its hosts")
    name = _name(profile)
    ours = name in {each.name for each in built.profiles}
    return _holds_role(name, clients, "run biomodal-aws plan: it makes it anew" if ours else MAKE)


def _holds_role(profile: str, clients: Clients, fix: str) -> Answer:
    try:
        found = clients.iam().get_instance_profile(InstanceProfileName=profile)
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return failed(f"the instance profile {profile} does not exist", fix)
    roles = found["InstanceProfile"]["Roles"]
    if not roles:
        return failed(f"the instance profile {profile} holds no role", fix)
    return passed(f"{roles[0]['RoleName']} (instance profile {profile})")


def _name(arn: str) -> str:
    """Return the name in an instance profile's ARN, which may have a path; a bare name stays."""
    return arn.rpartition("/")[2]
