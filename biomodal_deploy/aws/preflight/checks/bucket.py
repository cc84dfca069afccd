"""The bucket: a new one whose name is free in all of AWS, or one that is there."""

from __future__ import annotations

from biomodal_deploy.aws.buckets import find_bucket
from biomodal_deploy.aws.checks import Finding, failed, passed, unknown, warned
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
    code, _ = find_bucket(facts.clients, name)
    if code == "404":
        return passed(f"{name} is free")
    if code == "" and (holder := facts.elsewhere.get(f"aws_s3_bucket:{name}")):
        return failed(f"the bucket {name} exists and is that of {holder}", "choose another vm_name")
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
    code, region = find_bucket(facts.clients, name)
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
