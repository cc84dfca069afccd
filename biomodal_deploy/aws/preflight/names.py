"""Names: free, or this stack's already; and what the options name, which nothing makes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from biomodal_deploy.aws.buckets import find_bucket, head_bucket
from biomodal_deploy.aws.checks import Finding, Verdict, failed, passed, unknown, warned
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
class _Free:
    """Whether the names that a stack will take for one kind of thing are free."""

    what: str
    type: str
    find: Callable[[Facts, str], Sequence[Mapping[str, object]]]
    remove: Callable[[Facts, str], str]
    names: Callable[[Target], Sequence[str]] = lambda target: (target.vm_name,)

    def __call__(self, facts: Facts) -> Finding:
        """Return the first answer that is no pass, else all of them in one line."""
        answers = [self._is_free(name, facts) for name in self.names(facts.target)]
        taken = next((each for each in answers if not each.passed), None)
        return taken or passed(", ".join(each.line for each in answers))

    def _is_free(self, name: str, facts: Facts) -> Finding:
        if facts.holds(self.type, name):
            return passed(f"{name} is this stack's own {self.what}")
        found = or_none(lambda: self.find(facts, name), *_NONE)
        if not found:
            return passed(f"{name} is free")
        if holder := facts.elsewhere.get(f"{self.type}:{name}"):
            return failed(f"{self.what} {name} exists and is that of {holder}", OTHER_NAME)
        status = found[0].get("status")
        state = f", status {status}" if status in ("DELETING", "INVALID") else ""
        remove = self.remove(facts, name)
        return facts.taken(
            f"{self.what} {name} exists",
            f" and is not this stack's{state}",
            f"{OTHER_NAME}, or where nothing uses it and no state holds it any more: {remove}",
        )


def key_pair(facts: Facts) -> Finding:
    """Whether the SSH key pair's name is free."""
    hardened = facts.target.hardened
    if hardened and not hardened.ssh_key:
        return passed("the stack makes none: the VM is reached through Session Manager")
    return _KEY_PAIR(facts)


def compute_environment(facts: Facts) -> Finding:
    """Whether the Batch compute environment's name is free."""
    name = facts.target.vm_name
    if facts.target.hardened:
        return passed(f"AWS completes {name}-spot- and {name}-on-demand-, so that they are free")
    return _COMPUTE_ENVIRONMENT(facts)


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


_KEY_PAIR: Final = _Free(
    "key pair",
    "aws_key_pair",
    lambda facts, name: facts.clients.ec2().describe_key_pairs(KeyNames=[name])["KeyPairs"],
    lambda facts, name: facts.command("ec2", "delete-key-pair", "--key-name", name),
)
repository: Final = _Free(
    "ECR repository",
    "aws_ecr_repository",
    lambda facts, name: facts.clients.ecr().describe_repositories(repositoryNames=[name])[
        "repositories"
    ],
    lambda facts, name: facts.command("ecr", "delete-repository", "--repository-name", name),
)
role: Final = _Free(
    "IAM role",
    "aws_iam_role",
    lambda facts, name: [facts.clients.iam().get_role(RoleName=name)["Role"]],
    lambda _, name: iam("delete-role", "--role-name", name),
    names=lambda target: target.roles,
)
instance_profile: Final = _Free(
    "instance profile",
    "aws_iam_instance_profile",
    lambda facts, name: [
        facts.clients.iam().get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    ],
    lambda _, name: iam("delete-instance-profile", "--instance-profile-name", name),
    names=lambda target: target.roles,
)
security_group: Final = _Free(
    "security group",
    "aws_security_group",
    _security_groups,
    _show_group,
    names=lambda target: (target.security_group,),
)
launch_template: Final = _Free(
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
_COMPUTE_ENVIRONMENT: Final = _Free(
    "Batch compute environment",
    "aws_batch_compute_environment",
    lambda facts, name: _not_deleted(
        facts.clients.batch().describe_compute_environments(computeEnvironments=[name])[
            "computeEnvironments"
        ]
    ),
    partial(_disabled_first, "compute-environment"),
)
job_queue: Final = _Free(
    "Batch job queue",
    "aws_batch_job_queue",
    lambda facts, name: _not_deleted(
        facts.clients.batch().describe_job_queues(jobQueues=[name])["jobQueues"]
    ),
    partial(_disabled_first, "job-queue"),
    names=lambda target: target.job_queues,
)


def bucket(facts: Facts) -> Finding:
    """Whether the bucket can be made, or is there and in the region."""
    target = facts.target
    if existing := target.existing_bucket:
        return _existing(facts, existing)
    if (name := target.new_bucket) is None:
        return passed(f"AWS completes the name {target.vm_name}, so that it is free")
    if facts.holds("aws_s3_bucket", name):
        return passed(f"the bucket {name} is this stack's own")
    return _new(facts, name)


def _new(facts: Facts, name: str) -> Finding:
    code, _ = find_bucket(facts.clients, name)
    if code == "404":
        return passed(f"{name} is free")
    if code == "" and (holder := facts.elsewhere.get(f"aws_s3_bucket:{name}")):
        return failed(f"the bucket {name} exists and is that of {holder}", OTHER_NAME)
    if code == "":
        return facts.taken(
            f"a bucket {name} exists that you may use",
            ", and that is not this stack's",
            f'set use_existing_bucket_url = "s3://{name}", or choose another vm_name',
        )
    return failed(
        f"a bucket {name} exists in some account: bucket names are unique in all of AWS",
        "choose another vm_name",
    )


def _existing(facts: Facts, name: str) -> Finding:
    code, region = find_bucket(facts.clients, name)
    if code == "404":
        return failed(f"there is no bucket {name}", "correct use_existing_bucket_url")
    if code == "403":
        return unknown(
            f"the bucket {name} exists, but the caller may not s3:ListBucket: "
            "whether the VM may is up to the bucket's own policy",
            f"allow s3:ListBucket on {facts.arn('s3', name, in_account=False)} to the caller",
        )
    if region != facts.target.region:
        return warned(
            f"the bucket {name} is in {region}, the VM in {facts.target.region}: AWS charges for "
            "every gigabyte between regions",
            f'set region = "{region}", or name a bucket in {facts.target.region}',
        )
    return passed(f"the bucket {name} is there, in {region}")


def options(facts: Facts) -> Finding:
    """Whether the boundary, the log bucket and the hosts' subnets that are named are there."""
    named = facts.target.hardened
    if named is None:
        return passed("the profile has no such options")
    answers = [
        *([_boundary(facts, arn)] if (arn := named.permissions_boundary_arn) else []),
        *([_log_bucket(facts, name)] if (name := named.access_log_bucket) else []),
        *([_subnets(facts, ids)] if (ids := named.batch_subnet_ids) else []),
        *([_topic(arn)] if (arn := named.alarm_topic_arn) else []),
    ]
    worst = sorted(answers, key=lambda each: [*_GRAVEST, each.verdict].index(each.verdict))
    if not worst:
        return passed("none names anything")
    if worst[0].verdict is Verdict.PASS:
        return passed(", ".join(each.line for each in answers))
    return worst[0]


_GRAVEST: Final = (Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN)


def _boundary(facts: Facts, arn: str) -> Finding:
    if not or_none(lambda: facts.clients.iam().get_policy(PolicyArn=arn), "NoSuchEntity"):
        return failed(f"there is no policy {arn}", "correct permissions_boundary_arn")
    return passed("the permissions boundary is there")


def _log_bucket(facts: Facts, name: str) -> Finding:
    if name == facts.target.new_bucket:
        return failed(
            f"{name} is the data bucket itself: each log that S3 writes there is logged again",
            "name another bucket as access_log_bucket",
        )
    code, elsewhere = head_bucket(facts.clients, name)
    if code == "404":
        return failed(f"there is no bucket {name}", "correct access_log_bucket")
    if code == "403":
        return unknown(
            f"the caller may not s3:ListBucket on {name}, the bucket for access logs",
            "ask its owner whether it is there, and takes logs from this account",
        )
    region = facts.target.region
    if elsewhere != region:
        return failed(
            f"the bucket {name} is in {elsewhere}, and S3 writes logs in {region} only",
            f"name a bucket in {region} as access_log_bucket",
        )
    return passed("the bucket for access logs is there")


def _subnets(facts: Facts, ids: tuple[str, ...]) -> Finding:
    ask = partial(facts.clients.ec2().describe_subnets, SubnetIds=list(ids))
    if (said := or_none(ask, "NotFound")) is None:
        return failed(f"not all of {', '.join(ids)} are there", "correct batch_subnet_ids")
    vpc = facts.target.vpc_id
    if elsewhere := [each["SubnetId"] for each in said["Subnets"] if each["VpcId"] != vpc]:
        return failed(f"{', '.join(elsewhere)}: not in {vpc}", "correct batch_subnet_ids")
    return passed("the hosts' subnets are there")


def _topic(arn: str) -> Finding:
    return unknown(
        "whether the alarm's topic is there is not asked",
        shlex.join(["aws", "sns", "get-topic-attributes", "--topic-arn", arn]),
    )
