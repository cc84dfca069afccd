"""What the sandbox's account holds, as far as authorization asks: read from moto's own memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.language import PolicyDocument, parse_policy

_NO_TAGS: Final[Mapping[str, str]] = {}


class Account:
    """The account in one region."""

    def __init__(self, place: Place) -> None:
        from moto.backends import get_backend

        self.place = place
        self._ec2: Any = get_backend("ec2")[place.account][place.region]
        self._iam: Any = get_backend("iam")[place.account][place.partition]
        self._s3: Any = get_backend("s3")[place.account][place.partition]
        self._kms: Any = get_backend("kms")[place.account][place.region]

    def user_of(self, key_id: str) -> str | None:
        """Return the IAM user whose access key this is, None for the account's owner."""
        for user in self._iam.users.values():
            if any(key.access_key_id == key_id for key in user.access_keys):
                return str(user.name)
        return None

    def policies_of(self, user: str) -> Iterator[PolicyDocument]:
        """Give the user's policies: inline ones, attached ones, and those of groups."""
        for name in self._iam.list_user_policies(user):
            yield _policy(self._iam.get_user_policy(user, name)["policy_document"])
        attached, _ = self._iam.list_attached_user_policies(user)
        for group in self._iam.get_groups_for_user(user):
            for name in self._iam.list_group_policies(group.name):
                yield _policy(self._iam.get_group_policy(group.name, name)["policy_document"])
            attached = [*attached, *self._iam.list_attached_group_policies(group.name)[0]]
        for policy in attached:
            yield from (
                _policy(version.document)
                for version in policy.versions
                if version.is_default_version
            )

    def tags(self, resource_id: str) -> Mapping[str, str]:
        """Return an EC2 resource's tags."""
        return dict(self._ec2.tags.get(resource_id, _NO_TAGS))

    def role_arn(self, name: str) -> str:
        """Return a role's ARN, its path in it where it exists."""
        role = self._role(name)
        default = f"arn:{self.place.partition}:iam::{self.place.account}:role/{name}"
        return str(role.arn) if role else default

    def _role(self, name: str) -> Any:
        return next((each for each in self._iam.roles.values() if each.name == name), None)

    def boundary(self, name: str) -> str | None:
        """Return the ARN of the policy that bounds a role, None where none does."""
        role = self._role(name)
        return role.permissions_boundary_arn if role else None

    def linked_role_arn(self, service: str, suffix: str | None) -> str:
        """Return the ARN that a service-linked role has, or will have."""
        from moto.iam import models

        word = service.partition(".")[0]
        name = f"AWSServiceRoleFor{models.SERVICE_NAME_CONVERSION.get(word, word)}"
        name = f"{name}_{suffix}" if suffix else name
        return iam_reference.arn("iam:role", f"aws-service-role/{service}/{name}", self.place)

    def profile_roles(self, name_or_arn: str) -> list[str]:
        """Return the ARNs of the roles in an instance profile."""
        name = name_or_arn.rpartition("/")[2]
        for profile in self._iam.instance_profiles.values():
            if profile.name == name:
                return [str(role.arn) for role in profile.roles]
        return []

    def facts(self, kind: str, resource_id: str) -> dict[str, str]:
        """Return what EC2's condition keys say of a resource, nothing where there is none."""
        from moto.core.exceptions import ServiceException

        try:
            return self._facts(kind, resource_id)
        except ServiceException:  # what moto raises for an id that it does not know
            return {}

    def _facts(self, kind: str, resource_id: str) -> dict[str, str]:
        if kind == "security-group":
            group = self._ec2.get_security_group_from_id(resource_id)
            return {"ec2:Vpc": self._arn("vpc", group.vpc_id)} if group else {}
        if kind == "subnet":
            return {"ec2:Vpc": self._arn("vpc", self._ec2.get_subnet(resource_id).vpc_id)}
        if kind == "network-interface":
            subnet = self._ec2.get_network_interface(resource_id).subnet
            return {
                "ec2:Vpc": self._arn("vpc", subnet.vpc_id),
                "ec2:Subnet": self._arn("subnet", subnet.id),
            }
        if kind == "image":
            image = self._ec2.describe_images([resource_id])[0]
            # An alias comes before the number: "owned by (amazon, aws-marketplace, or an account)".
            return {"ec2:Owner": str(image.owner_alias or image.owner_id)}
        if kind == "volume":
            encrypted = bool(self._ec2.get_volume(resource_id).encrypted)
            return {"ec2:Encrypted": str(encrypted).lower()}
        return {}

    def _arn(self, kind: str, resource_id: str) -> str:
        return iam_reference.arn(f"ec2:{kind}", resource_id, self.place)

    def has_object(self, bucket: str, key: str) -> bool:
        """Whether a bucket of the account has an object of that name."""
        found = self._s3.buckets.get(bucket)
        return found is not None and key in found.keys

    def object_key(self, bucket: str, key: str) -> str | None:
        """Return the KMS key that an object is encrypted with, None where it is with none."""
        found = self._s3.buckets[bucket].keys.get(key) if bucket in self._s3.buckets else None
        if found is None or not str(found.encryption).startswith("aws:kms"):
            return None
        used: str | None = found.kms_key_id
        return used

    def default_key(self, bucket: str) -> str | None:
        """Return the KMS key that a bucket encrypts with by default, None where it is with none."""
        found = self._s3.buckets.get(bucket)
        rule = (found.encryption or {}).get("Rule", {}) if found else {}
        default = rule.get("ApplyServerSideEncryptionByDefault", {})
        with_kms = str(default.get("SSEAlgorithm")).startswith("aws:kms")
        return default.get("KMSMasterKeyID") if with_kms else None

    def key_arn(self, key: str) -> str:
        """Return the ARN of a KMS key that is named by id, ARN or alias."""
        key_id = self._kms.any_id_to_key_id(key)
        found = self._kms.keys.get(key_id)
        return str(found.arn) if found else iam_reference.arn("kms:key", key_id, self.place)

    def key_aliases(self, key: str) -> tuple[str, ...]:
        """Return a KMS key's aliases."""
        key_id = self._kms.any_id_to_key_id(key)
        return tuple(each.alias_name for each in self._kms.list_aliases(key_id))

    def key_name(self, key_id: str) -> str:
        """Return the name of the key pair with that id."""
        return next(
            (str(pair.key_name) for pair in self._ec2.key_pairs.values() if pair.id == key_id),
            key_id,
        )

    def default_group(self, subnet_id: str) -> str | None:
        """Return the default security group of a subnet's VPC."""
        from moto.core.exceptions import ServiceException

        try:
            vpc_id = self._ec2.get_subnet(subnet_id).vpc_id
        except ServiceException:
            return None
        group = self._ec2.get_security_group_from_name("default", vpc_id)
        return str(group.id) if group else None

    def allocation(self, association_id: str) -> str | None:
        """Return the allocation of an attached elastic IP."""
        for address in self._ec2.describe_addresses():
            if address.association_id == association_id:
                return str(address.allocation_id)
        return None

    def profiled_instance(self, association_id: str) -> str | None:
        """Return the instance that an instance profile's association is of."""
        for instance_id, each in self._ec2.iam_instance_profile_associations.items():
            if each.association_id == association_id:
                return str(instance_id)
        return None


def _policy(document: str) -> PolicyDocument:
    return parse_policy(json.loads(document))
