"""Tests for biomodal_deploy.cli.render.plan_view: what a reviewer reads of real plans."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from biomodal_deploy.cli.render.costs import cost_summary
from biomodal_deploy.cli.render.plan_view import address_lines
from biomodal_deploy.cli.render.sealed_plans import sealed_plan_data, show_sealed_plan
from biomodal_deploy.cli.render.sets import describe_plan, show_set
from biomodal_deploy.errors import EXIT_DONE, EXIT_GUARD
from biomodal_deploy.plan import Action, Plan, PlanKind, ResourceChange, read_plan
from biomodal_deploy.plan.sealed import SealedPlan
from biomodal_deploy.plan.sealed.use import Use, UseState
from biomodal_deploy.workflow.sets import StackOutcome as Ended
from tests.support import screens
from tests.support.plans import plan, resource
from tests.support.project import ROOT
from tests.support.real_plans import construct_paths, real_plan
from tests.support.reports import ID, manifest
from tests.support.sealed_plans import SHA

WIDTHS: Final = (80, 140)
KINDS: Final = {
    "create": PlanKind.APPLY,
    "no-change": PlanKind.APPLY,
    "update": PlanKind.APPLY,
    "replace": PlanKind.APPLY,
    "destroy": PlanKind.DESTROY,
    "drift": PlanKind.APPLY,
    "refresh-only": PlanKind.REFRESH_ONLY,
    "broaden": PlanKind.APPLY,
    "shrink": PlanKind.APPLY,
    "large": PlanKind.APPLY,
}
PLACE: Final = {
    "stack": "lab-vm",
    "account": "123456789012",
    "account_alias": "lab",
    "region": "us-east-1",
    "endpoint": "http://127.0.0.1:5000",
    "caller": "arn:aws:iam::123456789012:root",
}


class TextFile(SingleFileSnapshotExtension):
    """One text file for each golden."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """The text that was agreed on."""
    return snapshot.use_extension(TextFile)


@cache
def read(name: str, times: int = 50) -> Plan:
    """Return a plan that real Terraform made; a large one is so many times the first create."""
    raw = json.loads(real_plan("create" if name == "large" else name))
    if name == "large":
        raw["resource_changes"] = [
            {**each, "address": f'{each["address"]}["{number:03}"]'}
            for each in raw["resource_changes"]
            for number in range(times)
        ]
    return read_plan(json.dumps(raw).encode(), construct_paths())[0]


def sealed_plan_of(of: Plan, kind: PlanKind = PlanKind.APPLY) -> SealedPlan:
    """Return a sealed plan that is on no disk and never expires."""
    sealed = manifest(of, kind, **PLACE)
    sealed = sealed.model_copy(update={"expires": sealed.expires.replace(year=2999)})
    return SealedPlan(Path("plans/lab-vm") / ID, sealed, SHA, Use(UseState.UNUSED))


def printed(of: Plan, kind: PlanKind = PlanKind.APPLY, width: int = 80, **more: Any) -> str:
    """Return what a terminal shows of a plan."""
    sealed = sealed_plan_of(of, kind)
    return screens.printed(lambda on: show_sealed_plan(on, sealed, of, **more), width)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", KINDS)
def test_goldens(name: str, width: int, golden: SnapshotAssertion) -> None:
    """What a reviewer reads of each kind of plan, line for line."""
    of = read(name)
    cost = cost_summary(of, sealed_plan_of(of, KINDS[name]).manifest, ROOT)
    assert printed(of, KINDS[name], width, cost=cost) == golden(name=f"{name}-{width}")


@pytest.mark.parametrize("width", WIDTHS)
def test_several_stacks(width: int, golden: SnapshotAssertion) -> None:
    """A set of plans: what each loses and opens, which of them a guard refuses, what to type."""
    ended = []
    for stack, name, status in (
        ("lab-one", "create", EXIT_DONE),
        ("lab-three", "no-change", EXIT_DONE),
        ("lab-two-with-a-rather-long-name", "replace", EXIT_GUARD),
    ):
        of = read(name)
        data: Any = sealed_plan_data(sealed_plan_of(of), of)
        ended.append(Ended(stack=stack, exit_status=status, data=data, seconds=8))
    shown = screens.printed(lambda on: show_set(on, ended, describe_plan), width)
    assert shown == golden(name=f"several-{width}")


@pytest.mark.parametrize("name", KINDS)
def test_no_line_is_wider_than_the_terminal(name: str) -> None:
    """But where a single word is, or a command to copy: those are never broken."""
    for line in printed(read(name), KINDS[name]).splitlines():
        words = line.split()
        copied = line.startswith(("If that loss", "Next:", "folder", "plan  ", "sha256"))
        assert cell_len(line) <= 80 or copied or len(max(words, key=len)) > 60, line


@pytest.mark.parametrize("width", [40, 80, 140])
def test_nothing_is_cut(width: int) -> None:
    """Ids, digests and addresses of any length stand whole on a terminal of any width."""
    address = f"aws_instance.{'v' * 150}"
    text = printed(plan(resource(address, "delete", {"id": "i-1"}, None)), width=width)
    for whole in (address, SHA, ID):
        assert whole in text


def test_the_order() -> None:
    """What is lost, who gains access, what comes, what changes; counts and the next step last."""
    of = read("replace")
    lines = printed(of).splitlines()
    titles = [re.split(r" \(|:", line)[0] for line in lines]
    wanted = ["Plan for lab-vm", "Destroyed or replaced", "Access that is gained", "Updated"]
    assert [title for title in titles if title in wanted] == wanted
    assert lines.index("Plan: 1 to update, 3 to replace, 1 output changes.") > len(lines) - 8


def test_values_of_what_is_created() -> None:
    """Type, image by name, size, CIDR, policy as statements; not what nobody configured."""
    text = printed(read("create"), width=200)
    for line in (
        "        instance_type: t3.large",
        "        root_block_device.volume_size: 100",
        "        cidr_ipv4: 10.20.0.0/20",
        "        block_public_acls: true",
    ):
        assert f"{line}\n" in text
    assert re.search(r"ami: ami-\w+ \(ubuntu/images/", text)
    assert "+ allowed: sts:AssumeRole to Service ec2.amazonaws.com" in text
    created = text[text.index("\nCreated (20)") : text.index("\nOutputs")]
    assert "known after apply" not in created
    assert "null" not in created


@pytest.mark.slow
def test_full_has_every_attribute() -> None:
    """Also those that AWS makes up, and every resource of many alike."""
    text = printed(read("create"), full=True, width=200)
    assert "        arn: (known after apply)\n" in text
    many = read("large", times=12)
    assert printed(many, full=True, width=200).count("+ aws_instance.vm[") == 12
    assert printed(many, width=200).count("+ aws_instance.vm[") == 3


def test_secrets_stay_hidden() -> None:
    """The script of the VM is sensitive, in brief as in full."""
    for full in (False, True):
        assert "user_data_base64: (sensitive value)" in printed(read("create"), full=full)


def test_consequences_are_in_words() -> None:
    """An instance type stops the VM; a new name of the queue ends its jobs."""
    assert "effect stops the VM" in printed(read("update"))
    text = " ".join(printed(read("replace")).split())
    assert "why name cannot be changed in place lost the jobs that wait or run in it" in text


def test_text_from_outside_cannot_steer_the_terminal() -> None:
    """Escape sequences and marks that turn the direction of writing are shown as ?."""
    odd = "a\x1b[2Jb\u202ec"
    of = plan(resource("aws_x.y", "create", None, {"name": odd, "tags": {odd: odd}}))
    text = printed(of) + printed(of, full=True)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_loss_says_why() -> None:
    """Whoever confirms that something is replaced reads that it is tainted."""
    lost = ResourceChange(
        address="x.y", type="x", name="y", action=Action.REPLACE, reason="replace_because_tainted"
    )
    plainly = ResourceChange(address="x.z", type="x", name="z", action=Action.DELETE)
    one, two = (line.text.plain for line in address_lines([lost, plainly]))
    assert "x.y: " in one
    assert "tainted" in one
    assert two.endswith("x.z")
