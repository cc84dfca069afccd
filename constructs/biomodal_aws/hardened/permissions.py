"""What the VM and the Batch hosts may do: each action on the resource that it is needed for.

Sources: Nextflow documentation, "AWS Cloud" (required permissions); Service Authorization
Reference for which action takes which resource. Actions on `*` take no resource at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import DataAwsIamPolicyDocumentStatement

from biomodal_aws.iam.statements import allow

_OBJECTS: Final = (
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
    "s3:PutObjectTagging",
)
_BUCKET: Final = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
_PULL: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
)
_PUSH: Final = (
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:GetRepositoryPolicy",
    "ecr:InitiateLayerUpload",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
_LOOK: Final = (
    "batch:DescribeComputeEnvironments",
    "batch:DescribeJobDefinitions",
    "batch:DescribeJobQueues",
    "batch:DescribeJobs",
    "batch:ListJobs",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ecr:GetAuthorizationToken",
)
# Where Batch puts the logs of a job whose definition names no other group.
_BATCH_LOGS: Final = "/aws/batch/job"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where resources are, as references.

    Attributes:
        partition: The account's partition.
        account: The account's number.
    """

    partition: str
    region: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def data_bucket(bucket_arn: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """Read and write the objects of one bucket, tags and multipart uploads included."""
    return [
        allow("DataBucket", _BUCKET, bucket_arn),
        allow("DataBucketObjects", _OBJECTS, f"{bucket_arn}/*"),
    ]


def pull_images(repository_arn: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """Pull the images of one repository."""
    return [allow("PullImages", _PULL, repository_arn)]


def push_images(repository_arn: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """Push and pull images, and make more repositories under the first one's name."""
    below = f"{repository_arn}/*"
    return [
        allow("Images", sorted(_PULL + _PUSH), repository_arn, below),
        # The document promises that "additional repositories can be created".
        allow("MoreRepositories", ("ecr:CreateRepository", "ecr:TagResource"), below),
    ]


def batch_jobs(place: Place, queue_arns: list[str]) -> list[DataAwsIamPolicyDocumentStatement]:
    """Register job definitions, submit to the given queues, and end jobs."""
    definitions = place.arn("batch", "job-definition/*")
    jobs = place.arn("batch", "job/*")
    return [
        # Batch asks for both, and a queue is what limits where jobs can go.
        allow("SubmitJobs", ("batch:SubmitJob",), *queue_arns, definitions),
        allow("JobDefinitions", ("batch:RegisterJobDefinition",), definitions),
        allow("EndJobs", ("batch:CancelJob", "batch:TerminateJob"), jobs),
        # Nextflow tags what it registers and submits; without this it cannot submit at all.
        allow("TagJobs", ("batch:TagResource",), definitions, jobs),
    ]


def follow_tasks(place: Place, log_group: str) -> list[DataAwsIamPolicyDocumentStatement]:
    """See tasks, their hosts and their logs, and get a token for the registry."""
    groups = (_BATCH_LOGS, log_group)
    return [
        allow("Look", _LOOK, "*"),
        allow(
            "TaskHosts",
            (
                "ec2:DescribeInstanceAttribute",
                "ecs:DescribeContainerInstances",
                "ecs:DescribeTasks",
            ),
            place.arn("ec2", "instance/*"),
            place.arn("ecs", "container-instance/*"),
            place.arn("ecs", "task/*"),
        ),
        # Without it a failed task shows AccessDenied where its own error would stand.
        allow(
            "TaskLogs",
            ("logs:GetLogEvents",),
            *(place.arn("logs", f"log-group:{group}:log-stream:*") for group in groups),
        ),
    ]
