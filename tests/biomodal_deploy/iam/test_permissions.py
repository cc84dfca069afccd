"""Tests of `biomodal_deploy.iam.permissions`: what a stack's policies give away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import boto3
import pytest

from biomodal_deploy.config.stack import StackSettings
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase
from biomodal_deploy.iam.permissions import StackPermissions
from biomodal_deploy.sandbox.account import DEFAULT_ACCOUNT_ID
from tests.support.authority.sandbox import judged_sandbox
from tests.support.changes import HARDENED_NATIVE, MODULE, NATIVE

BOUNDARY: Final = f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:policy/boundary"


def policy_text(action: str, **of: Any) -> str:
    """Return a policy that allows an action."""
    statement = {"Effect": "Allow", "Action": action, **of}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST: Final = policy_text("sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
EVERYTHING: Final = policy_text("*", Resource="*")


def permissions(folder: Path, snapshot: Path, **values: Any) -> StackPermissions:
    """Return the permissions of a synthesized stack."""
    shutil.copyfile(snapshot, folder / "cdk.tf.json")
    given = {
        "region": "us-east-1",
        "vpc_id": "vpc-0123456789abcdef0",
        "subnet_id": "subnet-0123456789abcdef0",
        "vm_name": "dev-vm",
    }
    return StackPermissions(folder, given | values, DEFAULT_ACCOUNT_ID)


@pytest.mark.parametrize(
    ("snapshot", "roles"),
    [
        (MODULE, {"dev-vm"}),
        (NATIVE, {"dev-vm"}),
        (HARDENED_NATIVE, {"dev-vm", "dev-vm-batch-host"}),
    ],
    ids=["module", "native", "hardened"],
)
def test_roles_that_nothing_bounds(tmp_path: Path, snapshot: Path, roles: set[str]) -> None:
    """Without a boundary each role that the policy may write makes its holder administrator."""
    known = permissions(tmp_path, snapshot)
    assert {arn.rpartition("/")[2] for arn in known.unbounded_roles()} == roles
    assert known.unbounded_roles([Phase.PLAN]) == ()


def test_a_boundary_binds_every_role(tmp_path: Path) -> None:
    """With one, no role is left that the policy may write unbounded, in any phase."""
    known = permissions(tmp_path, HARDENED_NATIVE, permissions_boundary_arn=BOUNDARY)
    assert known.unbounded_roles(LIFE_CYCLE) == ()


@pytest.mark.slow
def test_the_bounded_deployer_cannot_leave_the_boundary(tmp_path: Path) -> None:
    """An account that enforces the compiled policy refuses each way to an unbounded role."""
    known = permissions(tmp_path, HARDENED_NATIVE, permissions_boundary_arn=BOUNDARY)
    with judged_sandbox(tmp_path) as sandbox:
        owner = sandbox.client("iam")
        owner.create_user(UserName="deployer")
        for policy in known.deployer():
            document = json.dumps(policy.as_json())
            owner.put_user_policy(
                UserName="deployer", PolicyName=policy.name, PolicyDocument=document
            )
        key = owner.create_access_key(UserName="deployer")["AccessKey"]
        deployer = boto3.client(
            "iam",
            region_name="us-east-1",
            endpoint_url=owner.meta.endpoint_url,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

        def refused(operation: str, **arguments: Any) -> bool:
            try:
                getattr(deployer, operation)(**arguments)
            except deployer.exceptions.ClientError as error:
                return bool(error.response["Error"]["Code"] == "AccessDenied")
            return False

        new = {"RoleName": "dev-vm", "AssumeRolePolicyDocument": TRUST}
        assert refused("create_role", **new)
        assert refused("create_role", **new, PermissionsBoundary=f"{BOUNDARY}-other")
        assert not refused("create_role", **new, PermissionsBoundary=BOUNDARY)
        inline = {"PolicyName": "p", "PolicyDocument": EVERYTHING}
        assert not refused("put_role_policy", RoleName="dev-vm", **inline)
        # A role of that name that somebody made without the boundary.
        hosts = "dev-vm-batch-host"
        owner.create_role(RoleName=hosts, AssumeRolePolicyDocument=TRUST)
        assert refused("put_role_policy", RoleName=hosts, **inline)
        assert refused("update_assume_role_policy", RoleName=hosts, PolicyDocument=TRUST)
        for need in known.needs.items:
            if need.action == "iam:AttachRolePolicy" and need.resources[0].endswith(hosts):
                [arn] = need.condition["ArnEquals"]["iam:PolicyARN"]
                assert refused("attach_role_policy", RoleName=hosts, PolicyArn=arn)
        assert refused("delete_role_permissions_boundary", RoleName="dev-vm")
        other = {"RoleName": "dev-vm", "PermissionsBoundary": f"{BOUNDARY}-other"}
        assert refused("put_role_permissions_boundary", **other)
        bound = {"RoleName": hosts, "PermissionsBoundary": BOUNDARY}
        assert not refused("put_role_permissions_boundary", **bound)
        assert not refused("put_role_policy", RoleName=hosts, **inline)


def test_the_history_and_the_store_of_plans(tmp_path: Path) -> None:
    """Who plans may put plans and no more, who applies fetches them and claims."""
    key = f"arn:aws:kms:us-east-1:{DEFAULT_ACCOUNT_ID}:key/11111111-2222-3333-4444-555555555555"
    settings = StackSettings.model_validate(
        {
            "history": {"remote": "s3://lab-history/a*b", "retain_days": 7},
            "plan_store": {"remote": "s3://lab-plans", "kms_key_arn": key},
        }
    )
    shutil.copyfile(NATIVE, tmp_path / "cdk.tf.json")
    values = {"region": "us-east-1", "vm_name": "dev-vm"}
    known = StackPermissions(tmp_path, values, DEFAULT_ACCOUNT_ID, settings)
    claims = f"arn:aws:s3:::lab-history/a${{*}}b/{tmp_path.name}/*"
    plans = f"arn:aws:s3:::lab-plans/{tmp_path.name}/*"

    def allowed(phase: Phase) -> set[tuple[str, str]]:
        return {
            (action, resource)
            for policy in known.deployer([phase])
            for statement in policy.statements
            for action in statement.actions
            for resource in statement.resources
            if resource in (claims, plans, key)
        }

    assert allowed(Phase.PLAN) == {("s3:PutObject", plans), ("kms:GenerateDataKey", key)}
    fetches = {("s3:GetObject", plans), ("kms:Decrypt", key)}
    claiming = {(f"s3:{each}", claims) for each in ("PutObject", "GetObject", "PutObjectRetention")}
    for phase in (Phase.APPLY, Phase.UPDATE, Phase.DESTROY):
        assert allowed(phase) == fetches | claiming
