"""KMS keys that somebody else chose."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pytest

from biomodal_deploy.aws.checks import Verdict
from biomodal_deploy.aws.preflight.target import Hardened, Target
from tests.support.aws_command import commands_in
from tests.support.preflight_cases import answer
from tests.support.recorded_aws import (
    ACCOUNT,
    REGION,
    Given,
    Parameters,
    RecordedAws,
    Refusal,
    default_encryption,
    verdicts,
)

KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER: Final = KEY.replace("1111", "9999")
ROLE: Final = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/"
    "AWSServiceRoleForAutoScaling"
)


@pytest.fixture
def existing(target: Target) -> Target:
    """The stack with a bucket that exists."""
    return replace(target, use_existing_bucket_url="s3://lab-data")


@pytest.mark.parametrize(
    "said",
    [
        default_encryption("AES256"),
        default_encryption(),
        default_encryption(key="alias/aws/s3"),
        Refusal("ServerSideEncryptionConfigurationNotFoundError", status=404),
    ],
)
def test_a_bucket_with_keys_of_aws(aws: RecordedAws, existing: Target, said: Any) -> None:
    """Whoever may read the bucket may use them."""
    aws.answers["s3.GetBucketEncryption"] = said
    assert answer(aws, existing, "bucket-key").verdict is Verdict.PASS


@pytest.mark.parametrize("named", [None, OTHER])
def test_a_bucket_s_key_that_the_stack_does_not_know(
    aws: RecordedAws, existing: Target, named: str | None
) -> None:
    """The VM could neither read nor write; the setting that gives it the key is named."""
    aws.answers["s3.GetBucketEncryption"] = default_encryption(key=KEY)
    found = answer(aws, replace(existing, bucket_key=named), "bucket-key")
    assert found.verdict is Verdict.FAIL
    assert f'"bucket_kms_key_arn": "{KEY}"' in (found.fix or "")
    assert answer(aws, replace(existing, bucket_key=KEY), "bucket-key").verdict is Verdict.PASS


def test_a_bucket_s_key_by_its_alias(aws: RecordedAws, existing: Target) -> None:
    """KMS says which key it is."""
    aws.answers["s3.GetBucketEncryption"] = default_encryption(key="alias/lab")
    aws.answers["kms.DescribeKey"] = key()
    assert answer(aws, replace(existing, bucket_key=KEY), "bucket-key").verdict is Verdict.PASS


def test_a_bucket_whose_encryption_nobody_may_read(aws: RecordedAws, existing: Target) -> None:
    """Never a pass."""
    aws.answers["s3.GetBucketEncryption"] = Refusal("AccessDenied", status=403)
    assert answer(aws, existing, "bucket-key").verdict is Verdict.UNKNOWN


def key(manager: str = "CUSTOMER", state: str = "Enabled") -> Given:
    """Return a key as KMS describes it."""
    about = {"KeyId": KEY.rpartition("/")[2], "Arn": KEY, "KeyManager": manager, "KeyState": state}
    return {"KeyMetadata": about}


def customers_key(aws: RecordedAws, *, by_default: bool = True) -> None:
    """Make a customer's key the account's default for EBS, and let its account decide over it."""
    aws.answers |= {
        "ec2.GetEbsDefaultKmsKeyId": {"KmsKeyId": KEY},
        "ec2.GetEbsEncryptionByDefault": {"EbsEncryptionByDefault": by_default},
        "kms.DescribeKey": key(),
        "kms.ListGrants": {"Grants": []},
        "kms.GetKeyPolicy": policy(f"arn:aws:iam::{ACCOUNT}:root"),
    }


def policy(principal: str) -> Given:
    """Return a key's policy that lets a principal do everything with it."""
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*"}
    return {"Policy": json.dumps({"Statement": [statement]})}


@pytest.mark.parametrize("profile", [None, Hardened()])
def test_no_host_starts_with_a_key_that_auto_scaling_may_not_use(
    aws: RecordedAws, target: Target, profile: Hardened | None
) -> None:
    """Nobody can add to its role's policy, so what the account may decide does not help."""
    customers_key(aws)
    found = answer(aws, replace(target, hardened=profile), "volume-key")
    assert found.verdict is Verdict.FAIL
    assert "AWSServiceRoleForAutoScaling" in found.line
    (command,) = commands_in(found.fix or "")
    assert "create-grant" in (found.fix or "")
    assert ROLE in (found.fix or ""), command


@pytest.mark.parametrize(
    "changes",
    [
        {"kms.ListGrants": {"Grants": [{"KeyId": KEY, "GranteePrincipal": ROLE}]}},
        {"kms.GetKeyPolicy": policy(ROLE)},
        {"kms.DescribeKey": key("AWS")},
    ],
    ids=["grant", "policy", "aws"],
)
def test_a_key_that_auto_scaling_may_use(
    aws: RecordedAws, target: Target, changes: dict[str, Any]
) -> None:
    """By a grant, by the key's policy, or because it is AWS's own."""
    customers_key(aws)
    aws.answers |= changes
    assert answer(aws, target, "volume-key").verdict is Verdict.PASS


def test_hosts_that_are_not_encrypted(aws: RecordedAws, target: Target) -> None:
    """The documented profile's hosts need no key where the account encrypts nothing by default."""
    customers_key(aws, by_default=False)
    assert answer(aws, target, "volume-key").verdict is Verdict.PASS


def test_a_deployer_who_may_not_use_the_key(aws: RecordedAws, target: Target) -> None:
    """What the policy lacks is named, asked for as EC2 asks KMS."""
    customers_key(aws, by_default=False)
    asked: list[Parameters] = []

    def simulate(given: Parameters) -> Given:
        asked.append(given)
        return verdicts(kms_CreateGrant="implicitDeny")(given)

    aws.answers["iam.SimulatePrincipalPolicy"] = simulate
    found = answer(aws, target, "volume-key")
    assert found.verdict is Verdict.WARNING
    assert "policies lack kms:CreateGrant:" in found.line
    [question] = asked
    context = {
        each["ContextKeyName"]: each["ContextKeyValues"] for each in question["ContextEntries"]
    }
    assert context["kms:ViaService"] == [f"ec2.{REGION}.amazonaws.com"]
    assert question["ResourceArns"] == [KEY]


def test_a_key_that_is_disabled(aws: RecordedAws, target: Target) -> None:
    """EC2 starts a VM and terminates it at once."""
    customers_key(aws)
    aws.answers["kms.DescribeKey"] = key(state="Disabled")
    found = answer(aws, target, "volume-key")
    assert (found.verdict, len(commands_in(found.fix or ""))) == (Verdict.FAIL, 1)


def test_the_stack_s_own_key_is_asked_about_first(aws: RecordedAws, target: Target) -> None:
    """`kms_key_arn` leaves the account's default aside."""
    customers_key(aws)
    aws.answers["ec2.GetEbsDefaultKmsKeyId"] = {"KmsKeyId": "alias/aws/ebs"}
    found = answer(aws, replace(target, kms_key=KEY, hardened=Hardened()), "volume-key")
    assert found.verdict is Verdict.FAIL
    assert "kms_key_arn" in found.line
