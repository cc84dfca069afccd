"""What the native hardened profile is checked for, which differs from the documented one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.preflight import OPTIONS, all_checks, run_preflight, target_from
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.preflight.target import Hardened, Target
from biomodal_deploy.iam import Place
from biomodal_deploy.iam.needs import needs_of
from biomodal_deploy.iam.stack import Document
from tests.support.preflight_cases import answer, job_queues
from tests.support.project import ROOT
from tests.support.recorded_aws import (
    ACCOUNT,
    NAME,
    REGION,
    SUBNET,
    VPC,
    Recorded,
    RecordedAws,
    Refusal,
    no_such,
    quota,
    role,
    subnet,
)

SNAPSHOT: Final = ROOT / "tests/stacks/__snapshots__/test_hardened/test_native_snapshot.json"
VALUES: Final = {"region": REGION, "vpc_id": VPC, "subnet_id": SUBNET, "vm_name": NAME}
BOUNDARY: Final = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:pager"


@pytest.fixture
def target() -> Target:
    """A hardened native stack with the defaults."""
    return target_from(VALUES, "native", profile="hardened")


def option(target: Target, **values: Any) -> Target:
    """Return a stack with an option set."""
    assert target.hardened
    return replace(target, hardened=replace(target.hardened, **values))


def test_a_healthy_account(aws: RecordedAws, target: Target) -> None:
    """All checks pass but those that honestly cannot: quotas for two environments warn."""
    report = run_preflight(target, aws.session())
    found = {each.check: each for each in report.checks}
    facts = Facts(target, Clients(aws.session(), target.region), frozenset())
    assert [*found] == [each.name for each in all_checks(facts)]
    other = {check: each for check, each in found.items() if each.verdict is not Verdict.PASS}
    assert {*other} == {"caller-policy", "on-demand-vcpus"}
    assert "Batch up to 256: some tasks of the On-Demand queue" in other["on-demand-vcpus"].line


def test_other_stacks_are_not_asked_about_its_options(aws: RecordedAws, target: Target) -> None:
    """They have none: the check is left out, not passed."""
    others = (replace(target, hardened=None), target_from(VALUES, "module", profile="hardened"))
    for other in others:
        found = run_preflight(other, aws.session()).checks
        assert OPTIONS not in {each.check for each in found}


def test_names_are_those_of_the_stack() -> None:
    """Two programs that share no code: the stack's own names, long and prefixed ones too."""
    for name, prefix in (("dev", ""), ("n" * 63, "lab-"), ("n" * 50, "")):
        values = VALUES | {"vm_name": name, "iam_name_prefix": prefix, "ssh_public_key": "x"}
        document = Document.model_validate(json.loads(SNAPSHOT.read_text()))
        needs = needs_of(document, values, Place.of(REGION, ACCOUNT)).items
        target = target_from(values, "native", profile="hardened")

        def made(action: str, needs: Any = needs) -> set[str]:
            found = [arn for each in needs if each.action == action for arn in each.resources]
            return {arn.rpartition("/")[2] for arn in found}

        assert made("iam:CreateRole") == set(target.roles)
        assert made("iam:CreateInstanceProfile") == set(target.roles)
        assert made("batch:DeleteJobQueue") == set(target.job_queues)


def test_no_shared_role_is_needed(aws: RecordedAws, target: Target) -> None:
    """The hosts' role is the stack's own: a missing ecsInstanceRole is no matter."""
    aws.answers["iam.GetInstanceProfile"] = no_such("NoSuchEntity")
    assert answer(aws, target, "ecs-instance-role").verdict is Verdict.PASS
    assert answer(aws, target, "tasks-bucket").verdict is Verdict.PASS


def test_a_key_pair_only_where_there_is_ssh(aws: RecordedAws, target: Target) -> None:
    """A key pair of that name is in nobody's way while the stack makes none."""
    aws.answers["ec2.DescribeKeyPairs"] = {"KeyPairs": [{}]}
    assert "Session Manager" in answer(aws, target, "key-pair").line
    assert answer(aws, option(target, ssh_key=True), "key-pair").verdict is Verdict.FAIL


@pytest.mark.parametrize("suffix", ["", "-batch-host"])
def test_each_role_has_to_be_free(aws: RecordedAws, target: Target, suffix: str) -> None:
    """The VM's and the hosts'."""
    taken = f"{NAME}{suffix}"
    aws.answers["iam.GetRole"] = lambda asked: (
        {"Role": role(taken)} if asked["RoleName"] == taken else no_such("NoSuchEntity")
    )
    found = answer(aws, target, "role")
    assert (found.verdict, taken in found.line) == (Verdict.FAIL, True)
    assert answer(aws, target, "role", f"aws_iam_role:{taken}").verdict is Verdict.PASS


def test_each_queue_has_to_be_free(aws: RecordedAws, target: Target) -> None:
    """The On-Demand one too; environments get names that AWS completes."""
    aws.answers["batch.DescribeJobQueues"] = lambda asked: job_queues(
        *(name for name in asked["jobQueues"] if name.endswith("-on-demand"))
    )
    found = answer(aws, target, "job-queue")
    assert (found.verdict, "-job-queue-on-demand exists" in found.line) == (Verdict.FAIL, True)
    assert "AWS completes" in answer(aws, target, "compute-environment").line
    assert "batch.DescribeComputeEnvironments" not in aws.calls


def test_it_makes_two_queues(aws: RecordedAws, target: Target) -> None:
    """One place that is left is one too few."""
    aws.answers["batch.DescribeJobQueues"] = job_queues(*map(str, range(49)))
    found = answer(aws, target, "batch-queues")
    assert (found.verdict, "the stack makes 2" in found.line) == (Verdict.FAIL, True)
    documented = replace(target, hardened=None)
    assert answer(aws, documented, "batch-queues").verdict is Verdict.PASS


def test_quotas_follow_the_variable(aws: RecordedAws, target: Target) -> None:
    """`batch_max_vcpus` is what Batch asks for, of Spot and of On-Demand."""
    small = option(target, batch_max_vcpus=16)
    assert answer(aws, small, "on-demand-vcpus").verdict is Verdict.PASS
    all_of_it = option(target, batch_max_vcpus=30)
    assert answer(aws, all_of_it, "on-demand-vcpus").verdict is Verdict.PASS
    assert "up to 16" in answer(aws, small, "spot-vcpus").line
    large = option(target, batch_max_vcpus=1024)
    assert answer(aws, large, "spot-vcpus").verdict is Verdict.WARNING


def test_a_vm_that_runs_or_is_of_another_family_leaves_batch_its_quota(
    aws: RecordedAws, target: Target
) -> None:
    """One that the stack has takes nothing more, and Batch still does; a GPU has its own quota."""
    found = answer(aws, target, "on-demand-vcpus", "aws_instance:i-1")
    assert found.verdict is Verdict.WARNING
    assert "the VM takes 0, Batch up to 256" in found.line
    assert "--desired-value 256" in (found.fix or "")
    aws.answers["service-quotas.GetServiceQuota"] = quota({"L-DB2E81BA": 8})
    found = answer(aws, replace(target, instance_type="g5.xlarge"), "on-demand-vcpus")
    assert (found.verdict, "Batch" in found.line) == (Verdict.PASS, False)


def test_hosts_in_other_subnets_are_not_passed(aws: RecordedAws, target: Target) -> None:
    """Only the VM's subnet is looked at, and the line says so."""
    other = option(target, batch_subnet_ids=("subnet-0b", "subnet-0c"))
    for check in ("hosts-aws", "s3-endpoint"):
        found = answer(aws, other, check)
        assert (found.verdict, "doctor --var" in (found.fix or "")) == (Verdict.UNKNOWN, True)
    same = option(target, batch_subnet_ids=(SUBNET,))
    assert answer(aws, same, "hosts-aws").verdict is Verdict.PASS


def test_an_image_of_ones_own(aws: RecordedAws, target: Target) -> None:
    """It is looked for by its id, and Ubuntu's is not."""
    own = option(target, ami_id="ami-0123456789abcdef0")
    aws.answers["ec2.DescribeImages"] = lambda asked: (
        {"Images": [{"ImageId": asked["ImageIds"][0], "Name": "ours"}]}
    )
    assert "ami-0123456789abcdef0 (ours)" in answer(aws, own, "image").line
    aws.answers["ec2.DescribeImages"] = Refusal("InvalidAMIID.NotFound")
    found = answer(aws, own, "image")
    assert (found.verdict, found.fix) == (Verdict.FAIL, "correct ami_id")


BOUNDED: Final = {"permissions_boundary_arn": BOUNDARY}
LOGGED: Final = {"access_log_bucket": "logs"}
ALARMED: Final = {**BOUNDED, "alarm_topic_arn": TOPIC}
SUBNETS: Final = {"batch_subnet_ids": (SUBNET, "subnet-0b")}
ELSEWHERE: Final = {"batch_subnet_ids": ("subnet-0b",)}
POLICY, HEAD, DESCRIBE = "iam.GetPolicy", "s3.HeadBucket", "ec2.DescribeSubnets"
NO_POLICY: Final = no_such("NoSuchEntity")
NO_SUBNET: Final = Refusal("InvalidSubnetID.NotFound")
OTHERS: Final = subnet(SubnetId="subnet-0b", VpcId="vpc-other")
PASS, FAIL, UNKNOWN = Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("given", "operation", "recorded", "verdict", "line"),
    [
        ({}, "", {}, PASS, "none names anything"),
        (BOUNDED, POLICY, {"Policy": {}}, PASS, "boundary is there"),
        (BOUNDED, POLICY, NO_POLICY, FAIL, f"no policy {BOUNDARY}"),
        (LOGGED, HEAD, Refusal("404", "", 404), FAIL, "no bucket logs"),
        (LOGGED, HEAD, Refusal("403", "", 403), UNKNOWN, "may not s3:ListBucket on logs"),
        (LOGGED, HEAD, {"BucketRegion": "sa-east-1"}, FAIL, "logs is in sa-east-1"),
        ({"access_log_bucket": NAME}, "", {}, FAIL, "is the data bucket itself"),
        (SUBNETS, DESCRIBE, NO_SUBNET, FAIL, "not all of"),
        (ELSEWHERE, DESCRIBE, OTHERS, FAIL, f"subnet-0b: not in {VPC}"),
        (ALARMED, POLICY, {"Policy": {}}, UNKNOWN, "is not asked"),
        (ALARMED, POLICY, NO_POLICY, FAIL, "there is no policy"),
    ],
)
def test_what_the_options_name(
    aws: RecordedAws,
    target: Target,
    given: dict[str, Any],
    operation: str,
    recorded: Recorded,
    verdict: Verdict,
    line: str,
) -> None:
    """What nothing makes has to be there; the gravest answer is the one that is given."""
    aws.answers[operation] = recorded
    found = answer(aws, option(target, **given), OPTIONS)
    assert (found.verdict, line in found.line) == (verdict, True), found


def test_its_values_are_read() -> None:
    """From the variables, as Terraform will have them."""
    values = VALUES | {"ssh_cidr_blocks": ["192.0.2.0/24"], "batch_max_vcpus": 8}
    target = target_from(values, "native", profile="hardened")
    assert target.hardened == Hardened(ssh_key=True, batch_max_vcpus=8)
