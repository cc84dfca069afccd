"""KMS keys that somebody else chose: the existing bucket's, and the one that EBS volumes get.

Sources: Amazon S3 user guide, "Using server-side encryption with AWS KMS keys (SSE-KMS)"; Amazon
EBS user guide, "Requirements for Amazon EBS encryption"; EC2 Auto Scaling user guide, "Required AWS
KMS key policy for use with encrypted volumes"; EC2 API reference, GetEbsDefaultKmsKeyId.
"""

from __future__ import annotations

import json
from typing import Final

from botocore.exceptions import ClientError

from biomodal_deploy.aws.checks import Finding, Unavailable, failed, passed, warned
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.preflight.caller import ActionGroup, denied_to_caller
from biomodal_deploy.aws.preflight.facts import Facts
from biomodal_deploy.aws.state_writes import default_encryption
from biomodal_deploy.config.contract.aws import through

# A key of AWS's own: every principal of the account may use it through its service.
_OF_AWS: Final = "alias/aws/"
_AUTO_SCALING: Final = "AWSServiceRoleForAutoScaling"
_DEPLOYER_NEEDS: Final = (
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
_HOSTS_NEED: Final = (
    "Encrypt",
    "Decrypt",
    "ReEncryptFrom",
    "ReEncryptTo",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "DescribeKey",
    "CreateGrant",
)


def bucket_key(facts: Facts) -> Finding:
    """Whether the stack gives its roles the key that the existing bucket encrypts with."""
    name, named = facts.target.existing_bucket, facts.target.bucket_key
    if name is None:
        raise Unavailable("the stack makes its own bucket")
    key = _bucket_default(facts, name)
    if key is None:
        return passed(f"{name} encrypts with keys of AWS's own")
    if key == named:
        return passed(f"{name} encrypts with {key}, and the stack's roles may use it")
    instead = f", and bucket_kms_key_arn is {named}" if named else ""
    return failed(
        f"{name} encrypts with {key}{instead}: the VM would get 403 for each object",
        f'set "bucket_kms_key_arn": "{key}" for the stack in cdktf.json; the key\'s policy has to '
        "let this account's roles use it",
    )


def volume_key(facts: Facts) -> Finding:
    """Whether deployer and Batch hosts may use the key that new EBS volumes are encrypted with."""
    chosen = facts.target.kms_key
    key = chosen or facts.clients.ec2().get_ebs_default_kms_key_id()["KmsKeyId"]
    if _OF_AWS in key:
        return passed("volumes are encrypted with AWS's own key aws/ebs")
    about = facts.clients.kms().describe_key(KeyId=key)["KeyMetadata"]
    if about["KeyManager"] == "AWS":
        return passed("volumes are encrypted with AWS's own key aws/ebs")
    why = "kms_key_arn" if chosen else "the account's default for EBS"
    if about["KeyState"] != "Enabled":
        return failed(
            f"{key} ({why}) is {about['KeyState']}: EC2 terminates what it starts",
            facts.command("kms", "enable-key", "--key-id", key),
        )
    if _hosts_are_encrypted(facts) and not _auto_scaling_may_use(facts, key):
        return failed(
            f"{_AUTO_SCALING} may not use {key} ({why}): no Batch host starts",
            facts.command(
                *("kms", "create-grant", "--key-id", key),
                *("--grantee-principal", _role(facts), "--operations", *_HOSTS_NEED),
            ),
        )
    group = ActionGroup(
        actions=_DEPLOYER_NEEDS,
        resources=(key,),
        context={"kms:ViaService": through(key, "ec2"), "kms:GrantIsForAWSResource": ("true",)},
    )
    if denied := denied_to_caller(facts, group):
        return warned(
            f"volumes are encrypted with {key} ({why}), and your policies lack "
            f"{', '.join(denied)}: the VM starts and is terminated, unless the key's own policy "
            "allows them to you",
            f"allow {', '.join(_DEPLOYER_NEEDS)} on {key} to who applies",
        )
    return passed(f"volumes are encrypted with {key} ({why}), which you and the hosts may use")


def _bucket_default(facts: Facts, bucket: str) -> str | None:
    """Return the ARN of the customer's key that a bucket encrypts with, or None."""
    try:
        default = default_encryption(facts.clients, bucket)
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            raise Unavailable(f"there is no bucket {bucket}") from None
        raise
    key = default.key if default else None
    if key is None or _OF_AWS in key:
        return None
    if ":key/" in key:
        return key
    # An id or an alias: S3 takes it for one of the account that asks.
    arn: str = facts.clients.kms().describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    return arn


def _hosts_are_encrypted(facts: Facts) -> bool:
    """Return whether the hosts' volumes are: by the profile, or by the account's default."""
    if facts.target.hardened:
        return True
    return facts.clients.ec2().get_ebs_encryption_by_default()["EbsEncryptionByDefault"]


def _role(facts: Facts) -> str:
    return facts.arn("iam", f"role/aws-service-role/autoscaling.amazonaws.com/{_AUTO_SCALING}")


def _auto_scaling_may_use(facts: Facts, key: str) -> bool:
    """Return whether a grant, or the key's policy by its name, lets the hosts' launcher use a key.

    That the policy lets the account's IAM policies decide helps it nothing: nobody can add to the
    policy of a service-linked role.
    """
    kms, role = facts.clients.kms(), _role(facts)
    if kms.list_grants(KeyId=key, GranteePrincipal=role)["Grants"]:
        return True
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    return any(
        each["Effect"] == "Allow" and role in json.dumps(each.get("Principal"))
        for each in policy["Statement"]
    )
