"""Roles that have to be there before the stack, and that no stack should own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed, warned
from biomodal_deploy.aws.commands import iam
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.preflight.checks.permissions import Need, simulate
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.prerequisites import BATCH_ROLE, MAKE, SPOT_ROLE, TRUST, Role
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
        Need(_TASKS_NEED, (f"{bucket_arn}/{WORK_FOLDER}/task",)),
        Need(("s3:ListBucket",), (bucket_arn,)),
    ]
    if key:
        via = {"kms:ViaService": through(key, "s3")}
        asked.append(Need(_TASKS_NEED_OF_KEY, (key,), via))
    denied = sorted(
        result["EvalActionName"]
        for need in asked
        for result in simulate(facts, role["Arn"], need)
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
