"""The deployer's policy as published, with its placeholders filled in.

Document section "Required IAM Permissions for Terraform Stack".
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Final

from pydantic import JsonValue

from biomodal_deploy.config.contract.aws import job_queue_name
from biomodal_deploy.iam.place import Place

# Ids that AWS assigns when Terraform creates the thing: no policy can name them before. And a key
# and a parameter that nothing in the stack has.
_UNKNOWABLE: Final = (
    "AllocationId",
    "ImageId",
    "InstanceId",
    "KeyId",
    "LaunchTemplateId",
    "NetworkInterfaceId",
    "ParameterNameWithoutLeadingSlash",
    "SecurityGroupId",
)
_PLACEHOLDER: Final = re.compile(r"\$\{(\w+)\}")


def documented_policy(
    place: Place, *, vm_name: str, subnet_id: str, bucket: str
) -> dict[str, JsonValue]:
    """Return the published policy for a stack, word for word but for its placeholders.

    Args:
        place: Region and account; the partition stays `aws`, as published.
    """
    values = dict.fromkeys(_UNKNOWABLE, "*") | {
        "Account": place.account,
        "BucketName": bucket,
        "ComputeEnvironmentName": vm_name,
        "InstanceProfileNameWithPath": vm_name,
        "JobQueueName": job_queue_name(vm_name),
        "KeyPairName": vm_name,
        "Region": place.region,
        "RoleNameWithPath": vm_name,
        "SubnetId": subnet_id,
    }
    text = _published()
    rendered: dict[str, JsonValue] = json.loads(
        _PLACEHOLDER.sub(lambda found: values[found[1]], text)
    )
    return rendered


def _published() -> str:
    path = files("biomodal_deploy.iam") / "data" / "documented_deployer.json"
    return path.read_text(encoding="utf-8")
