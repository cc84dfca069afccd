"""What `vm_name` has to be: one name that S3, ECR, IAM, EC2 and Batch all accept.

The environment names everything after `vm_name`. A name that only one service refuses fails in
the middle of an apply, so each rule names the service it comes from.

Sources: Amazon S3 user guide, "General purpose bucket naming rules"; ECR API reference,
CreateRepository; Batch API reference, CreateComputeEnvironment; EC2 API reference,
CreateSecurityGroup; IAM user guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

from typing import Final

from biomodal_deploy.config.contract.rules import Rule, length_between, matches, matches_not

_S3_MAXIMUM: Final = 63
# The upstream module passes the name as `bucket_prefix`, to which the AWS provider adds 26
# characters of its own.
_S3_MAXIMUM_OF_THE_MODULE: Final = 37


def vm_name_rules(bootstrap: str) -> tuple[Rule, ...]:
    """Return the rules for `vm_name`.

    Args:
        bootstrap: The implementation, `module` or `native`: the module's bucket has a suffix.
    """
    if bootstrap == "module":
        maximum = _S3_MAXIMUM_OF_THE_MODULE
        why = (
            "Amazon S3 bucket names have at least 3 and at most 63 characters, of which the module "
            f"adds 26: vm_name has 3 to {maximum} characters."
        )
    else:
        maximum = _S3_MAXIMUM
        why = f"Amazon S3 bucket names have 3 to {maximum} characters, and so has vm_name."
    return (
        length_between(why, 3, maximum),
        matches(
            "Amazon S3 bucket names hold only lower-case letters, digits and hyphens "
            "(and dots, which AWS Batch refuses), and so does vm_name.",
            "[a-z0-9.-]*",
        ),
        matches_not(
            "AWS Batch names hold only letters, digits, hyphens and underscores: "
            "vm_name has no dot.",
            ".*[.].*",
        ),
        matches(
            "Amazon ECR repository names start with a letter: vm_name starts with a to z.",
            "([a-z].*)?",
        ),
        matches_not(
            "Amazon ECR repository names have no two separators in a row and none at the end: "
            "each hyphen of vm_name stands between letters or digits.",
            ".*--.*|.*-",
        ),
        matches_not(
            'Amazon S3 reserves bucket names that start with "sthree-" or "amzn-s3-demo-" '
            'or end with "-s3alias": vm_name is another.',
            "(sthree-|amzn-s3-demo-).*|.*-s3alias",
        ),
        matches_not(
            'Amazon EC2 security group names do not start with "sg-", and neither does vm_name.',
            "sg-.*",
        ),
    )
