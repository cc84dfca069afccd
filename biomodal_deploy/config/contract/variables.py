"""The documented variables with their defaults, descriptions and rules, and the outputs.

The environment names everything after `vm_name`. A name that only one service refuses fails in the
middle of an apply, so each of its rules names the service that it comes from.

Source: document sections "Required Variables" and "Optional Variables", whose comments are the
descriptions, and "Outputs". AWS ids and tags: EC2 API reference; "Tag naming limits and
requirements" in the Tagging user guide. Names: Amazon S3 user guide, "General purpose bucket naming
rules"; ECR API reference, CreateRepository; Batch API reference, CreateComputeEnvironment; EC2 API
reference, CreateSecurityGroup; IAM user guide, "IAM and AWS STS quotas".
"""

from __future__ import annotations

import unicodedata
from typing import Final

from biomodal_deploy.config.contract.aws import (
    BUCKET,
    NO_BUCKET,
    NO_BUCKET_RULE,
    OWN_TAG,
    REGION,
    REGION_RULE,
)
from biomodal_deploy.config.contract.hardened import hardened_variables
from biomodal_deploy.config.contract.validation import (
    Rule,
    Variable,
    flag,
    length_between,
    matches,
    matches_not,
    number,
    text,
    whole_number,
)


def variables_of(
    bootstrap: str, profile: str = "documented", *, open_ssh: bool = False
) -> tuple[Variable, ...]:
    """Return the variables of an implementation: the documented ones, required first, and our own.

    Args:
        bootstrap: `module` or `native`; both can be given the VM's disk size, the native one the
            SSH public key. Or `prerequisites`, which makes roles of the account and nothing of the
            document's.
        profile: `documented`, or `hardened`, which adds variables that all have a default.
        open_ssh: Whether the hardened profile may open port 22 to everyone.
    """
    if bootstrap == "prerequisites":
        tags = (each for each in _OPTIONAL if each.name in ("tag_key", "tag_value"))
        return (_REGION, *tags, *_ACCOUNT_ROLES)
    vm_name = text("vm_name", "VM name", *vm_name_rules(bootstrap), default=None)
    own = (_SSH_PUBLIC_KEY, _VM_VOLUME) if bootstrap == "native" else (_VM_VOLUME,)
    more = hardened_variables(bootstrap, open_ssh=open_ssh) if profile == "hardened" else ()
    return (*_PLACE, vm_name, *_OPTIONAL, *own, *more)


def all_variables() -> tuple[Variable, ...]:
    """Return the variables of every implementation and profile; a name may be there again."""
    kinds = (
        ("module", "documented"),
        ("native", "documented"),
        ("prerequisites", "documented"),
        ("module", "hardened"),
        ("native", "hardened"),
    )
    return tuple(each for kind in kinds for each in variables_of(*kind))


def _tag_rule(message: str, low: int, high: int) -> Rule:
    marks = "_.:/=+@-"
    # Two backslashes: one for RE2's classes, one more because they stand in an HCL string.
    letters = "[\\\\p{L}\\\\p{Z}\\\\p{N}" + marks + "]"
    return Rule(
        message=message,
        condition=f'can(regex("^{letters}{{{low},{high}}}$", {{value}}))',
        check=lambda value: (
            low <= len(value) <= high
            and all(mark in marks or unicodedata.category(mark)[0] in "LZN" for mark in value)
        ),
    )


_REGION: Final = text("region", "AWS region", matches(f"{REGION_RULE}.", REGION), default=None)

_PLACE: Final = (
    _REGION,
    text(
        "vpc_id",
        "VPC ID (must already exist)",
        matches("A VPC id is vpc- and 8 to 17 hexadecimal digits.", "vpc-[0-9a-f]{8,17}"),
        default=None,
    ),
    text(
        "subnet_id",
        "Subnet ID (must already exist)",
        matches("A subnet id is subnet- and 8 to 17 hexadecimal digits.", "subnet-[0-9a-f]{8,17}"),
        default=None,
    ),
)

_OPTIONAL: Final = (
    text(
        "instance_type",
        "EC2 instance type",
        matches("An EC2 instance type reads like t3.large.", "[a-z][a-z0-9-]*[.][a-z0-9-]+"),
        # Graviton families carry a g behind the generation (t4g, m7gd, c7gn); the first is a1.
        matches_not(
            "The documented Ubuntu image is x86-64: a Graviton (Arm) instance type "
            "cannot start it.",
            "(a1|[a-z]+[0-9]+g[a-z]*|p6e-gb200)[.].*",
        ),
        # EC2 user guide, "Amazon EC2 Mac instances": macOS on a dedicated host.
        matches_not(
            "EC2 Mac instances run macOS on a dedicated host, and not the Ubuntu image.",
            "mac[a-z0-9-]*[.].*",
        ),
        default="t3.large",
    ),
    text(
        "tag_key",
        "Resource tag key",
        _tag_rule(
            "An AWS tag key has 1 to 128 letters, digits, spaces or _ . : / = + - @.", 1, 128
        ),
        matches_not("AWS reserves tag keys that start with aws:, in any case.", "[aA][wW][sS]:.*"),
        # IAM takes no two keys that differ in case only.
        matches_not(
            f"The tag {OWN_TAG} is set to vm_name, to tell deployments apart.",
            "".join(f"[{mark}{mark.upper()}]" if mark.isalpha() else mark for mark in OWN_TAG),
        ),
        default="environment",
    ),
    text(
        "tag_value",
        "Resource tag value",
        _tag_rule(
            "An AWS tag value has at most 256 letters, digits, spaces or _ . : / = + - @.", 0, 256
        ),
        default="development",
    ),
    text(
        "use_existing_bucket_url",
        "Use existing bucket",
        matches(
            "It is empty or s3:// and a bucket name, without a path inside the bucket.",
            f"|s3://{BUCKET}/?",
        ),
        matches_not(f"{NO_BUCKET_RULE}.", f"s3://({NO_BUCKET})/?"),
    ),
    flag("bucket_force_destroy", "Allow bucket destruction"),
    text(
        "ssh_user",
        "SSH username",
        matches(
            "A Linux user name has at most 32 lower-case letters, digits, _ or -, "
            "and starts with a letter or _.",
            "[a-z_][a-z0-9_-]{0,31}",
        ),
        default="ubuntu",
    ),
)

_SSH_PUBLIC_KEY: Final = text(
    "ssh_public_key",
    "SSH public key (empty: read from ~/.ssh/<vm_name>.pub)",
    matches_not("This is a private key: give the .pub file's text.", "(?s).*PRIVATE KEY.*"),
    matches("An SSH public key is one line.", ".*"),
    matches(
        "It is empty or ssh-ed25519 or ssh-rsa, the key, and a comment.",
        "|ssh-(ed25519|rsa) [A-Za-z0-9+/]+=*( [^<>]*)?",
    ),
)

# Not in the document, which has 100 GB. Without it a disk that somebody grew would block each
# apply for ever: a plan wants it back at 100, and EBS makes none smaller.
_VM_VOLUME: Final = number(
    "vm_volume_gib",
    "Size of the VM's volume in GiB; it can only grow",
    100,
    whole_number("The VM's volume has 8 to 16384 GiB.", 8, 16384),
)

# Off by default: an account has each of them once, and making one that is there fails.
_ACCOUNT_ROLES: Final = (
    flag("batch_service_role", "Make AWS Batch's service-linked role"),
    flag("spot_service_role", "Make EC2 Spot's service-linked role"),
    flag("ecs_instance_role", "Make ecsInstanceRole, its policy and its instance profile"),
)


OUTPUTS: Final[dict[str, str]] = {
    "bucket_url": "URL of the data bucket, s3:// included",
    "docker_repo_url": "Host name of the ECR registry that holds the image repository",
    "private_ip": "Private IP address of the orchestrator VM",
    "private_key_filename": "File of the private key that opens SSH connections to the VM",
    "public_ip": "Elastic IP address of the orchestrator VM",
    "ssh_user": "User name for SSH connections to the VM",
    "vm_name": "Name of the orchestrator VM",
}


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
