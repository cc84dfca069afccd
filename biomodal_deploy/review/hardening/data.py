"""What becomes of data and of container images."""

from __future__ import annotations

from typing import Final

from biomodal_deploy.review.hardening.difference import Difference

_OF_THE_MODULE: Final = "the module's bucket stays as it is: its inputs have nothing for it"

DATA: Final = (
    Difference(
        id="bucket-encryption",
        area="Data",
        title="Default encryption, stated",
        documented="What S3 does by itself today.",
        hardened="AES-256 with S3's own keys, in the configuration.",
        risk="A bucket whose default somebody changed shows in no plan.",
        reason="Not a KMS key: other accounts could not read what you share with them, and each "
        "request costs. An existing bucket is never changed.",
        back='"profile": "documented"',
        module=_OF_THE_MODULE,
        addresses=("aws_s3_bucket_server_side_encryption_configuration.data_bucket_protection",),
    ),
    Difference(
        id="bucket-tls",
        area="Data",
        title="TLS only",
        documented="The bucket answers plain HTTP too.",
        hardened="A bucket policy refuses every request without TLS.",
        risk="Sample data and signed requests can be read on the way.",
        reason="The aws command, Nextflow and the SDKs use TLS anyway.",
        back='"profile": "documented"',
        module=_OF_THE_MODULE,
        addresses=(
            "aws_s3_bucket_policy.data_bucket_protection",
            "data.aws_iam_policy_document.data_bucket_protection",
        ),
    ),
    Difference(
        id="bucket-versions",
        area="Data",
        title="Former versions are kept for a while",
        documented="What is overwritten or deleted is gone.",
        hardened="Versioning is on; former versions go after noncurrent_expiry_days (30).",
        risk="One wrong `aws s3 rm` ends a study's results.",
        reason="Work files are kept that much longer too, and cost that much longer. "
        "bucket_force_destroy deletes all versions.",
        back="noncurrent_expiry_days = 1 for the shortest; S3 can suspend versioning, not undo it",
        module=_OF_THE_MODULE,
        variables=("noncurrent_expiry_days",),
        addresses=(
            "aws_s3_bucket_versioning.data_bucket_protection",
            "aws_s3_bucket_lifecycle_configuration.data_bucket",
        ),
    ),
    Difference(
        id="bucket-lifecycle",
        area="Data",
        title="Work files by a variable, stale uploads ended",
        documented="nf-work/ expires after 14 days; unfinished uploads stay for ever.",
        hardened="nf-work/ expires after work_expiry_days (30; 0 for never); unfinished uploads "
        "end after 7 days.",
        risk="`-resume` after three weeks starts from the beginning; unfinished uploads are billed "
        "and invisible.",
        reason="Longer than the document, since a study pauses longer than two weeks.",
        back="work_expiry_days = 14",
        module="the module's 14 days stay, and its bucket has no rule for uploads",
        variables=("work_expiry_days",),
        addresses=("aws_s3_bucket_lifecycle_configuration.data_bucket",),
    ),
    Difference(
        id="bucket-access-logs",
        area="Data",
        title="Access logs (optional)",
        documented="None.",
        hardened="access_log_bucket receives them, under the data bucket's name.",
        risk="After an incident nobody can say what was read.",
        reason="The receiving bucket is yours: it has to permit S3's log delivery and must not be "
        "the data bucket.",
        back="leave access_log_bucket empty (the default)",
        module=_OF_THE_MODULE,
        variables=("access_log_bucket",),
        addresses=("aws_s3_bucket_logging.data_bucket_protection",),
    ),
)

IMAGES: Final = (
    Difference(
        id="image-scan",
        area="Images",
        title="Images are scanned when pushed",
        documented="No scan.",
        hardened="ECR looks through each pushed image for known vulnerabilities.",
        risk="A vulnerable image runs on data that must be protected.",
        reason="It costs nothing, and `aws ecr describe-image-scan-findings` shows the result.",
        back='"profile": "documented"',
        addresses=("aws_ecr_repository.image_repository",),
    ),
    Difference(
        id="image-tags",
        area="Images",
        title="Immutable image tags",
        documented="A pushed tag can be pushed again.",
        hardened="A tag stands for one image for ever; pushing it again is refused.",
        risk="The image that was validated is not the image that runs.",
        reason="Push with a version or a commit as tag, not with `latest`.",
        back='"profile": "documented"',
        addresses=("aws_ecr_repository.image_repository",),
    ),
    Difference(
        id="image-lifecycle",
        area="Images",
        title="Untagged images go",
        documented="Every layer ever pushed is kept.",
        hardened="Images that no tag names are deleted after untagged_image_days (14).",
        risk="Storage that grows with each push.",
        reason="Images with a tag are never deleted.",
        back="untagged_image_days = 3650",
        module="none: images stay",
        variables=("untagged_image_days",),
        addresses=("aws_ecr_lifecycle_policy.image_retention",),
    ),
)
