"""What AWS authorizes of a call to EC2.

Sources: service authorization reference; EC2 user guide, "Control access to EC2 resources" and
"Grant permission to tag Amazon EC2 resources during creation".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from biomodal_deploy.iam import iam_reference
from biomodal_deploy.iam.evaluate import Request
from tests.support.authority.account import Account
from tests.support.authority.call import ApiCall
from tests.support.authority.common import (
    Context,
    UnknownCallError,
    request,
    request_tags,
    resource_tags,
    tags_in,
)

# Parameters that name a resource of a type, alone or as a list.
_NAMED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "elastic-ip": ("AllocationId",),
    "image": ("ImageId",),
    "instance": ("InstanceId",),
    "key-pair": ("KeyName",),
    "launch-template": ("LaunchTemplateId",),
    "network-interface": ("NetworkInterfaceId",),
    "security-group": ("GroupId", "SecurityGroupId"),
    "security-group-rule": ("SecurityGroupRuleId",),
    "subnet": ("SubnetId",),
    "volume": ("VolumeId",),
    "vpc": ("VpcId",),
}
_CREATED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "AllocateAddress": ("elastic-ip",),
    "AuthorizeSecurityGroupEgress": ("security-group-rule",),
    "AuthorizeSecurityGroupIngress": ("security-group-rule",),
    "CreateLaunchTemplate": ("launch-template",),
    "CreateSecurityGroup": ("security-group",),
    "ImportKeyPair": ("key-pair",),
    "RunInstances": ("instance", "network-interface", "volume"),
}
_ID_PREFIXES: Final[Mapping[str, str]] = {
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "i": "instance",
    "key": "key-pair",
    "lt": "launch-template",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "vol": "volume",
}


def requests(call: ApiCall, account: Account) -> Iterator[Request]:
    """Give what AWS authorizes."""
    action = f"ec2:{call.operation}"
    if call.operation in ("CreateTags", "DeleteTags"):
        yield from _tagging(call, action, account)
        return
    known = iam_reference.action(action)
    if known is None or not known.resources:
        yield request(call, action, "*")
        return
    created = _CREATED_BY.get(call.operation, ())
    for use in known.resources:
        if use.name in created:
            yield from _creating(call, action, use.name, account)
        else:
            for identifier in _named(call, use.name, account):
                context = _existing(use.name, identifier, account)
                yield request(call, action, _arn(use.name, identifier, account), context)
    yield from _passing(call, account)


def _named(call: ApiCall, kind: str, account: Account) -> list[str]:
    found = [value for name in _NAMED_BY.get(kind, ()) for value in call.each(name)]
    if kind == "security-group-rule":
        found += [
            value for key, value in call.parameters.items() if key.endswith("SecurityGroupRuleId")
        ]
    if kind == "instance" and "IamInstanceProfileAssociation" in call.operation:
        found.append(account.profiled_instance(call.one("AssociationId") or "") or "*")
    if kind == "elastic-ip" and (association := call.one("AssociationId")):
        found.append(account.allocation(association) or "*")
    if kind == "security-group" and call.operation == "RunInstances" and not found:
        # Who names none gets the VPC's default group.
        default = account.default_group(call.one("SubnetId") or "")
        found = [default] if default else []
    if kind == "network-interface":
        # The provider names the old VM's, which went with it: the service says that it is gone.
        found = [identifier for identifier in found if account.facts(kind, identifier)]
    return list(dict.fromkeys(found))


def _creating(call: ApiCall, action: str, kind: str, account: Account) -> Iterator[Request]:
    tags = _tags_for(call, kind)
    if kind == "security-group-rule" and not tags:
        return  # AWS asks for the rule only where it gets tags.
    # An id that does not exist yet is judged as `*`; a key pair's name is known.
    identifier = call.one("KeyName") or "*" if kind == "key-pair" else "*"
    arn = _arn(kind, identifier, account)
    yield request(call, action, arn, _new(call, kind, account) | request_tags(tags))
    if tags:
        context = {"ec2:CreateAction": (call.operation,)} | request_tags(tags)
        yield request(call, "ec2:CreateTags", arn, context)


def _tags_for(call: ApiCall, kind: str) -> dict[str, str]:
    for key, value in call.parameters.items():
        if key.startswith("TagSpecification.") and key.endswith(".ResourceType") and value == kind:
            return tags_in(call.parameters, key.replace(".ResourceType", ".Tag"))
    return {}


def _tagging(call: ApiCall, action: str, account: Account) -> Iterator[Request]:
    tags = request_tags(tags_in(call.parameters, "Tag"))
    for identifier in call.each("ResourceId"):
        kind = _ID_PREFIXES.get(identifier.partition("-")[0])
        if kind is None:
            raise UnknownCallError(f"{action} of {identifier}")
        name = account.key_name(identifier) if kind == "key-pair" else identifier
        context = _existing(kind, identifier, account) | tags
        yield request(call, action, _arn(kind, name, account), context)


def _passing(call: ApiCall, account: Account) -> Iterator[Request]:
    profile = call.one("IamInstanceProfile.Name", "IamInstanceProfile.Arn")
    for role in account.profile_roles(profile) if profile else ():
        yield request(call, "iam:PassRole", role, {"iam:PassedToService": ("ec2.amazonaws.com",)})


def _new(call: ApiCall, kind: str, account: Account) -> Context:
    subnet = call.one("SubnetId")
    if kind == "network-interface" and subnet:
        return {"ec2:Subnet": (_arn("subnet", subnet, account),)}
    if kind == "volume":
        mappings = call.under("BlockDeviceMapping")
        encrypted = any(
            key.endswith(".Encrypted") and value == "true" for key, value in mappings.items()
        )
        return {"ec2:Encrypted": (str(encrypted).lower(),)}
    return {}


def _existing(kind: str, identifier: str, account: Account) -> Context:
    known = {key: (value,) for key, value in account.facts(kind, identifier).items()}
    return resource_tags(account.tags(identifier)) | known


def _arn(kind: str, identifier: str, account: Account) -> str:
    return iam_reference.arn(f"ec2:{kind}", identifier, account.place)
