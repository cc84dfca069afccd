"""The variables that the hardened profile adds. All have defaults: documented values stay valid.

Sources of the rules: EC2, IAM, Batch (JobStateTimeLimitAction), Amazon SNS and CloudWatch Logs
(PutRetentionPolicy) API references.
"""

from __future__ import annotations

from typing import Final

from biomodal_deploy.config.contract.aws import BATCH_VCPUS, BUCKET, NO_BUCKET, NO_BUCKET_RULE
from biomodal_deploy.config.contract.validation import (
    Variable,
    flag,
    matches,
    matches_not,
    number,
    one_of,
    text,
    texts,
    whole_number,
)

# CloudWatch Logs takes these and no others; 0 stands for no log group of its own.
_RETENTIONS: Final = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096)
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = f"({_OCTET}[.]){{3}}{_OCTET}/(3[0-2]|[12]?[0-9])"
_IPV6: Final = "[0-9a-f:]*:[0-9a-f:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
# Two halves of the internet are as open as all of it, so the border is not at /0.
_EVERYONE: Final = "[0-9.]+/[0-7]|[0-9a-f:]*:[0-9a-f:]*/([0-9]|1[0-5])"
_ARN: Final = "arn:aws[a-z-]*:"


def hardened_variables(bootstrap: str, *, open_ssh: bool = False) -> tuple[Variable, ...]:
    """Return the variables beyond the documented ones.

    Args:
        bootstrap: `module` takes the few that its inputs can express.
    """
    if bootstrap == "module":
        return (_ssh_cidr_blocks(_IPV4, open_ssh=open_ssh), *_VM)
    return (_ssh_cidr_blocks(f"{_IPV4}|{_IPV6}", open_ssh=open_ssh), *_VM, *_NATIVE)


def _ssh_cidr_blocks(pattern: str, *, open_ssh: bool) -> Variable:
    versions = "IPv4 or IPv6" if _IPV6 in pattern else "IPv4"
    form = matches(f"Each is an {versions} range such as 192.0.2.0/24.", pattern)
    closed = matches_not(
        "Port 22 is not opened to everyone: each range is /8 or narrower (IPv6: /16). The setting "
        "open_ssh_waiver of cdktf.json lifts this rule.",
        _EVERYONE,
    )
    rules = (form,) if open_ssh else (form, closed)
    return texts(
        "ssh_cidr_blocks", "Networks that reach port 22 (none: Session Manager only)", *rules
    )


_VM: Final = (
    flag(
        "termination_protection",
        "Whether EC2 refuses to terminate the VM outside Terraform",
        default=True,
    ),
)

_NATIVE: Final = (
    text(
        "ami_id",
        "The VM's image (empty: the newest Ubuntu 22.04 when the VM is made)",
        matches("It is empty, or ami- and 8 to 17 hexadecimal digits.", "|ami-[0-9a-f]{8,17}"),
    ),
    flag(
        "elastic_ip",
        "Whether the VM has an Elastic IP, for which its VPC needs an internet gateway",
        default=True,
    ),
    text(
        "iam_name_prefix",
        "Start of the names of roles, their policies and instance profiles",
        matches(
            "An IAM name prefix has at most 20 letters, digits or _+=,.@-.",
            "[A-Za-z0-9_+=,.@-]{0,20}",
        ),
    ),
    text(
        "permissions_boundary_arn",
        "Policy that bounds what the roles may ever do (empty: none)",
        matches(
            "It is empty or the ARN of an IAM policy.",
            f"|{_ARN}iam::([0-9]{{12}}|aws):policy/[A-Za-z0-9_+=,.@/-]+",
        ),
    ),
    texts(
        "batch_subnet_ids",
        "Subnets of the Batch hosts, best in several zones (none: subnet_id)",
        matches(
            "Each subnet id is subnet- and 8 to 17 hexadecimal digits.", "subnet-[0-9a-f]{8,17}"
        ),
    ),
    texts(
        "batch_instance_types",
        "Instance types and families of the Batch hosts (none: optimal)",
        matches(
            "Each is an instance type, a family or optimal, such as m6i.4xlarge or m6i.",
            "[a-z][a-z0-9_-]*([.][a-z0-9-]+)?",
        ),
        matches_not(
            "The profile's hosts are x86-64: Graviton (Arm) types cannot run their image.",
            "(a1|[a-z]+[0-9]+g[a-z]*|p6e-gb200)([.].*)?|default_arm64",
        ),
        matches_not("AWS Batch starts no EC2 Mac instances.", "mac[a-z0-9-]*([.].*)?"),
        # AWS Batch user guide, "Use a GPU workload AMI": these families take the NVIDIA
        # image; on the profile's image a job that asks for a GPU never starts.
        matches_not(
            "The profile's hosts run no GPU image: no GPU types (families g and p).",
            "(g|gr|p)[0-9]+[a-z]*([.].*)?",
        ),
        default=("optimal",),
    ),
    number(
        "batch_max_vcpus",
        "The most vCPUs at one time, in each of the two compute environments",
        BATCH_VCPUS,
        whole_number("A compute environment has 1 to 100000 vCPUs.", 1, 100_000),
    ),
    number(
        "batch_volume_gib",
        "Size of a Batch host's volume in GiB",
        500,
        whole_number("A Batch host's volume has 30 to 16384 GiB.", 30, 16384),
    ),
    number(
        "batch_stuck_minutes",
        "Minutes until a job is cancelled that no host can ever run",
        60,
        whole_number("AWS Batch waits 10 to 1440 minutes.", 10, 1440),
    ),
    number(
        "work_expiry_days",
        "Days until objects under nf-work/ are deleted (0: never)",
        30,
        whole_number("Work files are kept for 0 to 3650 days.", 0, 3650),
    ),
    number(
        "noncurrent_expiry_days",
        "Days until overwritten or deleted objects are gone for good (0: never)",
        30,
        whole_number("Former versions are kept for 0 to 3650 days.", 0, 3650),
    ),
    text(
        "access_log_bucket",
        "Bucket that receives the data bucket's access logs (empty: no logs)",
        matches("It is empty or the name of a bucket, without s3://.", f"|{BUCKET}"),
        matches_not(f"{NO_BUCKET_RULE}.", NO_BUCKET),
    ),
    number(
        "untagged_image_days",
        "Days until images without a tag are deleted",
        14,
        whole_number("Untagged images are kept for 1 to 3650 days.", 1, 3650),
    ),
    number(
        "log_retention_days",
        "Days that a log group of its own keeps task logs (0: no log group)",
        0,
        one_of(
            "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, "
            "400, 545, 731 or 1096 days; 0 makes no log group.",
            _RETENTIONS,
        ),
    ),
    text(
        "alarm_topic_arn",
        "SNS topic that hears when the VM fails its status checks (empty: no alarm)",
        matches(
            "It is empty or the ARN of an SNS topic.",
            f"|{_ARN}sns:[a-z0-9-]+:[0-9]{{12}}:[A-Za-z0-9_.-]+",
        ),
    ),
    number(
        "monthly_budget_usd",
        "Monthly budget in US dollars for what carries the tag (0: no budget)",
        0,
        whole_number("A budget has 0 to 10000000 whole dollars.", 0, 10_000_000),
    ),
    text(
        "budget_email",
        "Who hears at 80 % of the budget and when it is forecast to be exceeded",
        matches(
            "It is empty or one e-mail address.",
            "|[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+",
        ),
    ),
)
