"""Plans of the documented environment, for what it costs, and a price list's answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.plans import resource

UNKNOWN = {"root_block_device": [{"volume_type": True}]}
FLEET = {
    "type": "SPOT",
    "min_vcpus": 0,
    "max_vcpus": 256,
    "bid_percentage": 100,
    "instance_type": ["optimal"],
}


def machine(action: str = "create", kind: str = "t3.large", size: int = 100, **root: Any) -> Any:
    """Return the VM, as the documented stack plans it: the image decides its volume's type."""
    values = {
        "instance_type": kind,
        "monitoring": True,
        "root_block_device": [{"volume_size": size, **root}],
    }
    unknown = {} if root else UNKNOWN
    return _of("aws_instance.vm", action, values, after_unknown=unknown)


def batch(action: str = "create", **changed: Any) -> Any:
    """Return the compute environment."""
    values = {"state": "ENABLED", "compute_resources": [FLEET | changed]}
    return _of("aws_batch_compute_environment.batch", action, values)


def template(action: str = "create", size: int = 500, kind: str = "gp2") -> Any:
    """Return the hosts' launch template."""
    volume = {"volume_size": size, "volume_type": kind}
    return _of("aws_launch_template.batch", action, {"block_device_mappings": [{"ebs": [volume]}]})


def address(action: str = "create") -> Any:
    """Return the public address."""
    return _of("aws_eip.public_ip", action, {"domain": "vpc"})


def lifecycle(*rules: Mapping[str, Any]) -> Any:
    """Return a bucket's life cycle."""
    rule = [{"status": "Enabled", **each} for each in rules]
    return _of("aws_s3_bucket_lifecycle_configuration.data_bucket", "create", {"rule": rule})


def references() -> dict[str, Any]:
    """Return the configuration, in which the environment mentions its template."""
    names = ["aws_launch_template.batch.id", "aws_launch_template.batch"]
    mention = {"launch_template_id": {"references": names}}
    environment = {
        "address": "aws_batch_compute_environment.batch",
        "mode": "managed",
        "type": "aws_batch_compute_environment",
        "name": "batch",
        "expressions": {"compute_resources": [{"launch_template": [mention]}]},
    }
    launched = {"mode": "managed", "type": "aws_launch_template", "name": "batch"}
    return {"configuration": {"root_module": {"resources": [environment, launched]}}}


def documented() -> list[Any]:
    """Return everything of the documented stack that has a price."""
    return [machine(), address(), batch(), template()]


def _of(name: str, action: str, values: Any, **more: Any) -> Any:
    return resource(
        name,
        action,
        before=None if action == "create" else values,
        after=None if action == "delete" else values,
        **more,
    )
