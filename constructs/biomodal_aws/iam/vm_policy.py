"""What the orchestrator VM may do, exactly as documented.

Sources: document sections "S3 Bucket Permissions" and "Additional Essential Permissions".
"""

from __future__ import annotations

from typing import Final

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocumentStatement,
)

from biomodal_aws.iam.allow import allow

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


def vm_may(bucket_arn: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """Return what the VM may do: with its bucket, with images, with Batch jobs and their hosts."""
    return [
        allow("DataBucket", S3_ACTIONS, bucket_arn, f"{bucket_arn}/*"),
        allow("Images", ECR_ACTIONS, "*"),
        allow("BatchJobs", BATCH_ACTIONS, "*"),
        allow("DescribeHosts", DESCRIBE_ACTIONS, "*"),
    ]
