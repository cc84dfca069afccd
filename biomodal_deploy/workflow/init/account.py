"""What an account has to pick from, read-only; and why there is nothing to pick, in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import JsonValue

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error, one_line
from biomodal_deploy.aws.identity import region_of
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init import Asker, Choice

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_ec2.type_defs import TagTypeDef

# A person waits for these lists; an account that has more is filtered by typing anyway.
_MOST: Final = 2000
# What concerns one list alone: the others may still be had.
_ONE_LIST: Final = {Kind.DENIED, Kind.NOT_OFFERED, Kind.OTHER, Kind.THROTTLED}


class Account:
    """AWS, as far as a new stack is concerned: regions, and what an account has in one of them.

    Once AWS cannot be asked at all (no credentials, no network), it is not asked again.

    Args:
        asker: Told what is waited for, and why a list cannot be had.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._region = ""
        self._limit: JsonValue = None
        self._closed = False

    @property
    def region(self) -> str | None:
        """The region in use: the environment's, else the AWS profile's."""
        session = self._session(None)
        return region_of(os.environ) or (session.region_name if session else None)

    def regions(self) -> Sequence[str]:
        """Return the regions that the AWS library knows; AWS may have opened more since."""
        session = self._session(None)
        if session is None:
            return ()
        return sorted(
            region
            for partition in ("aws", "aws-us-gov", "aws-cn")
            for region in session.get_available_regions("ec2", partition)
        )

    def use(self, region: str, account: JsonValue) -> None:
        """Take the lists from this region, and from no other account where one is given."""
        self._region, self._limit = region, account

    def keep_to(self, account: str) -> None:
        """Close the lists where the credentials are those of another account."""
        if self.caller and self.caller != account:
            self._closed = True
            self._asker.warn(
                f"The credentials are those of account {self.caller}, not of {account}: there is "
                "nothing to pick from. Please type the answers"
            )

    @cached_property
    def caller(self) -> str | None:
        """The account of the credentials; None where AWS does not say."""
        found = self._listed(
            "the account", lambda aws: [Choice(aws.sts().get_caller_identity()["Account"])]
        )
        return next((each.value for each in found), None)

    def vpcs(self) -> Sequence[Choice]:
        """Return the region's VPCs."""
        return self._listed("VPCs", _vpcs)

    def subnets(self, vpc_id: str) -> Sequence[Choice]:
        """Return the subnets of a VPC."""
        return self._listed("subnets", lambda aws: _subnets(aws, vpc_id))

    def public_keys(self) -> Mapping[str, str]:
        """Return the public halves of the account's key pairs by name."""
        return {each.value: each.details[0] for each in self._listed("key pairs", _public_keys)}

    def instance_types(self, subnet_id: str) -> Sequence[Choice]:
        """Return the instance types that are offered in a subnet's zone."""
        return self._listed("instance types", lambda aws: _instance_types(aws, subnet_id))

    def _session(self, region: str | None) -> Session | None:
        try:
            return open_session(region)
        except UsageError as error:
            self._asker.warn(f"Nothing to pick from: {error} Please type the answers")
            return None

    @cached_property
    def _clients(self) -> Clients | None:
        session = self._session(self._region)
        return Clients(session, self._region) if session else None

    def _listed(self, what: str, read: Callable[[Clients], Iterable[Choice]]) -> Sequence[Choice]:
        if self._limit:
            limit, self._limit = str(self._limit), None
            self.keep_to(limit)
        if self._closed or self._clients is None:
            return ()
        try:
            with self._asker.waiting(f"Asking AWS for {what} ..."):
                return tuple(read(self._clients))[:_MOST]
        except (BotoCoreError, ClientError) as error:
            failure = classify_error(error, self._clients)
            self._closed = failure.kind not in _ONE_LIST
            subject = "Nothing to pick from" if self._closed else f"No list of {what}"
            self._asker.warn(f"{subject}: {failure.line}. Please type the answer")
            return ()


def _vpcs(aws: Clients) -> Iterable[Choice]:
    pages = aws.ec2().get_paginator("describe_vpcs").paginate()
    found = [
        (each.get("IsDefault", False), _name(each.get("Tags", [])), each)
        for page in pages
        for each in page["Vpcs"]
    ]
    for is_default, name, each in sorted(found, key=lambda it: (*it[:2], it[2]["VpcId"])):
        texts = each["CidrBlock"], name, "default" if is_default else ""
        yield Choice(each["VpcId"], tuple(filter(None, texts)))


def _subnets(aws: Clients, vpc_id: str) -> Iterable[Choice]:
    pages = aws.ec2().get_paginator("describe_subnets")
    found = [
        (each["AvailabilityZone"], _name(each.get("Tags", [])), each)
        for page in pages.paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
        for each in page["Subnets"]
    ]
    for zone, name, each in sorted(found, key=lambda it: (*it[:2], it[2]["SubnetId"])):
        free = f"{each['AvailableIpAddressCount']} free"
        texts = zone, each.get("CidrBlock", ""), free, name
        yield Choice(each["SubnetId"], tuple(filter(None, texts)))


def _public_keys(aws: Clients) -> Iterable[Choice]:
    said = aws.ec2().describe_key_pairs(IncludePublicKey=True)
    for key in sorted(said["KeyPairs"], key=lambda key: key.get("KeyName", "")):
        # Keys made long ago have none that EC2 could show.
        if text := key.get("PublicKey", "").strip():
            yield Choice(one_line(key["KeyName"]), (text,))


def _instance_types(aws: Clients, subnet_id: str) -> Iterable[Choice]:
    subnet = aws.ec2().describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
    zone = subnet["AvailabilityZone"]
    pages = aws.ec2().get_paginator("describe_instance_type_offerings")
    names = {
        str(each["InstanceType"])
        for page in pages.paginate(
            LocationType="availability-zone", Filters=[{"Name": "location", "Values": [zone]}]
        )
        for each in page["InstanceTypeOfferings"]
    }
    return [Choice(name) for name in sorted(names, key=_by_size)]


def _by_size(instance_type: str) -> list[str | int]:
    """Sort `m6i.2xlarge` before `m6i.12xlarge`."""
    parts = re.split("([0-9]+)", instance_type)
    return [int(part) if part.isdecimal() else part for part in parts]


def _name(tags: Iterable[TagTypeDef]) -> str:
    return next((one_line(tag["Value"]) for tag in tags if tag["Key"] == "Name"), "")
