"""The variables that the hardened profile adds. All have defaults: documented values stay valid.

Sources of the rules: EC2, IAM, Batch (JobStateTimeLimitAction), Amazon SNS and CloudWatch Logs
(PutRetentionPolicy) API references.
"""

from __future__ import annotations

from typing import Final

from biomodal_deploy.config.contract.aws import BATCH_VCPUS, BUCKET, NO_BUCKET, NO_BUCKET_RULE
from biomodal_deploy.config.contract.rules import (
    Variable,
    matches,
    matches_not,
    of_each,
    one_of,
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
        open_ssh: Whether port 22 may be opened to everyone.
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
    return Variable(
        name="ssh_cidr_blocks",
        description="Networks that reach port 22 (none: Session Manager only)",
        type="list(string)",
        default=(),
        rules=tuple(map(of_each, rules)),
    )


_VM: Final = (
    Variable(
        name="termination_protection",
        description="Whether EC2 refuses to terminate the VM outside Terraform",
        type="bool",
        default=True,
    ),
)

_NATIVE: Final = (
    Variable(
        name="ami_id",
        description="The VM's image (empty: the newest Ubuntu 22.04 when the VM is made)",
        default="",
        rules=(
            matches("It is empty, or ami- and 8 to 17 hexadecimal digits.", "|ami-[0-9a-f]{8,17}"),
        ),
    ),
    Variable(
        name="elastic_ip",
        description="Whether the VM has an Elastic IP, for which its VPC needs an internet gateway",
        type="bool",
        default=True,
    ),
    Variable(
        name="iam_name_prefix",
        description="Start of the names of roles, their policies and instance profiles",
        default="",
        rules=(
            matches(
                "An IAM name prefix has at most 20 letters, digits or _+=,.@-.",
                "[A-Za-z0-9_+=,.@-]{0,20}",
            ),
        ),
    ),
    Variable(
        name="permissions_boundary_arn",
        description="Policy that bounds what the roles may ever do (empty: none)",
        default="",
        rules=(
            matches(
                "It is empty or the ARN of an IAM policy.",
                f"|{_ARN}iam::([0-9]{{12}}|aws):policy/[A-Za-z0-9_+=,.@/-]+",
            ),
        ),
    ),
    Variable(
        name="batch_subnet_ids",
        description="Subnets of the Batch hosts, best in several zones (none: subnet_id)",
        type="list(string)",
        default=(),
        rules=(
            of_each(
                matches(
                    "Each subnet id is subnet- and 8 to 17 hexadecimal digits.",
                    "subnet-[0-9a-f]{8,17}",
                )
            ),
        ),
    ),
    Variable(
        name="batch_instance_types",
        description="Instance types and families of the Batch hosts (none: optimal)",
        type="list(string)",
        default=("optimal",),
        rules=(
            of_each(
                matches(
                    "Each is an instance type, a family or optimal, such as m6i.4xlarge or m6i.",
                    "[a-z][a-z0-9_-]*([.][a-z0-9-]+)?",
                )
            ),
            of_each(
                matches_not(
                    "The profile's hosts are x86-64: Graviton (Arm) types cannot run their image.",
                    "(a1|[a-z]+[0-9]+g[a-z]*|p6e-gb200)([.].*)?|default_arm64",
                )
            ),
            of_each(matches_not("AWS Batch starts no EC2 Mac instances.", "mac[a-z0-9-]*([.].*)?")),
            of_each(
                # AWS Batch user guide, "Use a GPU workload AMI": these families take the NVIDIA
                # image; on the profile's image a job that asks for a GPU never starts.
                matches_not(
                    "The profile's hosts run no GPU image: no GPU types (families g and p).",
                    "(g|gr|p)[0-9]+[a-z]*([.].*)?",
                )
            ),
        ),
    ),
    Variable(
        name="batch_max_vcpus",
        description="The most vCPUs at one time, in each of the two compute environments",
        type="number",
        default=BATCH_VCPUS,
        rules=(whole_number("A compute environment has 1 to 100000 vCPUs.", 1, 100_000),),
    ),
    Variable(
        name="batch_volume_gib",
        description="Size of a Batch host's volume in GiB",
        type="number",
        default=500,
        # The image's own snapshot has 30 GiB.
        rules=(whole_number("A Batch host's volume has 30 to 16384 GiB.", 30, 16384),),
    ),
    Variable(
        name="batch_stuck_minutes",
        description="Minutes until a job is cancelled that no host can ever run",
        type="number",
        default=60,
        rules=(whole_number("AWS Batch waits 10 to 1440 minutes.", 10, 1440),),
    ),
    Variable(
        name="work_expiry_days",
        description="Days until objects under nf-work/ are deleted (0: never)",
        type="number",
        default=30,
        rules=(whole_number("Work files are kept for 0 to 3650 days.", 0, 3650),),
    ),
    Variable(
        name="noncurrent_expiry_days",
        description="Days until overwritten or deleted objects are gone for good (0: never)",
        type="number",
        default=30,
        rules=(whole_number("Former versions are kept for 0 to 3650 days.", 0, 3650),),
    ),
    Variable(
        name="access_log_bucket",
        description="Bucket that receives the data bucket's access logs (empty: no logs)",
        default="",
        rules=(
            matches(
                "It is empty or the name of a bucket, without s3://.",
                f"|{BUCKET}",
            ),
            matches_not(f"{NO_BUCKET_RULE}.", NO_BUCKET),
        ),
    ),
    Variable(
        name="untagged_image_days",
        description="Days until images without a tag are deleted",
        type="number",
        default=14,
        rules=(whole_number("Untagged images are kept for 1 to 3650 days.", 1, 3650),),
    ),
    Variable(
        name="log_retention_days",
        description="Days that a log group of its own keeps task logs (0: no log group)",
        type="number",
        default=0,
        rules=(
            one_of(
                "CloudWatch Logs keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, "
                "400, 545, 731 or 1096 days; 0 makes no log group.",
                _RETENTIONS,
            ),
        ),
    ),
    Variable(
        name="alarm_topic_arn",
        description="SNS topic that hears when the VM fails its status checks (empty: no alarm)",
        default="",
        rules=(
            matches(
                "It is empty or the ARN of an SNS topic.",
                f"|{_ARN}sns:[a-z0-9-]+:[0-9]{{12}}:[A-Za-z0-9_.-]+",
            ),
        ),
    ),
    Variable(
        name="monthly_budget_usd",
        description="Monthly budget in US dollars for what carries the tag (0: no budget)",
        type="number",
        default=0,
        rules=(whole_number("A budget has 0 to 10000000 whole dollars.", 0, 10_000_000),),
    ),
    Variable(
        name="budget_email",
        description="Who hears at 80 % of the budget and when it is forecast to be exceeded",
        default="",
        rules=(
            matches(
                "It is empty or one e-mail address.",
                "|[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+([.][A-Za-z0-9-]+)+",
            ),
        ),
    ),
)
