"""A statement that allows actions on resources."""

from __future__ import annotations

from collections.abc import Iterable

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocumentStatement,
)


def allow(sid: str, actions: Iterable[str], *resources: str) -> DataAwsIamPolicyDocumentStatement:
    """Return a statement that allows actions on resources."""
    return DataAwsIamPolicyDocumentStatement(
        sid=sid, effect="Allow", actions=list(actions), resources=list(resources)
    )
