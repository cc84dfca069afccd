"""What the orchestrator VM may do, exactly as documented.

Sources: document sections "S3 Bucket Permissions" and "Additional Essential Permissions".
"""

from __future__ import annotations

from typing import Final

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocumentStatement,
)

# `s3:ListObjectsV2` is an API, not an IAM action: AWS ignores it, and `s3:ListBucket` is what
# permits it. It stays, because the document lists it.
S3_ACTIONS: Final = (
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListObjectsV2",
    "s3:PutObject",
)
ECR_ACTIONS: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:GetRepositoryPolicy",
    "ecr:InitiateLayerUpload",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
BATCH_ACTIONS: Final = (
    "batch:DescribeComputeEnvironments",
    "batch:DescribeJobDefinitions",
    "batch:DescribeJobQueues",
    "batch:DescribeJobs",
    "batch:ListJobs",
    "batch:RegisterJobDefinition",
    "batch:SubmitJob",
    "batch:TerminateJob",
)
DESCRIBE_ACTIONS: Final = (
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceTypes",
    "ecs:DescribeContainerInstances",
    "ecs:DescribeTasks",
)


def data_bucket_access(bucket_arn: str) -> DataAwsIamPolicyDocumentStatement:
    """Read and write one bucket and its objects."""
    return _allow("DataBucket", S3_ACTIONS, [bucket_arn, f"{bucket_arn}/*"])


def image_access() -> DataAwsIamPolicyDocumentStatement:
    """Push and pull container images."""
    return _allow("Images", ECR_ACTIONS, ["*"])


def batch_jobs() -> DataAwsIamPolicyDocumentStatement:
    """Submit and follow Batch jobs."""
    return _allow("BatchJobs", BATCH_ACTIONS, ["*"])


def describe_hosts() -> DataAwsIamPolicyDocumentStatement:
    """Look up the hosts that tasks run on."""
    return _allow("DescribeHosts", DESCRIBE_ACTIONS, ["*"])


def _allow(
    sid: str, actions: tuple[str, ...], resources: list[str]
) -> DataAwsIamPolicyDocumentStatement:
    return DataAwsIamPolicyDocumentStatement(
        sid=sid, effect="Allow", actions=list(actions), resources=resources
    )
