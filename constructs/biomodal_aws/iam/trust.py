"""Who may assume a role."""

from __future__ import annotations

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementPrincipals,
)

from biomodal_aws.part import Part


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
