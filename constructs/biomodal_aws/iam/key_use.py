"""The use of KMS keys by a role, through the services that encrypt for it and in no other way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
)

from biomodal_deploy.config.contract.aws import through

# S3 user guide, "Using server-side encryption with AWS KMS keys": a read decrypts the data key, a
# write takes a new one, and an upload in parts does both.
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")


def use_keys(keys: Sequence[str | None], *services: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """Read and write what services encrypt with keys; nothing where no key is given.

    Args:
        keys: ARNs of keys; None for one that there is not.
        services: The services, such as `s3`.
    """
    given = list(dict.fromkeys(key for key in keys if key))
    if not given:
        return []
    via = dict.fromkeys(name for key in given for name in through(key, *services))
    return [
        DataAwsIamPolicyDocumentStatement(
            sid="UseKeys",
            effect="Allow",
            actions=list(_USE),
            resources=given,
            condition=[
                DataAwsIamPolicyDocumentStatementCondition(
                    test="StringEquals", variable="kms:ViaService", values=list(via)
                )
            ],
        )
    ]
