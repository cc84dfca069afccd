"""Plan documents by hand, for what real Terraform seldom plans."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from biomodal_deploy.plan import Plan, read_plan

ACTIONS: Mapping[str, Sequence[str]] = {
    "no-op": ["no-op"],
    "create": ["create"],
    "read": ["read"],
    "update": ["update"],
    "delete": ["delete"],
    "replace": ["delete", "create"],
    "replace-create-first": ["create", "delete"],
    "forget": ["forget"],
    "replace-and-forget": ["create", "forget"],
    "unknown": ["transmogrify"],
}


def resource(
    address: str, /, action: str = "create", before: Any = None, after: Any = None, **more: Any
) -> dict[str, Any]:
    """Return one entry of `resource_changes`; what belongs inside `change` is put there."""
    # The last two words, whatever module and whatever key they stand in.
    *_, kind, name = re.sub(r"\[[^]]*\]", "", address).split(".")
    inner = ("after_unknown", "before_sensitive", "after_sensitive", "replace_paths", "importing")
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {
            "actions": list(ACTIONS[action]),
            "before": before,
            "after": after,
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {},
            **{key: value for key, value in more.items() if key in inner},
        },
        **{key: value for key, value in more.items() if key not in inner},
    }


def output(action: str = "create", before: Any = None, after: Any = None, **more: Any) -> Any:
    """Return one entry of `output_changes`."""
    return {"actions": list(ACTIONS[action]), "before": before, "after": after, **more}


def document(*resources: Any, **more: Any) -> dict[str, Any]:
    """Return a plan document with these resource changes."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "timestamp": "2026-11-23T02:15:00Z",
        "applyable": bool(resources),
        "complete": True,
        "errored": False,
        "variables": {},
        "configuration": {"root_module": {}},
        "resource_changes": list(resources),
        **more,
    }


def encoded(document_: Any) -> bytes:
    """Return a document as `terraform show -json` prints it."""
    return json.dumps(document_).encode()


def plan(*resources: Any, **more: Any) -> Plan:
    """Return the plan that a document with these resource changes gives."""
    return read_plan(encoded(document(*resources, **more)))[0]
