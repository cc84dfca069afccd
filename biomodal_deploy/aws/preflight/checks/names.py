"""Names: free, or this stack's already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.checks import Finding, Verdict, passed
from biomodal_deploy.aws.commands import iam
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.preflight.facts import Facts

_NONE: Final = frozenset(
    {
        "InvalidKeyPair.NotFound",
        "InvalidLaunchTemplateName.NotFoundException",
        "NoSuchEntity",
        "RepositoryNotFoundException",
    }
)


def key_pair(facts: Facts) -> Finding:
    """Whether the SSH key pair's name is free."""
    hardened = facts.target.hardened
    if hardened and not hardened.ssh_key:
        return passed("the stack makes none: the VM is reached through Session Manager")
    name = facts.target.vm_name
    return _free(
        facts,
        "key pair",
        name,
        "aws_key_pair",
        lambda: facts.clients.ec2().describe_key_pairs(KeyNames=[name])["KeyPairs"],
        facts.command("ec2", "delete-key-pair", "--key-name", name),
    )


def repository(facts: Facts) -> Finding:
    """Whether the ECR repository's name is free."""
    name = facts.target.vm_name
    return _free(
        facts,
        "ECR repository",
        name,
        "aws_ecr_repository",
        lambda: facts.clients.ecr().describe_repositories(repositoryNames=[name])["repositories"],
        facts.command("ecr", "delete-repository", "--repository-name", name),
    )


def role(facts: Facts) -> Finding:
    """Whether the names of the roles are free."""
    return _all(_role(facts, name) for name in facts.target.roles)


def _role(facts: Facts, name: str) -> Finding:
    return _free(
        facts,
        "IAM role",
        name,
        "aws_iam_role",
        lambda: [facts.clients.iam().get_role(RoleName=name)["Role"]],
        iam("delete-role", "--role-name", name),
    )


def instance_profile(facts: Facts) -> Finding:
    """Whether the names of the instance profiles are free."""
    return _all(_instance_profile(facts, name) for name in facts.target.roles)


def _instance_profile(facts: Facts, name: str) -> Finding:
    return _free(
        facts,
        "instance profile",
        name,
        "aws_iam_instance_profile",
        lambda: [
            facts.clients.iam().get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        ],
        iam("delete-instance-profile", "--instance-profile-name", name),
    )


def security_group(facts: Facts) -> Finding:
    """Whether the VM's security group's name is free in the VPC."""
    target = facts.target
    name = target.security_group
    words = ("--filters", f"Name=group-name,Values={name}")
    return _free(
        facts,
        "security group",
        name,
        "aws_security_group",
        lambda: facts.clients.ec2().describe_security_groups(
            Filters=[
                {"Name": "vpc-id", "Values": [target.vpc_id]},
                {"Name": "group-name", "Values": [name]},
            ]
        )["SecurityGroups"],
        f"`{facts.command('ec2', 'describe-security-groups', *words)}` shows it",
    )


def launch_template(facts: Facts) -> Finding:
    """Whether the Batch hosts' launch template's name is free."""
    name = facts.target.launch_template
    return _free(
        facts,
        "launch template",
        name,
        "aws_launch_template",
        lambda: facts.clients.ec2().describe_launch_templates(LaunchTemplateNames=[name])[
            "LaunchTemplates"
        ],
        facts.command("ec2", "delete-launch-template", "--launch-template-name", name),
    )


def compute_environment(facts: Facts) -> Finding:
    """Whether the Batch compute environment's name is free."""
    name = facts.target.vm_name
    if facts.target.hardened:
        return passed(f"AWS completes {name}-spot- and {name}-on-demand-, so that they are free")
    return _free(
        facts,
        "Batch compute environment",
        name,
        "aws_batch_compute_environment",
        lambda: [
            found
            for found in facts.clients.batch().describe_compute_environments(
                computeEnvironments=[name]
            )["computeEnvironments"]
            if found.get("status") != "DELETED"
        ],
        _disabled_first(facts, "compute-environment", name),
    )


def job_queue(facts: Facts) -> Finding:
    """Whether the names of the Batch job queues are free."""
    return _all(_job_queue(facts, name) for name in facts.target.job_queues)


def _job_queue(facts: Facts, name: str) -> Finding:
    return _free(
        facts,
        "Batch job queue",
        name,
        "aws_batch_job_queue",
        lambda: [
            found
            for found in facts.clients.batch().describe_job_queues(jobQueues=[name])["jobQueues"]
            if found.get("status") != "DELETED"
        ],
        _disabled_first(facts, "job-queue", name),
    )


def _disabled_first(facts: Facts, what: str, name: str) -> str:
    words = (f"--{what}", name)
    update = facts.command("batch", f"update-{what}", *words, "--state", "DISABLED")
    delete = facts.command("batch", f"delete-{what}", *words)
    return f"`{update}`, and a minute later `{delete}`"


def _all(answers: Iterable[Finding]) -> Finding:
    """Return the first answer that is no pass, else all of them in one line."""
    lines = []
    for answer in answers:
        if answer.verdict is not Verdict.PASS:
            return answer
        lines.append(answer.line)
    return passed(", ".join(lines))


def _free(
    facts: Facts,
    what: str,
    name: str,
    kind: str,
    find: Callable[[], Sequence[Mapping[str, object]]],
    delete: str,
) -> Finding:
    if facts.holds(kind, name):
        return passed(f"{name} is this stack's own {what}")
    try:
        found = find()
    except ClientError as error:
        if code_of(error) not in _NONE:
            raise
        found = []
    if not found:
        return passed(f"{name} is free")
    status = found[0].get("status")
    state = f", status {status}" if status in ("DELETING", "INVALID") else ""
    return facts.taken(
        f"{what} {name} exists",
        f" and is not this stack's{state}",
        f"choose another vm_name, or where nothing uses it any more: {delete}",
    )
