"""What the hardened native profile's options name, and nothing in the stack makes."""

from __future__ import annotations

import shlex
from functools import partial
from typing import Final

from biomodal_deploy.aws.buckets import head_bucket
from biomodal_deploy.aws.checks import Finding, Verdict, failed, passed, unknown
from biomodal_deploy.aws.errors import or_none
from biomodal_deploy.aws.preflight.facts import Facts


def options(facts: Facts) -> Finding:
    """Whether the boundary, the log bucket and the hosts' subnets that are named are there."""
    named = facts.target.hardened
    if named is None:
        return passed("the profile has no such options")
    answers = [
        *([_boundary(facts, arn)] if (arn := named.permissions_boundary_arn) else []),
        *([_log_bucket(facts, name)] if (name := named.access_log_bucket) else []),
        *([_subnets(facts, ids)] if (ids := named.batch_subnet_ids) else []),
        *([_topic(arn)] if (arn := named.alarm_topic_arn) else []),
    ]
    worst = sorted(answers, key=lambda each: [*_GRAVEST, each.verdict].index(each.verdict))
    if not worst:
        return passed("none names anything")
    if worst[0].verdict is Verdict.PASS:
        return passed(", ".join(each.line for each in answers))
    return worst[0]


_GRAVEST: Final = (Verdict.FAIL, Verdict.WARNING, Verdict.UNKNOWN)


def _boundary(facts: Facts, arn: str) -> Finding:
    if not or_none(lambda: facts.clients.iam().get_policy(PolicyArn=arn), "NoSuchEntity"):
        return failed(f"there is no policy {arn}", "correct permissions_boundary_arn")
    return passed("the permissions boundary is there")


def _log_bucket(facts: Facts, name: str) -> Finding:
    if name == facts.target.new_bucket:
        return failed(
            f"{name} is the data bucket itself: each log that S3 writes there is logged again",
            "name another bucket as access_log_bucket",
        )
    code, elsewhere = head_bucket(facts.clients, name)
    if code == "404":
        return failed(f"there is no bucket {name}", "correct access_log_bucket")
    if code == "403":
        return unknown(
            f"the caller may not s3:ListBucket on {name}, the bucket for access logs",
            "ask its owner whether it is there, and takes logs from this account",
        )
    region = facts.target.region
    if elsewhere != region:
        return failed(
            f"the bucket {name} is in {elsewhere}, and S3 writes logs in {region} only",
            f"name a bucket in {region} as access_log_bucket",
        )
    return passed("the bucket for access logs is there")


def _subnets(facts: Facts, ids: tuple[str, ...]) -> Finding:
    ask = partial(facts.clients.ec2().describe_subnets, SubnetIds=list(ids))
    if (said := or_none(ask, "NotFound")) is None:
        return failed(f"not all of {', '.join(ids)} are there", "correct batch_subnet_ids")
    vpc = facts.target.vpc_id
    if elsewhere := [each["SubnetId"] for each in said["Subnets"] if each["VpcId"] != vpc]:
        return failed(f"{', '.join(elsewhere)}: not in {vpc}", "correct batch_subnet_ids")
    return passed("the hosts' subnets are there")


def _topic(arn: str) -> Finding:
    return unknown(
        "whether the alarm's topic is there is not asked",
        shlex.join(["aws", "sns", "get-topic-attributes", "--topic-arn", arn]),
    )
