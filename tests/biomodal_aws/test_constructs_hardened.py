"""The constructs of the hardened profile, used as others use them: in a stack of their own."""

from __future__ import annotations

from typing import Any, Final

import pytest
from cdktf import TerraformStack
from constructs import Construct

import biomodal_aws
from biomodal_aws import Part, hardened
from biomodal_aws.hardened import Alarms, BatchEnvironments, InstanceRole, TaskLogs
from biomodal_aws.hardened import permissions as may
from biomodal_aws.hardened.bucket_lifecycle import bucket_lifecycle
from tests.support.constructs import assert_one_signature, synthesized

PUBLIC: Final = [getattr(hardened, name) for name in hardened.__all__]
PLACE: Final = may.Place(partition="aws", region="eu-west-2", account="123456789012")


@pytest.fixture(autouse=True)
def _apps_write_into(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app makes its output folder when it is built, here in a temporary place."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("construct", PUBLIC, ids=lambda each: each.__name__)
def test_every_construct_has_one_signature(construct: type[Construct]) -> None:
    """`scope, id_` first and keywords after them, and a docstring for each argument."""
    assert issubclass(construct, Part)
    assert_one_signature(construct)


def test_they_are_apart_from_the_others() -> None:
    """A stack that does not use them does not pay for their bindings."""
    assert not set(hardened.__all__) & set(biomodal_aws.__all__)


def test_a_role_without_a_boundary() -> None:
    """None leaves the argument out; the policies are what an environment depends on."""
    made: list[InstanceRole] = []

    def build(stack: TerraformStack) -> None:
        made.append(
            InstanceRole(
                stack,
                "role",
                name="x",
                statements=may.data_bucket("arn:aws:s3:::b"),
                managed_policies={"ecs": "arn:aws:iam::aws:policy/X"},
            )
        )

    found = synthesized(build)
    assert "permissions_boundary" not in found["aws_iam_role"]["role"]
    assert set(found["aws_iam_role_policy_attachment"]) == {"role_ecs"}
    assert len(made[0].permissions) == 2


def test_jobs_are_limited_to_the_queues() -> None:
    """Batch asks for queue and definition, and only these are given."""
    submit, *_ = may.batch_jobs(PLACE, ["arn:queue"])
    assert submit.actions == ["batch:SubmitJob"]
    assert submit.resources == [
        "arn:queue",
        "arn:aws:batch:eu-west-2:123456789012:job-definition/*",
    ]


def test_lifecycle_rules_know_never() -> None:
    """S3 takes no 0 days: the rule is disabled instead."""
    work, former, uploads = bucket_lifecycle(work_days="var.a", noncurrent_days="var.b")
    assert work.status == '${var.a > 0 ? "Enabled" : "Disabled"}'
    assert former.status == '${var.b > 0 ? "Enabled" : "Disabled"}'
    assert uploads.status == "Enabled"


def test_what_is_optional_is_counted() -> None:
    """Logs, alarm and budget are made where their variable says so."""

    def build(stack: TerraformStack) -> None:
        TaskLogs(stack, "logs", name="/x", retention_days="var.days")
        Alarms(
            stack,
            "watch",
            name="x",
            instance_id="i-1",
            topic_arn="var.topic",
            budget_usd="var.usd",
            email="var.email",
            tag=("var.key", "var.value"),
        )

    found = synthesized(build)
    assert found["aws_cloudwatch_log_group"]["logs"]["count"] == "${var.days > 0 ? 1 : 0}"
    assert found["aws_cloudwatch_metric_alarm"]["watch"]["count"] == '${var.topic != "" ? 1 : 0}'
    assert found["aws_budgets_budget"]["watch"]["count"] == "${var.usd > 0 ? 1 : 0}"
    values = found["aws_budgets_budget"]["watch"]["cost_filter"][0]["values"]
    assert values == ['${format("user:%s$%s", var.key, var.value)}']


def test_spot_updates_in_place() -> None:
    """The provider updates these strategies only; another fails the apply of a new template."""

    def build(stack: TerraformStack) -> None:
        BatchEnvironments(
            stack,
            "batch",
            name="x",
            subnets=["subnet-1"],
            security_group_ids=["sg-1"],
            instance_profile_arn="arn",
            instance_types=["optimal"],
            max_vcpus=16,
            volume_gib=50,
            user_data_base64="TUlNRQ==",
            host_tags={"a": "b"},
        )

    found = synthesized(build)
    strategies = {
        name: each["compute_resources"]["allocation_strategy"]
        for name, each in found["aws_batch_compute_environment"].items()
    }
    assert strategies == {
        "batch": "SPOT_CAPACITY_OPTIMIZED",
        "batch_on_demand": "BEST_FIT_PROGRESSIVE",
    }
    kinds = {
        each["resource_type"]
        for each in found["aws_launch_template"]["batch"]["tag_specifications"]
    }
    assert kinds == {"instance", "volume", "network-interface"}
