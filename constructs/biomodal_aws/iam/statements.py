"""Statements of policies: what is allowed, with which keys, and who may assume a role."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)

from biomodal_aws.part import Part
from biomodal_deploy.config.contract.aws import through


def allow(sid: str, actions: Iterable[str], *resources: str) -> DataAwsIamPolicyDocumentStatement:
    """Return a statement that allows actions on resources."""
    return DataAwsIamPolicyDocumentStatement(
        sid=sid, effect="Allow", actions=list(actions), resources=list(resources)
    )


# S3 user guide, "Using server-side encryption with AWS KMS keys": a read decrypts the data key, a
# write takes a new one, and an upload in parts does both.
_USE: Final = ("kms:Decrypt", "kms:GenerateDataKey")


def use_keys(keys: Sequence[str | None], *services: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """Read and write what services encrypt with keys; nothing where no key is given.

    Args:
        keys: ARNs of keys; None for one that there is not.
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


def trusts_ec2(part: Part) -> str:
    """Let EC2 assume a role, and return the trust policy's JSON.

    The policy is a data source, so that a plan shows it as statements a reviewer can read.

    Args:
        part: The construct that makes the role.
    """
    document = DataAwsIamPolicyDocument(
        part,
        "trust",
        statement=[
            DataAwsIamPolicyDocumentStatement(
                effect="Allow",
                actions=["sts:AssumeRole"],
                principals=[
                    # This service principal is the same in every partition.
                    DataAwsIamPolicyDocumentStatementPrincipals(
                        type="Service", identifiers=["ec2.amazonaws.com"]
                    )
                ],
            )
        ],
    )
    return part.named(document, "trust").json
