"""Roles that have to be there before the stack and that none owns, and what makes them.

Source: document section "Pre-existing AWS Service Roles".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from biomodal_deploy.aws.checks import (
    Finding,
    ReportData,
    Unavailable,
    Verdict,
    failed,
    passed,
    warned,
)
from biomodal_deploy.aws.commands import iam
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.preflight.caller import ActionGroup, simulate
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.config.contract.aws import (
    ECS_INSTANCE_ROLE,
    ECS_ROLE_POLICY,
    WORK_FOLDER,
    through,
)

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import InstanceProfileTypeDef, RoleTypeDef


_TASKS_NEED: Final = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
_TASKS_NEED_OF_KEY: Final = ("kms:Decrypt", "kms:GenerateDataKey")


def batch_service_role(facts: Facts) -> Finding:
    """Whether Batch's service-linked role exists."""
    if _exists(facts, BATCH_ROLE):
        return passed(f"{BATCH_ROLE.name} exists")
    if facts.target.bootstrap == "module":
        # Batch makes its role only where a compute environment names none.
        return failed(
            f"{BATCH_ROLE.name} does not exist, and the upstream module names it",
            BATCH_ROLE.command,
        )
    return warned(
        f"{BATCH_ROLE.name} does not exist: AWS makes it on apply, if the caller may",
        BATCH_ROLE.command,
    )


def spot_service_role(facts: Facts) -> Finding:
    """Whether EC2 Spot's service-linked role exists."""
    if _exists(facts, SPOT_ROLE):
        return passed(f"{SPOT_ROLE.name} exists")
    return warned(
        f"{SPOT_ROLE.name} does not exist: no Spot host starts until AWS has made it",
        SPOT_ROLE.command,
    )


def ecs_instance_role(facts: Facts) -> Finding:
    """Whether Batch hosts have the role that lets them join the cluster."""
    if facts.target.hardened:
        return passed("the hardened profile makes a role of its own for them")
    profile = _profile(facts)
    if profile is None:
        return failed(f"the instance profile {ECS_INSTANCE_ROLE} does not exist", MAKE)
    if not profile["Roles"]:
        return failed(
            f"the instance profile {ECS_INSTANCE_ROLE} holds no role",
            iam(
                "add-role-to-instance-profile",
                *("--instance-profile-name", ECS_INSTANCE_ROLE, "--role-name", ECS_INSTANCE_ROLE),
            ),
        )
    role = profile["Roles"][0]
    if "ec2.amazonaws.com" not in json.dumps(role.get("AssumeRolePolicyDocument", {})):
        return failed(
            f"EC2 may not assume {role['RoleName']}",
            iam(
                *("update-assume-role-policy", "--role-name", role["RoleName"]),
                *("--policy-document", json.dumps(json.loads(TRUST), separators=(",", ":"))),
            ),
        )
    pages = facts.clients.iam().get_paginator("list_attached_role_policies")
    attached = {
        policy["PolicyName"]
        for page in pages.paginate(RoleName=role["RoleName"])
        for policy in page["AttachedPolicies"]
    }
    if ECS_ROLE_POLICY not in attached:
        return failed(
            f"{role['RoleName']} lacks {ECS_ROLE_POLICY}: hosts cannot join the cluster",
            iam(
                *("attach-role-policy", "--role-name", role["RoleName"], "--policy-arn"),
                f"arn:{facts.caller().partition}:iam::aws:policy/service-role/{ECS_ROLE_POLICY}",
            ),
        )
    return passed(f"{ECS_INSTANCE_ROLE} holds {role['RoleName']} with {ECS_ROLE_POLICY}")


def tasks_bucket(facts: Facts) -> Finding:
    """Whether Batch tasks, which run with the hosts' role, can use the bucket."""
    if facts.target.hardened:
        return passed("the hardened profile's role for the hosts covers the bucket")
    role = _role(facts)
    bucket = facts.target.existing_bucket or facts.target.new_bucket
    # AWS adds 26 characters to the module's bucket name; any will do to judge a pattern by.
    bucket_arn = facts.arn("s3", bucket or f"{facts.target.vm_name}{'0' * 26}", in_account=False)
    key = facts.target.bucket_key
    asked = [
        ActionGroup(_TASKS_NEED, (f"{bucket_arn}/{WORK_FOLDER}/task",)),
        ActionGroup(("s3:ListBucket",), (bucket_arn,)),
    ]
    if key:
        via = {"kms:ViaService": through(key, "s3")}
        asked.append(ActionGroup(_TASKS_NEED_OF_KEY, (key,), via))
    denied = sorted(
        result["EvalActionName"]
        for group in asked
        for result in simulate(facts, role["Arn"], group)
        if result["EvalDecision"] != "allowed"
    )
    name = role["RoleName"]
    if not denied:
        return passed(f"{name} may read and write the bucket")
    wanted = bucket_arn if bucket else bucket_arn.replace("0" * 26, "?" * 26)
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": wanted},
            {"Effect": "Allow", "Action": list(_TASKS_NEED), "Resource": f"{wanted}/*"},
            *([_use_of(key)] if key else []),
        ],
    }
    own_policy = (
        ", unless the bucket's own policy allows it" if facts.target.existing_bucket else ""
    )
    return warned(
        f"{name} lacks {', '.join(denied)}: Batch tasks get 403 from the bucket{own_policy}",
        iam(
            *("put-role-policy", "--role-name", name),
            *("--policy-name", f"{facts.target.vm_name}-bucket"),
            *("--policy-document", json.dumps(document, separators=(",", ":"))),
        ),
    )


def _use_of(key: str) -> dict[str, object]:
    """Return the statement that lets a role use a bucket's key, through S3 alone."""
    via = {"StringEquals": {"kms:ViaService": [*through(key, "s3")]}}
    actions = [*_TASKS_NEED_OF_KEY]
    return {"Effect": "Allow", "Action": actions, "Resource": key, "Condition": via}


def _exists(facts: Facts, role: Role) -> bool:
    found = or_none(lambda: facts.clients.iam().get_role(RoleName=role.name), "NoSuchEntity")
    return found is not None


def _profile(facts: Facts) -> InstanceProfileTypeDef | None:
    ask = facts.clients.iam().get_instance_profile
    said = or_none(lambda: ask(InstanceProfileName=ECS_INSTANCE_ROLE), "NoSuchEntity")
    return said["InstanceProfile"] if said else None


def _role(facts: Facts) -> RoleTypeDef:
    profile = _profile(facts)
    if profile is None or not profile["Roles"]:
        raise Unavailable(f"there is no role in {ECS_INSTANCE_ROLE}")
    return profile["Roles"][0]


@dataclass(frozen=True)
class Role:
    """A service-linked role: AWS names it and writes its policy.

    Attributes:
        variable: The variable of the `prerequisites` stack that asks for it.
    """

    name: str
    service: str
    variable: str

    @property
    def command(self) -> str:
        """The command that makes it."""
        return f"aws iam create-service-linked-role --aws-service-name {self.service}"


BATCH_ROLE: Final = Role("AWSServiceRoleForBatch", "batch.amazonaws.com", "batch_service_role")
SPOT_ROLE: Final = Role("AWSServiceRoleForEC2Spot", "spot.amazonaws.com", "spot_service_role")
ECS_VARIABLE: Final = "ecs_instance_role"
# The checks whose roles are made here, with the variable that asks for each.
VARIABLES: Final = {
    "batch-service-role": BATCH_ROLE.variable,
    "spot-service-role": SPOT_ROLE.variable,
    "ecs-instance-role": ECS_VARIABLE,
}

TRUST: Final = """{
    "Version": "2012-10-17",
    "Statement": [{
      "Effect": "Allow",
      "Principal": {"Service": "ec2.amazonaws.com"},
      "Action": "sts:AssumeRole"
    }]
  }"""
# What a check says of a role that is not there at all.
MAKE: Final = "run what `biomodal-aws doctor --commands` prints"

_ECS_ROLE: Final = f"""\
# Create the IAM role
aws iam create-role --role-name {ECS_INSTANCE_ROLE} \\
  --assume-role-policy-document '{TRUST}'

# Attach the AWS managed policy
aws iam attach-role-policy --role-name {ECS_INSTANCE_ROLE} \\
  --policy-arn arn:PARTITION:iam::aws:policy/service-role/{ECS_ROLE_POLICY}

# Create the instance profile
aws iam create-instance-profile --instance-profile-name {ECS_INSTANCE_ROLE}

# Add the role to the instance profile
aws iam add-role-to-instance-profile --instance-profile-name {ECS_INSTANCE_ROLE} \\
  --role-name {ECS_INSTANCE_ROLE}"""


@dataclass(frozen=True)
class Step:
    """One role that has to be created or fixed.

    Attributes:
        variable: The variable of the `prerequisites` stack that makes it; None where the role is
            there and only lacks something.
    """

    variable: str | None
    command: str


def all_steps(partition: str) -> tuple[Step, ...]:
    """Return the steps of an account that has none of the roles."""
    return (
        *(
            Step(role.variable, f"# Create {role.name}\n{role.command}")
            for role in (BATCH_ROLE, SPOT_ROLE)
        ),
        Step(ECS_VARIABLE, _ECS_ROLE.replace("PARTITION", partition)),
    )


def steps(report: ReportData, partition: str) -> tuple[Step, ...]:
    """Return the steps of what a report found missing."""
    made = {step.variable: step for step in all_steps(partition)}
    found = []
    for finding in report.checks:
        if finding.check in VARIABLES and finding.verdict in (Verdict.FAIL, Verdict.WARNING):
            whole = made[VARIABLES[finding.check]]
            missing = finding.fix in (MAKE, BATCH_ROLE.command, SPOT_ROLE.command)
            found.append(whole if missing else Step(None, f"# {finding.line}\n{finding.fix}"))
    return tuple(found)
