"""Why Terraform does what it does, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from biomodal_deploy.plan import PlanKind, ResourceChange

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
