"""Resources in words: kinds, what goes with them, why Terraform acts, what an update does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from biomodal_deploy.plan import PlanKind, ResourceChange


class Area(StrEnum):
    """A part of the stack, in the order in which a person meets them."""

    NETWORK = "Network and SSH"
    VM = "Orchestrator VM"
    ROLES = "Roles and policies"
    BATCH = "AWS Batch"
    DATA = "Data bucket"
    IMAGES = "Image repository"
    WATCH = "Logs, alarms, budget"
    OTHER = "Everything else"


@dataclass(frozen=True)
class Kind:
    """A kind of resource.

    Attributes:
        label: What people call it.
        area: Where it belongs.
        lost: What goes with it when it is destroyed or replaced; empty where it is only settings,
            which Terraform can write again.
    """

    label: str
    area: Area
    lost: str = ""


# What a reviewer has to know before it is gone: AWS documentation of each service, and
# docs/deploying.md for what lies on the VM.
_KINDS: Final[Mapping[str, Kind]] = {
    "aws_instance": Kind(
        "virtual machine",
        Area.VM,
        "{disk}: the .nextflow cache and work history (-resume starts over), logs, everything in"
        " home folders, running pipelines, and the SSH host key (clients will warn of another"
        " host)",
    ),
    "aws_ebs_volume": Kind("disk", Area.VM, "everything on the disk"),
    "aws_eip": Kind(
        "public address",
        Area.NETWORK,
        "the public IP address itself: firewall rules, DNS names and SSH settings that name it",
    ),
    "aws_eip_association": Kind("public address in use", Area.NETWORK),
    "aws_key_pair": Kind(
        "SSH key pair",
        Area.NETWORK,
        "the registered public key; a running VM keeps its own copy, and no new VM can start"
        " with it",
    ),
    "tls_private_key": Kind(
        "private key", Area.NETWORK, "the private key in the state: nobody can make it again"
    ),
    "local_file": Kind("local file", Area.NETWORK, "the file on the machine that applies"),
    "local_sensitive_file": Kind(
        "local file", Area.NETWORK, "the file on the machine that applies"
    ),
    "aws_security_group": Kind(
        "security group", Area.NETWORK, "its id, which groups elsewhere may name as a source"
    ),
    "aws_vpc_security_group_ingress_rule": Kind("rule for incoming traffic", Area.NETWORK),
    "aws_vpc_security_group_egress_rule": Kind("rule for outgoing traffic", Area.NETWORK),
    "aws_security_group_rule": Kind("security group rule", Area.NETWORK),
    "aws_s3_bucket": Kind("bucket", Area.DATA, "its name, which anybody may take; {objects}"),
    "aws_s3_bucket_policy": Kind("bucket policy", Area.DATA),
    "aws_s3_bucket_public_access_block": Kind("public access block", Area.DATA),
    "aws_s3_bucket_lifecycle_configuration": Kind("lifecycle rules", Area.DATA),
    "aws_s3_bucket_server_side_encryption_configuration": Kind("bucket encryption", Area.DATA),
    "aws_s3_bucket_versioning": Kind(
        "bucket versioning", Area.DATA, "versions of objects written from then on"
    ),
    "aws_kms_key": Kind(
        "encryption key", Area.DATA, "everything encrypted with it, once its waiting time is over"
    ),
    "aws_ecr_repository": Kind("image repository", Area.IMAGES, "{images}"),
    "aws_ecr_lifecycle_policy": Kind("image lifecycle", Area.IMAGES),
    "aws_ecr_repository_policy": Kind("repository policy", Area.IMAGES),
    "aws_iam_role": Kind(
        "role",
        Area.ROLES,
        "the permissions of everything that runs as it, until a new one is attached; policies"
        " elsewhere that name it no longer mean its successor",
    ),
    "aws_iam_instance_profile": Kind(
        "instance profile", Area.ROLES, "the credentials of machines that run with it"
    ),
    "aws_iam_role_policy": Kind("permissions of a role", Area.ROLES),
    "aws_iam_policy": Kind("managed policy", Area.ROLES),
    "aws_iam_role_policy_attachment": Kind("attached policy", Area.ROLES),
    "aws_iam_policy_document": Kind("policy document", Area.ROLES),
    "aws_batch_compute_environment": Kind(
        "compute environment", Area.BATCH, "its hosts, and the jobs that run on them"
    ),
    "aws_batch_job_queue": Kind(
        "job queue", Area.BATCH, "the jobs that wait or run in it; pipelines that name it fail"
    ),
    "aws_batch_job_definition": Kind("job definition", Area.BATCH),
    "aws_launch_template": Kind("launch template", Area.BATCH, "its earlier versions"),
    "aws_cloudwatch_log_group": Kind("log group", Area.WATCH, "every log in it"),
    "aws_cloudwatch_metric_alarm": Kind("alarm", Area.WATCH, "its history"),
    "aws_budgets_budget": Kind("budget", Area.WATCH, "its history"),
    "aws_sns_topic": Kind("notification topic", Area.WATCH, "its subscriptions"),
}
_RANKS: Final = {label: rank for rank, label in enumerate({k.label: 0 for k in _KINDS.values()})}
_BY_PREFIX: Final = (
    ("aws_s3", Area.DATA),
    ("aws_kms", Area.DATA),
    ("aws_ecr", Area.IMAGES),
    ("aws_iam", Area.ROLES),
    ("aws_batch", Area.BATCH),
    ("aws_launch", Area.BATCH),
    ("aws_instance", Area.VM),
    ("aws_ebs", Area.VM),
    ("aws_ami", Area.VM),
    ("aws_cloudwatch", Area.WATCH),
    ("aws_budgets", Area.WATCH),
    ("aws_sns", Area.WATCH),
    ("aws_vpc", Area.NETWORK),
    ("aws_subnet", Area.NETWORK),
    ("aws_security_group", Area.NETWORK),
    ("aws_network", Area.NETWORK),
)
_WORDS: Final = re.compile(r"[a-z0-9 ]{1,60}")
_NOT_KNOWN: Final = "the object itself; what it holds is not known here"


@cache
def _kind_of_type(type_: str) -> Kind:
    area = next((area for start, area in _BY_PREFIX if type_.startswith(start)), Area.OTHER)
    # A type is a name, but a report shows it as a word: nothing else may pass for one.
    label = type_.removeprefix("aws_").replace("_", " ")
    label = label if _WORDS.fullmatch(label) else "resource"
    return Kind(label, area, _NOT_KNOWN if area is Area.OTHER else "")


def kind_of(change: ResourceChange) -> Kind:
    """Return what kind a resource is; one that is not known gets its type for a label."""
    return _KINDS.get(change.type) or _kind_of_type(change.type)


def rank(label: str) -> tuple[int, str]:
    """Return where a kind stands among others: what things are about before what belongs to it."""
    return _RANKS.get(label, len(_RANKS)), label


def lost_with(change: ResourceChange) -> str:
    """Return what goes with a resource that is destroyed or replaced; empty for mere settings."""
    before = change.before or {}
    return kind_of(change).lost.format(
        disk=_disk(before),
        objects=_emptied("object, all versions included", before.get("force_destroy")),
        images=_emptied("container image", before.get("force_delete")),
    )


def _emptied(what: str, forced: object) -> str:
    noun = what.partition(",")[0]
    return f"every {what}" if forced is True else f"the apply fails while it holds any {noun}"


def _disk(values: Mapping[str, object]) -> str:
    blocks = values.get("root_block_device")
    first = blocks[0] if isinstance(blocks, list) and blocks else None
    block = first if isinstance(first, dict) else {}
    size = block.get("volume_size")
    sized = f"the {size} GB root disk" if type(size) is int else "the root disk"
    if block.get("delete_on_termination") is False:
        return f"{sized} comes off and stays, and is billed; with it go out of use"
    return sized


# Every `action_reason` of Terraform's JSON output format, version 1.2.
_REASONS: Final[Mapping[str, str]] = {
    "replace_because_tainted": "the last apply left it damaged (tainted)",
    "replace_because_cannot_update": "this cannot be changed in place",
    "replace_by_request": "somebody asked for it with -replace",
    "replace_by_triggers": "something that triggers its replacement changes",
    "delete_because_no_resource_config": "it is no longer in the configuration",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_wrong_repetition": "the configuration has it with another kind of key",
    "delete_because_count_index": "its number is beyond the configured count",
    "delete_because_each_key": "its key is no longer among those configured",
    "delete_because_no_move_target": "it moved to an address that nothing configures",
    "read_because_config_unknown": "what it asks for is known only during the apply",
    "read_because_dependency_pending": "it depends on something that changes",
    "read_because_check_nested": "a check reads it",
}


def cause_of(change: ResourceChange, kind: PlanKind) -> str:
    """Return why a resource is destroyed or replaced."""
    if change.deposed:
        return "an interrupted replacement left this old object behind"
    if change.reason:
        forced = [each.path for each in change.updates if each.forces_replacement]
        if change.reason == "replace_because_cannot_update" and forced:
            return f"{' and '.join(forced)} cannot be changed in place"
        # A reason of a later Terraform is shown as it stands.
        return _REASONS.get(change.reason, change.reason.replace("_", " "))
    if change.action.replaces:
        return "Terraform gives no reason"
    if kind is PlanKind.DESTROY:
        return "the plan is to remove everything"
    return "Terraform gives no reason"


_RESTARTS: Final = "stops the VM and starts it again: SSH sessions and running pipelines end"
_HOSTS: Final = "Batch replaces its hosts: jobs that run on them may be interrupted and start over"
_DELETES_OBJECTS: Final = "decides which objects S3 deletes, and when: within a day of the apply"

# By type and the start of the attribute's path: AWS provider and AWS documentation of each.
_UPDATES: Final = (
    ("aws_instance", "instance_type", _RESTARTS),
    ("aws_instance", "user_data", _RESTARTS),
    ("aws_instance", "ebs_optimized", _RESTARTS),
    ("aws_instance", "cpu_options", _RESTARTS),
    (
        "aws_instance",
        "root_block_device[0].volume_size",
        "changes the disk while the VM runs; its file system follows when the VM starts next",
    ),
    ("aws_batch_compute_environment", "compute_resources[0].max_vcpus", "limits new jobs only"),
    (
        "aws_batch_compute_environment",
        "compute_resources[0].min_vcpus",
        "so many vCPUs run, and are billed, without any job",
    ),
    (
        "aws_batch_compute_environment",
        "compute_resources[0].desired_vcpus",
        "Batch sets this number itself while jobs run, and refuses a lower one",
    ),
    ("aws_batch_compute_environment", "compute_resources", _HOSTS),
    ("aws_batch_compute_environment", "state", "a disabled one starts no jobs"),
    ("aws_batch_job_queue", "state", "a disabled one takes no jobs"),
    ("aws_s3_bucket_lifecycle_configuration", "rule", _DELETES_OBJECTS),
    (
        "aws_s3_bucket_versioning",
        "versioning_configuration",
        "where it is suspended, an object that is overwritten or deleted is lost",
    ),
    ("aws_s3_bucket", "force_destroy", "where it is true, a destroy deletes every object"),
    ("aws_ecr_repository", "force_delete", "where it is true, a destroy deletes every image"),
    ("aws_ecr_lifecycle_policy", "policy", "decides which images ECR deletes, and when"),
    ("aws_cloudwatch_log_group", "retention_in_days", "logs that are older are deleted"),
)


def consequence_of(change: ResourceChange) -> str:
    """Return what an update does, in words; empty where it touches nothing that runs or lasts."""
    known = [(start, meaning) for type_, start, meaning in _UPDATES if type_ == change.type]
    found = (
        next((meaning for start, meaning in known if each.path.startswith(start)), "")
        for each in change.updates
    )
    return "; ".join(dict.fromkeys(filter(None, found)))
