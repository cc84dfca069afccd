"""The role of the orchestrator VM, not of the Batch hosts nor of the tasks on them.

Sources: document sections "S3 Bucket Permissions" and "Additional Essential Permissions".
"""

from __future__ import annotations

from typing import Final

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocumentStatement
from constructs import Construct

from biomodal_aws.iam.instance_role import InstanceRole
from biomodal_aws.iam.statements import allow, use_keys

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


class VmRole(InstanceRole):
    """The documented role (document section "IAM Roles and Instance Profile").

    Args:
        name: Name of the role, of its policy and of its instance profile.
        bucket_arn: The data bucket, made by the stack or existing before it.
        bucket_key: The KMS key that an existing data bucket is encrypted with, or None.

    Attributes:
        policy: The inline policy, for `depends_on`.
        instance_profile_name: The instance profile that hands the role to the VM.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        bucket_arn: str,
        bucket_key: str | None = None,
    ) -> None:
        statements = [*vm_may(bucket_arn), *use_keys([bucket_key], "s3")]
        super().__init__(scope, id_, name=name, statements=statements)
