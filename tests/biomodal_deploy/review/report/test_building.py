"""Tests for biomodal_deploy.review.report.building: what stands in a report, and where."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.plan import Action, PlanKind, read_plan
from biomodal_deploy.review.report import Level
from biomodal_deploy.review.report.building import WAIVERS, build_report, read_waivers
from tests.support.everything import everything
from tests.support.plans import ACTIONS, document, encoded, plan, resource
from tests.support.reports import report, report_on
from tests.support.sealed_plans import sealed


@pytest.mark.parametrize(
    ("resources", "level"),
    [
        ([], Level.NOTHING),
        ([resource("aws_x.y", "create", None, {})], Level.ROUTINE),
        ([resource("aws_x.y", "delete", {}, None)], Level.CAREFUL),
        ([resource("aws_x.y", "forget", {}, None)], Level.CAREFUL),
        ([resource("aws_instance.y", "delete", {}, None)], Level.BLOCKED),
        ([resource("aws_x.y", "unknown", {}, None)], Level.BLOCKED),
    ],
)
def test_verdict(resources: list[Any], level: Level) -> None:
    """How much care a plan needs."""
    assert report_on(*resources).verdict.level is level


def test_every_action_has_its_place() -> None:
    """Each resource stands where a reviewer looks for its action; none is left out."""
    found = report_on(*(resource(f"aws_x.r{i}", name) for i, name in enumerate(ACTIONS)))
    assert [entry.action for entry in found.losses] == [
        Action.DELETE,
        Action.REPLACE,
        Action.REPLACE_CREATE_FIRST,
        Action.REPLACE_AND_FORGET,
    ]
    assert [entry.action for entry in found.unknown] == [Action.UNKNOWN]
    assert [entry.action for entry in found.forgotten] == [Action.FORGET]
    (group,) = found.groups
    assert [entry.action for entry in group.entries] == [Action.UPDATE, Action.CREATE]
    assert [entry.action for entry in found.unchanged] == [Action.NO_OP]
    assert [entry.action for entry in found.reads] == [Action.READ]
    assert len(found.entries) == len(ACTIONS) - 2


def test_a_replacement_says_why_and_what_is_lost() -> None:
    """The attribute that forces it with both values, the disk's size, what is on it."""
    disk = {"root_block_device": [{"volume_size": 100}]}
    (loss,) = report_on(
        resource(
            "aws_instance.vm",
            "replace",
            {**disk, "ami": "ami-1"},
            {**disk, "ami": "ami-2"},
            replace_paths=[["ami"]],
            action_reason="replace_because_cannot_update",
        )
    ).losses
    assert loss.cause == "ami cannot be changed in place"
    assert [(each.before, each.after) for each in loss.forced_by] == [("ami-1", "ami-2")]
    assert loss.lost.startswith("the 100 GB root disk: the .nextflow cache")
    assert "SSH host key" in loss.lost


def test_contents_are_counted_by_the_guard() -> None:
    """A bucket that goes with its objects says so at its own place."""
    values = {"bucket": "data", "force_destroy": True}
    (loss,) = report_on(resource("aws_s3_bucket.data", "delete", values, None)).losses
    assert "an unknown number of objects go with bucket data" in loss.contents


def test_reasons_of_a_later_terraform() -> None:
    """A reason that is not known here is shown as it is."""
    (loss,) = report_on(resource("aws_x.y", "delete", {}, None, action_reason="by_magic")).losses
    assert loss.cause == "by magic"


def test_groups_are_constructs() -> None:
    """Resources stand under the construct that made them; a module's under its call."""
    changes = document(
        resource("aws_instance.vm"),
        resource("aws_eip.ip"),
        resource("module.bootstrap.aws_instance.vm", module_address="module.bootstrap"),
        resource("aws_x.y"),
    )
    paths = {
        "aws_instance.vm": "native/vm/instance",
        "aws_eip.ip": "native/vm/address",
        "module.bootstrap": "native/bootstrap",
    }
    read, _ = read_plan(encoded(changes), paths)
    found = {group.construct_path: len(group.entries) for group in report(read).groups}
    assert found == {"": 1, "native/bootstrap": 1, "native/vm": 2}


def test_no_command_is_quoted_that_does_harm() -> None:
    """None that will be refused; of a destroy none that types the name for whoever applies it."""
    assert report_on(resource("aws_instance.vm", "delete", {}, None)).apply == ()
    gone = plan(resource("aws_x.y", "delete", {}, None))
    (command,) = report(gone, PlanKind.DESTROY).apply
    assert "--expect-sha256" in command
    assert "--confirm" not in command


def test_the_same_sealed_plan_gives_the_same_report(tmp_path: Path) -> None:
    """Read twice from disk, used or not: the same bytes."""
    sealed_plan = sealed(tmp_path, of=read_plan(encoded(everything(60)))[0])
    first = build_report(sealed_plan).model_dump_json()
    (sealed_plan.path / "consumed.json").write_text("{}")
    assert build_report(sealed_plan).model_dump_json() == first


def test_waivers_of_the_plan(tmp_path: Path) -> None:
    """Those of the plan's own resources, expired by the plan's day; none, or one clear line."""
    day = date(2026, 11, 23)
    assert read_waivers(tmp_path, {"aws_x.y"}, day) == ()
    path = tmp_path / WAIVERS
    path.parent.mkdir()
    one = {"rule": "CKV_AWS_1", "reason": "because", "owner": "ops", "expires": "2026-11-22"}
    path.write_text(json.dumps([{**one, "address": "aws_x.y"}, {**one, "address": "aws_x.z"}]))
    (waived,) = read_waivers(tmp_path, {"aws_x.y"}, day)
    assert (waived.address, waived.expired) == ("aws_x.y", True)
    path.write_text(json.dumps([{"rule": 1}]))
    with pytest.raises(UsageError, match="not a list of waivers"):
        read_waivers(tmp_path, {"aws_x.y"}, day)
