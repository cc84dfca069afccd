"""The bucket: a new one whose name is free in all of AWS, or one that is there."""

from __future__ import annotations

from botocore.exceptions import ClientError

from biomodal_deploy.aws.checks import Finding, failed, passed, unknown, warned
from biomodal_deploy.aws.errors import code_of
from biomodal_deploy.aws.preflight.facts import Facts


def bucket(facts: Facts) -> Finding:
    """Whether the bucket can be made, or is there and in the region."""
    target = facts.target
    if existing := target.existing_bucket:
        return _existing(facts, existing)
    if (name := target.new_bucket) is None:
        return passed(f"AWS completes the name {target.vm_name}, so that it is free")
    if facts.holds("aws_s3_bucket", name):
        return passed(f"the bucket {name} is this stack's own")
    return _new(facts, name)


def _new(facts: Facts, name: str) -> Finding:
    code, _ = _head(facts, name)
    if code == "404":
        return passed(f"{name} is free")
    if code == "":
        return facts.taken(
            f"a bucket {name} exists that you may use",
            ", and that is not this stack's",
            f'set use_existing_bucket_url = "s3://{name}", or choose another vm_name',
        )
    return failed(
        f"a bucket {name} exists in some account: bucket names are unique in all of AWS",
        "choose another vm_name",
    )


def _existing(facts: Facts, name: str) -> Finding:
    code, region = _head(facts, name)
    if code == "404":
        return failed(f"there is no bucket {name}", "correct use_existing_bucket_url")
    if code == "403":
        return unknown(
            f"the bucket {name} exists, but the caller may not s3:ListBucket: "
            "whether the VM may is up to the bucket's own policy",
            f"allow s3:ListBucket on {facts.arn('s3', name, in_account=False)} to the caller",
        )
    if region != facts.target.region:
        return warned(
            f"the bucket {name} is in {region}, the VM in {facts.target.region}: AWS charges for "
            "every gigabyte between regions",
            f'set region = "{region}", or name a bucket in {facts.target.region}',
        )
    return passed(f"the bucket {name} is there, in {region}")


def _head(facts: Facts, name: str) -> tuple[str, str]:
    """Return the code of S3's refusal (empty for none) and the bucket's region.

    The AWS library follows S3's redirect to the bucket's own region by itself.
    """
    try:
        said = facts.clients.s3().head_bucket(Bucket=name)
    except ClientError as error:
        if code_of(error) == "403" and _is_nowhere(facts, name):
            return "404", ""
        if code_of(error) not in ("403", "404"):
            raise
        return code_of(error), ""
    return "", said.get("BucketRegion") or facts.target.region


def _is_nowhere(facts: Facts, name: str) -> bool:
    """Return whether there is no such bucket at all, asked as nobody.

    403 also meets a caller without s3:ListBucket. An unsigned request is not judged by the
    caller's policies: S3 answers it 404 exactly where the name is free.
    """
    try:
        facts.clients.s3_unsigned().head_bucket(Bucket=name)
    except ClientError as error:
        return code_of(error) == "404"
    return False
