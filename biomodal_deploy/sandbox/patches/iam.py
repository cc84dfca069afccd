"""What moto's IAM lacks."""

from __future__ import annotations

from typing import Any, Final

from moto.iam import models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend
from moto.iam.policy_conditions import CONDITION_OPERATIONS

from biomodal_deploy.sandbox.patches.change import Change, Method

_SERVICE_LINKED: Final = {
    "batch": "Batch",
    "ecs": "ECS",
    "spot": "EC2Spot",
    "spotfleet": "EC2SpotFleet",
}


def service_linked_role_names() -> list[Change]:
    """Name service-linked roles as AWS does.

    moto builds the name from the service's address: AWSServiceRoleForbatch, which is no role that
    anyone's ARN points at.
    """
    return [Change(models, "SERVICE_NAME_CONVERSION", lambda names: {**names, **_SERVICE_LINKED})]


def unread_conditions_deny_nothing() -> list[Change]:
    """Let a Deny be where moto cannot read its condition.

    moto takes each condition that it cannot read for fulfilled. The usual "deny whatever comes
    without TLS" on a bucket would then deny everything to everyone.
    """

    def reading(original: Method) -> Method:
        def is_action_permitted(self: Any, *args: Any, **kwargs: Any) -> object:
            statement: dict[str, Any] = self._statement
            if statement.get("Effect") == "Deny":
                operators = set(statement.get("Condition") or ())
                if not operators <= CONDITION_OPERATIONS.keys():
                    return PermissionResult.NEUTRAL
            return original(self, *args, **kwargs)

        return is_action_permitted

    return [Change(IAMPolicyStatement, "is_action_permitted", reading)]


def updates_of_a_role_keep_its_description() -> list[Change]:
    """Leave a role's description alone where UpdateRole names none.

    The AWS provider changes the session's length alone that way, and moto wipes the description.
    """

    def keeping(original: Method) -> Method:
        def update_role(
            self: Any, role_name: str, role_description: str | None, max_session_duration: str
        ) -> object:
            if role_description is None:
                role_description = self.get_role(role_name).description
            return original(self, role_name, role_description, max_session_duration)

        return update_role

    return [Change(IAMBackend, "update_role", keeping)]


def deletions_name_their_role() -> list[Change]:
    """Give the deletion of a service-linked role the id that AWS gives it.

    It names service and role, on which AWS judges who may ask how far the deletion is; moto's is a
    UUID alone.
    """

    def naming(original: Method) -> Method:
        def delete_service_linked_role(self: Any, role_name: str) -> str:
            path = self.get_role(role_name).path
            return f"task{path}{role_name}/{original(self, role_name)}"

        return delete_service_linked_role

    return [Change(IAMBackend, "delete_service_linked_role", naming)]


PATCHES: Final = (
    service_linked_role_names,
    deletions_name_their_role,
    unread_conditions_deny_nothing,
    updates_of_a_role_keep_its_description,
)
