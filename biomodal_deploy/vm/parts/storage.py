"""The data bucket and the image repository."""

from __future__ import annotations

from botocore.exceptions import ClientError

from biomodal_deploy.aws.answers import failed, passed
from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.preflight import Answer
from biomodal_deploy.vm.built import Built
from biomodal_deploy.vm.parts.finish import gone, not_built


def bucket(built: Built, clients: Clients) -> Answer:
    """Whether the data bucket is there, and in the deployment's region."""
    name = built.bucket
    if name is None:
        return not_built("bucket")
    try:
        said = clients.s3().head_bucket(Bucket=name)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            return gone(f"the bucket {name}")
        raise
    region = said.get("BucketRegion") or built.region
    if region != built.region:
        return failed(
            f"the bucket {name} is in {region}, and all else in {built.region}",
            "set use_existing_bucket_url to a bucket of that region: transfer between regions "
            "is slow and billed",
        )
    return passed(f"s3://{name}")


def repository(built: Built, clients: Clients) -> Answer:
    """Whether the ECR repository is there."""
    if not built.repositories:
        return not_built("ECR repository")
    name = built.repositories[0].name
    try:
        said = clients.ecr().describe_repositories(repositoryNames=[name])["repositories"]
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            return gone(f"the ECR repository {name}")
        raise
    return passed(said[0]["repositoryUri"])
