"""The deployer's policies before a second evaluator: `tests.support.iam_simulate`."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from biomodal_deploy.iam import Place
from biomodal_deploy.iam.catalog import LIFE_CYCLE, Phase
from biomodal_deploy.iam.evaluate import Request
from biomodal_deploy.iam.needs import Needs, needs_of
from biomodal_deploy.iam.policies import policies
from biomodal_deploy.iam.probes import wanted
from biomodal_deploy.iam.stack import Document
from tests.support.changes import HARDENED_MODULE, HARDENED_NATIVE, MODULE, NATIVE
from tests.support.iam_simulate import simulate

# Two evaluators, each of them asked about every request of a stack.
pytestmark = pytest.mark.slow

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-2"
STACKS: Final = {
    "module": MODULE,
    "native": NATIVE,
    "module-hardened": HARDENED_MODULE,
    "native-hardened": HARDENED_NATIVE,
}

# What a call also asks about, and nothing there says whose it is: the shared network and image,
# interfaces that have no tags, and what is only just created.
PARTS: Final = {
    "ec2:AllocateAddress": ("elastic-ip",),
    "ec2:AssociateAddress": ("network-interface",),
    "ec2:AuthorizeSecurityGroupEgress": ("security-group-rule",),
    "ec2:AuthorizeSecurityGroupIngress": ("security-group-rule",),
    "ec2:CreateLaunchTemplate": ("launch-template",),
    "ec2:CreateSecurityGroup": ("vpc", "security-group"),
    "ec2:DisassociateAddress": ("network-interface",),
    "ec2:RunInstances": ("image", "instance", "network-interface", "subnet", "volume"),
}
# Narrowed to the subnet and no further: EC2 gives the VM's interface no tag. docs/permissions.md.
WIDER: Final = ("ec2:ModifyNetworkInterfaceAttribute", "network-interface")


def needs(stack: str, vm_name: str) -> Needs:
    """Return what a stack needs with everything on; all have the same tag_value."""
    values: dict[str, Any] = {
        "region": REGION,
        "vpc_id": "vpc-0123456789abcdef0",
        "subnet_id": "subnet-0123456789abcdef0",
        "vm_name": vm_name,
        "bucket_force_destroy": True,
        "permissions_boundary_arn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        "access_log_bucket": "lab-logs",
        "alarm_topic_arn": f"arn:aws:sns:{REGION}:{ACCOUNT}:pager",
        "log_retention_days": 30,
        "monthly_budget_usd": 100,
        "ssh_cidr_blocks": ["192.0.2.0/24"],
        "ssh_public_key": "ssh-ed25519 AAAA",
    }
    document = Document.model_validate(json.loads(STACKS[stack].read_text()))
    return needs_of(document, values, Place.of(REGION, ACCOUNT))


def requests(found: Needs, phase: Phase) -> list[Request]:
    """Return what AWS is asked for in a phase."""
    each = [one for need in found.of([phase]) for one in wanted(need, found.place)]
    return list({repr(one): one for one in each}.values())


@pytest.mark.parametrize("stack", STACKS)
def test_allowed_on_its_own(stack: str) -> None:
    """Every action of every phase by that phase's policies, on each of the stack's resources."""
    found = needs(stack, "dev-vm")
    asked = {phase: requests(found, phase) for phase in LIFE_CYCLE}
    held = {phase: policies(found.of([phase]), "x") for phase in LIFE_CYCLE}
    answers = simulate(ACCOUNT, *((held[phase], asked[phase]) for phase in LIFE_CYCLE))
    assert not [
        (phase, one.action, one.resource, answer)
        for phase, of_phase in zip(LIFE_CYCLE, answers, strict=True)
        for one, answer in zip(asked[phase], of_phase, strict=True)
        if answer != "Allowed"
    ]


@pytest.mark.parametrize("stack", [*STACKS])
def test_denied_on_a_neighbour_s(stack: str) -> None:
    """What a neighbour's stack of the same tag value asks for, and this one does not."""
    ours = needs(stack, "dev-vm")
    own = {repr(one) for phase in LIFE_CYCLE for one in requests(ours, phase)}
    asked = [
        [one for phase in LIFE_CYCLE for one in requests(theirs, phase) if repr(one) not in own]
        for theirs in (needs(stack, "other-vm"), needs(stack, "dev-vm-2"))
    ]
    held = policies(ours.items, "x")
    for of_one, answers in zip(asked, simulate(ACCOUNT, *((held, x) for x in asked)), strict=True):
        denied = {
            one.action for one, answer in zip(of_one, answers, strict=True) if "Denied" in answer
        }
        for one, answer in zip(of_one, answers, strict=True):
            if (one.action, kind(one)) == WIDER or "Denied" in answer:
                continue
            # One of the call's several requests: another one of them is denied, and so the call.
            assert answer == "Allowed", (answer, one)
            assert kind(one) in PARTS.get(call(one), ()), one
            assert call(one) in denied, one


def kind(request: Request) -> str:
    """Return the type of an EC2 resource."""
    return request.resource.split(":", 5)[5].partition("/")[0]


def call(request: Request) -> str:
    """Return the call that a request is a part of: tags are set by the call that creates."""
    [creating] = request.context.get("ec2:CreateAction") or ("",)
    return f"ec2:{creating}" if creating else request.action
