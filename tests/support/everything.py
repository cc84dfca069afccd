"""A plan with everything that a plan can have, as large as it is asked for."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.support.plans import ACTIONS, document, output, resource

CANARY: Final = "cnry-5f2e9a71c3"
_KINDS: Final = (
    "aws_instance",
    "aws_s3_bucket",
    "aws_ecr_repository",
    "aws_batch_job_queue",
    "aws_iam_role",
    "aws_security_group",
    "aws_eip",
    "null_resource",
)


def policy(*statements: dict[str, Any]) -> str:
    """Return an IAM policy as it stands in a plan."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str, resource_: str = "*", **more: Any) -> dict[str, Any]:
    """Return one statement of a policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource_, **more}


def everything(resources: int = 200, *, drifted: int = 40) -> dict[str, Any]:
    """Return a plan document with every action, nested secrets, drift, failed checks."""
    special = [*_special()]
    many = [_one(index) for index in range(resources - len(special))]
    rule = {"protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_blocks": ["10.0.0.0/8"]}
    return document(
        *special,
        *many,
        resource_drift=[
            resource(
                "aws_security_group.drifted",
                "update",
                {"id": "sg-1", "ingress": [rule]},
                {"id": "sg-1", "ingress": [rule, {**rule, "cidr_blocks": ["0.0.0.0/0"]}]},
            ),
            *(
                resource(f"aws_s3_bucket.d{i}", "update", {"tags": {"a": str(i)}}, {"tags": None})
                for i in range(drifted)
            ),
        ],
        deferred_changes=[
            {
                "reason": "resource_config_unknown",
                "resource_change": resource("aws_instance.later", "create", None, {"a": 1}),
            }
        ],
        action_invocations=[{"address": "action.aws_lambda_invoke.run"}],
        output_changes={
            "word": output("create", None, "hello"),
            "hidden": output(
                "update", CANARY, f"{CANARY}2", before_sensitive=True, after_sensitive=True
            ),
        },
        variables={"secret": {"value": CANARY}, "plain": {"value": "shown"}},
        configuration={
            "root_module": {
                "variables": {"secret": {"sensitive": True}, "plain": {}},
                "resources": [
                    {"mode": "managed", "type": "aws_iam_role", "name": "role", "expressions": {}},
                    {
                        "mode": "managed",
                        "type": "aws_instance",
                        "name": "vm",
                        "expressions": {"role": {"references": ["aws_iam_role.role.name"]}},
                    },
                ],
            }
        },
        checks=[
            {
                "address": {"kind": "check", "to_display": f"check.number{number}"},
                "status": "fail" if number % 2 else "pass",
                "instances": [
                    {
                        "address": {"to_display": f"check.number{number}"},
                        "status": "fail" if number % 2 else "pass",
                        "problems": [{"message": f"the word is {CANARY}"}] if number % 2 else [],
                    }
                ],
            }
            for number in range(6)
        ],
    )


def _special() -> list[dict[str, Any]]:
    secret = {"deep": [{"password": CANARY}, {"list": ["plain", CANARY]}]}
    marks = {"deep": [{"password": True}, {"list": [False, True]}]}
    vm = {"ami": "ami-1", "root_block_device": [{"volume_size": 100}], "user_data": CANARY}
    rule = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "security_group_id": "sg-1"}
    return [
        resource(
            "aws_instance.vm",
            "replace",
            vm,
            {**vm, "ami": "ami-2"},
            replace_paths=[["ami"]],
            action_reason="replace_because_cannot_update",
        ),
        resource("aws_secret.deep", "create", None, secret, after_sensitive=marks),
        resource("aws_secret.gone", "delete", secret, None, before_sensitive=marks),
        resource(
            "aws_vpc_security_group_ingress_rule.ssh",
            "update",
            {**rule, "cidr_ipv4": "10.0.0.0/8"},
            {**rule, "cidr_ipv4": "0.0.0.0/0"},
        ),
        resource(
            "aws_iam_role_policy.vm",
            "update",
            {"role": "vm", "policy": policy(allow("s3:GetObject", "arn:aws:s3:::data/*"))},
            {"role": "vm", "policy": policy(allow("s3:*", "arn:aws:s3:::data/*"))},
        ),
        resource("aws_iam_role.role", "no-op", {"name": "role"}, {"name": "role"}),
        resource(
            "aws_batch_job_queue.stays",
            "no-op",
            {"n": 1},
            {"n": 1},
            previous_address="aws_batch_job_queue.was",
        ),
        resource(
            "aws_s3_bucket.adopted", "no-op", {"n": 1}, {"n": 1}, importing={"id": "the-bucket"}
        ),
        resource("aws_instance.old", "delete", vm, None, deposed="8a7b6c5d"),
        resource(
            "data.aws_ami.ubuntu",
            "read",
            None,
            {"id": "x"},
            mode="data",
            address="data.aws_ami.ubuntu",
        ),
    ]


def _one(index: int) -> dict[str, Any]:
    action = [*ACTIONS][index % len(ACTIONS)]
    kind = _KINDS[index % len(_KINDS)]
    values = {"name": f"thing-{index}", "size": index, "tags": {"team": "genomics"}, "key": CANARY}
    before = None if action in ("create", "read") else values
    after = None if action in ("delete", "forget") else {**values, "size": index + 1}
    if action == "no-op":
        after = before
    marks = {"key": True}
    return resource(
        f'{kind}.many["{index}"]',
        action,
        before,
        after,
        before_sensitive=marks,
        after_sensitive=marks,
        replace_paths=[["size"]] if action.startswith("replace") else [],
        module_address=f"module.part[{index % 7}]",
    )
