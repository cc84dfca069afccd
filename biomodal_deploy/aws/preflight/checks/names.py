"""Names: free, or this stack's already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from biomodal_deploy.aws.checks import Finding, Verdict, failed, passed
from biomodal_deploy.aws.commands import iam, remove_from_batch
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Target

OTHER_NAME: Final = "choose another vm_name"
_NONE: Final = (
    "InvalidKeyPair.NotFound",
    "InvalidLaunchTemplateName.NotFoundException",
    "NoSuchEntity",
    "RepositoryNotFoundException",
)


@dataclass(frozen=True)
class _Kind:
    """A kind of thing that a name is for.

    Attributes:
        names: The names that the stack will take; its VM's where None.
    """

    what: str
    type: str
    find: Callable[[Facts, str], Sequence[Mapping[str, object]]]
    remove: Callable[[Facts, str], str]
    names: Callable[[Target], Sequence[str]] = lambda target: (target.vm_name,)


def key_pair(facts: Facts) -> Finding:
    """Whether the SSH key pair's name is free."""
    hardened = facts.target.hardened
    if hardened and not hardened.ssh_key:
        return passed("the stack makes none: the VM is reached through Session Manager")
    return _free(_KEY_PAIR, facts)


def compute_environment(facts: Facts) -> Finding:
    """Whether the Batch compute environment's name is free."""
    name = facts.target.vm_name
    if facts.target.hardened:
        return passed(f"AWS completes {name}-spot- and {name}-on-demand-, so that they are free")
    return _free(_COMPUTE_ENVIRONMENT, facts)


def _free(kind: _Kind, facts: Facts) -> Finding:
    """Return the first answer that is no pass, else all of them in one line."""
    answers = []
    for name in kind.names(facts.target):
        answer = _is_free(kind, name, facts)
        if answer.verdict is not Verdict.PASS:
            return answer
        answers.append(answer.line)
    return passed(", ".join(answers))


def _is_free(kind: _Kind, name: str, facts: Facts) -> Finding:
    if facts.holds(kind.type, name):
        return passed(f"{name} is this stack's own {kind.what}")
    found = or_none(lambda: kind.find(facts, name), *_NONE)
    if not found:
        return passed(f"{name} is free")
    if holder := facts.elsewhere.get(f"{kind.type}:{name}"):
        return failed(f"{kind.what} {name} exists and is that of {holder}", OTHER_NAME)
    status = found[0].get("status")
    state = f", status {status}" if status in ("DELETING", "INVALID") else ""
    return facts.taken(
        f"{kind.what} {name} exists",
        f" and is not this stack's{state}",
        f"{OTHER_NAME}, or where nothing uses it and no state holds it any more: "
        f"{kind.remove(facts, name)}",
    )


def _security_groups(facts: Facts, name: str) -> Sequence[Mapping[str, object]]:
    in_vpc = {"Name": "vpc-id", "Values": [facts.target.vpc_id]}
    named = {"Name": "group-name", "Values": [name]}
    ask: Any = facts.clients.ec2().describe_security_groups
    groups: Sequence[Mapping[str, object]] = ask(Filters=[in_vpc, named])["SecurityGroups"]
    return groups


def _not_deleted(found: Iterable[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return [each for each in found if each.get("status") != "DELETED"]


def _show_group(facts: Facts, name: str) -> str:
    words = ("--filters", f"Name=group-name,Values={name}")
    return f"`{facts.command('ec2', 'describe-security-groups', *words)}` shows it"


def _disabled_first(kind: str, facts: Facts, name: str) -> str:
    update, delete = remove_from_batch(kind, name, facts.target.region)
    return f"`{update}`, and a minute later `{delete}`"


_KEY_PAIR: Final = _Kind(
    "key pair",
    "aws_key_pair",
    lambda facts, name: facts.clients.ec2().describe_key_pairs(KeyNames=[name])["KeyPairs"],
    lambda facts, name: facts.command("ec2", "delete-key-pair", "--key-name", name),
)
_REPOSITORY: Final = _Kind(
    "ECR repository",
    "aws_ecr_repository",
    lambda facts, name: facts.clients.ecr().describe_repositories(repositoryNames=[name])[
        "repositories"
    ],
    lambda facts, name: facts.command("ecr", "delete-repository", "--repository-name", name),
)
_ROLE: Final = _Kind(
    "IAM role",
    "aws_iam_role",
    lambda facts, name: [facts.clients.iam().get_role(RoleName=name)["Role"]],
    lambda _, name: iam("delete-role", "--role-name", name),
    names=lambda target: target.roles,
)
_INSTANCE_PROFILE: Final = _Kind(
    "instance profile",
    "aws_iam_instance_profile",
    lambda facts, name: [
        facts.clients.iam().get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    ],
    lambda _, name: iam("delete-instance-profile", "--instance-profile-name", name),
    names=lambda target: target.roles,
)
_SECURITY_GROUP: Final = _Kind(
    "security group",
    "aws_security_group",
    _security_groups,
    _show_group,
    names=lambda target: (target.security_group,),
)
_LAUNCH_TEMPLATE: Final = _Kind(
    "launch template",
    "aws_launch_template",
    lambda facts, name: facts.clients.ec2().describe_launch_templates(LaunchTemplateNames=[name])[
        "LaunchTemplates"
    ],
    lambda facts, name: facts.command(
        "ec2", "delete-launch-template", "--launch-template-name", name
    ),
    names=lambda target: (target.launch_template,),
)
_COMPUTE_ENVIRONMENT: Final = _Kind(
    "Batch compute environment",
    "aws_batch_compute_environment",
    lambda facts, name: _not_deleted(
        facts.clients.batch().describe_compute_environments(computeEnvironments=[name])[
            "computeEnvironments"
        ]
    ),
    partial(_disabled_first, "compute-environment"),
)
_JOB_QUEUE: Final = _Kind(
    "Batch job queue",
    "aws_batch_job_queue",
    lambda facts, name: _not_deleted(
        facts.clients.batch().describe_job_queues(jobQueues=[name])["jobQueues"]
    ),
    partial(_disabled_first, "job-queue"),
    names=lambda target: target.job_queues,
)

repository = partial(_free, _REPOSITORY)
role = partial(_free, _ROLE)
instance_profile = partial(_free, _INSTANCE_PROFILE)
security_group = partial(_free, _SECURITY_GROUP)
launch_template = partial(_free, _LAUNCH_TEMPLATE)
job_queue = partial(_free, _JOB_QUEUE)
