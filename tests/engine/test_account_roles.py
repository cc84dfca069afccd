"""The account's roles under the compiled policies: made, changed and destroyed, on real Terraform.

One life serves all tests. For each command the user holds the policy of that phase and nothing
else, and the account records every call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError

from biomodal_deploy.iam.catalog import LIFE_CYCLE
from biomodal_deploy.sandbox import Sandbox
from tests.support.authority.record import read_record
from tests.support.authority.sandbox import judged_sandbox
from tests.support.life import Document, Life, copy_stack
from tests.support.preflight_account import remove_roles
from tests.support.project import copy_app, run_main, write_stacks
from tests.support.proof import Proof, documented_grants, ignored

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("account-roles")]

PLAN, APPLY, UPDATE, DESTROY = LIFE_CYCLE
LINKED: Final = "aws_iam_service_linked_role"
BATCH: Final = "batch.amazonaws.com"
SPOT: Final = "spot.amazonaws.com"
NAMES: Final = {"AWSServiceRoleForBatch", "AWSServiceRoleForEC2Spot", "ecsInstanceRole"}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the account notes every call."""
    return tmp_path_factory.mktemp("record") / "record.jsonl"


@pytest.fixture(scope="module")
def sandbox(record: Path) -> Iterator[Sandbox]:
    """An account without any of the roles."""
    with judged_sandbox(record.parent, record=record) as sandbox:
        remove_roles(sandbox)
        yield sandbox


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stack, synthesized."""
    app = copy_app(tmp_path_factory.mktemp("roles") / "checkout")
    write_stacks(app, {"roles": {"bootstrap": "prerequisites"}})
    done = run_main(app)
    assert (done.returncode, done.stderr) == (0, "")
    return app / "cdktf.out" / "stacks" / "roles"


@pytest.fixture(scope="module")
def life(sandbox: Sandbox, stack: Path, tmp_path_factory: pytest.TempPathFactory) -> Life:
    """The roles' whole life."""
    folder = tmp_path_factory.mktemp("life")
    values: dict[str, Any] = {"region": sandbox.region}
    values |= dict.fromkeys(("batch_service_role", "spot_service_role", "ecs_instance_role"), True)
    life = Life("admin", sandbox, copy_stack(stack, folder / "stack"), folder, values)
    life.edit(lambda document: _linked(document, description="Ours", tags={"extra": "yes"}))
    life.init()
    life.must("plan", PLAN, "plan", "-out=plan")
    life.must("apply", APPLY, "apply", "plan")
    assert _roles(sandbox) >= NAMES
    life.edit(lambda document: _linked(document, description="Theirs", tags={"other": "yes"}))
    life.must("change-plan", PLAN, "plan", "-out=change")
    life.must("change", UPDATE, "apply", "change")
    life.must("destroy-plan", PLAN, "plan", "-destroy", "-out=destroy")
    life.must("destroy", DESTROY, "apply", "destroy")
    return life


def _linked(document: Document, **arguments: Any) -> None:
    for body in document["resource"][LINKED].values():
        body |= arguments


def _roles(sandbox: Sandbox) -> set[str]:
    return {each["RoleName"] for each in sandbox.client("iam").list_roles()["Roles"]}


def test_the_life_cycle_completes(life: Life, sandbox: Sandbox, record: Path) -> None:
    """Every command succeeds with the policy of its phase, nothing is refused, nothing is left."""
    assert Proof([life], read_record(record)).refused() <= ignored()
    assert not _roles(sandbox) & NAMES
    assert not life.compiled().needs.gaps


def test_every_call_is_in_the_catalog(life: Life, record: Path) -> None:
    """What Terraform did for a kind of resource in a phase is what the catalog says of it."""
    assert Proof([life], read_record(record)).unexpected() == set()


def test_nothing_is_granted_that_is_not_needed(life: Life, record: Path) -> None:
    """Each grant that no other life proves is seen at work, the service-linked roles' all."""
    proof = Proof([life], read_record(record))
    at_work = proof.at_work()
    idle = {grant for grant, seen in at_work.items() if not seen}
    assert idle - documented_grants() == set()
    assert any(grant[0] == LINKED for grant in at_work)


@pytest.fixture(scope="module")
def somebody(sandbox: Sandbox) -> Any:
    """IAM as a user sees it who holds what the tests give."""
    owner = sandbox.client("iam")
    owner.create_user(UserName="somebody")
    key = owner.create_access_key(UserName="somebody")["AccessKey"]
    session = Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=sandbox.region)
    return session.client("iam", endpoint_url=sandbox.endpoint)


@pytest.mark.parametrize(
    ("action", "service", "condition", "allowed"),
    [
        ("iam:CreateServiceLinkedRole", BATCH, BATCH, True),
        ("iam:CreateServiceLinkedRole", "*", None, True),
        ("iam:CreateServiceLinkedRole", "*", SPOT, False),
        ("iam:CreateServiceLinkedRole", SPOT, BATCH, False),
        ("iam:CreateRole", "*", None, False),
    ],
)
def test_who_may_make_a_service_linked_role(
    life: Life,
    sandbox: Sandbox,
    somebody: Any,
    action: str,
    service: str,
    condition: str | None,
    allowed: bool,
) -> None:
    """Whose policy has the action, the service's path and the service's name, and nobody else."""
    resource = f"arn:aws:iam::*:role/aws-service-role/{service}/AWSServiceRoleFor*"
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    if condition:
        statement["Condition"] = {"StringEquals": {"iam:AWSServiceName": condition}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    owner = sandbox.client("iam")
    owner.put_user_policy(UserName="somebody", PolicyName="p", PolicyDocument=document)
    if allowed:
        somebody.create_service_linked_role(AWSServiceName=BATCH)
        owner.delete_service_linked_role(RoleName="AWSServiceRoleForBatch")
        return
    with pytest.raises(ClientError, match="AccessDenied") as refused:
        somebody.create_service_linked_role(AWSServiceName=BATCH)
    named = f"role/aws-service-role/{BATCH}/AWSServiceRoleForBatch "
    assert named in str(refused.value)
