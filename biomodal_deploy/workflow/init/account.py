"""What an account has to pick from, read-only; and why there is nothing to pick, in one line."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from biomodal_deploy.aws.clients import Clients
from biomodal_deploy.aws.errors import Kind, classify_error, one_line
from biomodal_deploy.aws.identity import region_of
from biomodal_deploy.aws.pool import Once
from biomodal_deploy.aws.session import open_session
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init.question import Asker, Choice

if TYPE_CHECKING:
    from boto3.session import Session
    from types_boto3_ec2.type_defs import TagTypeDef

# A person waits for these lists; an account that has more is filtered by typing anyway.
_MOST: Final = 2000
# What concerns one list alone: the others may still be had.
_ONE_LIST: Final = {Kind.DENIED, Kind.NOT_OFFERED, Kind.OTHER, Kind.THROTTLED}


class Aws:
    """AWS, as far as a new stack is concerned: its regions, and an account's lists.

    Args:
        asker: Told what is waited for, and why a list cannot be had.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

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

    def lists(self, region: str) -> AccountLists | None:
        """Return the lists of the account in a region; None where the set-up is broken."""
        session = self._session(region)
        return AccountLists(session, region, self._asker) if session else None

    def _session(self, region: str | None) -> Session | None:
        try:
            return open_session(region)
        except UsageError as error:
            self._asker.warn(f"Nothing to pick from: {error} Please type the answers")
            return None


class AccountLists:
    """The lists of one account in one region.

    Once AWS cannot be asked at all (no credentials, no network), it is not asked again.

    Args:
        session: Where credentials and endpoints come from.
        asker: Told what is waited for, and why a list cannot be had.

    Attributes:
        account: Returns the account of the credentials; None where AWS does not say.
    """

    def __init__(self, session: Session, region: str, asker: Asker) -> None:
        self._clients = Clients(session, region)
        self._asker = asker
        self._closed = False
        self.account = Once(self._caller)

    def keep_to(self, account: str) -> None:
        """Close the lists where the credentials are those of another account."""
        caller = self.account()
        if caller and caller != account:
            self._closed = True
            self._asker.warn(
                f"The credentials are those of account {caller}, not of {account}: there is "
                "nothing to pick from. Please type the answers"
            )

    def vpcs(self) -> Sequence[Choice]:
        """Return the region's VPCs."""
        return self._listed("VPCs", self._vpcs)

    def subnets(self, vpc_id: str) -> Sequence[Choice]:
        """Return the subnets of a VPC."""
        return self._listed("subnets", lambda: self._subnets(vpc_id))

    def public_keys(self) -> Mapping[str, str]:
        """Return the public halves of the account's key pairs by name."""
        found = self._listed("key pairs", self._public_keys)
        return {choice.value: choice.details[0] for choice in found}

    def instance_types(self, subnet_id: str) -> Sequence[Choice]:
        """Return the instance types that are offered in a subnet's zone."""
        return self._listed("instance types", lambda: self._instance_types(subnet_id))

    def _listed(self, what: str, read: Callable[[], Iterable[Choice]]) -> Sequence[Choice]:
        if self._closed:
            return ()
        try:
            with self._asker.waiting(f"Asking AWS for {what} ..."):
                return tuple(read())[:_MOST]
        except (BotoCoreError, ClientError) as error:
            failure = classify_error(error, self._clients)
            self._closed = failure.kind not in _ONE_LIST
            subject = "Nothing to pick from" if self._closed else f"No list of {what}"
            self._asker.warn(f"{subject}: {failure.line}. Please type the answer")
            return ()

    def _caller(self) -> str | None:
        def read() -> Iterable[Choice]:
            return [Choice(self._clients.sts().get_caller_identity()["Account"])]

        return next((found.value for found in self._listed("the account", read)), None)

    def _vpcs(self) -> Iterable[Choice]:
        pages = self._clients.ec2().get_paginator("describe_vpcs").paginate()
        found = [vpc for page in pages for vpc in page["Vpcs"]]
        found.sort(
            key=lambda vpc: (vpc.get("IsDefault", False), _name(vpc.get("Tags", [])), vpc["VpcId"])
        )
        return [
            Choice(
                vpc["VpcId"],
                _details(
                    vpc["CidrBlock"],
                    _name(vpc.get("Tags", [])),
                    "default" if vpc.get("IsDefault") else "",
                ),
            )
            for vpc in found
        ]

    def _subnets(self, vpc_id: str) -> Iterable[Choice]:
        pages = (
            self._clients.ec2()
            .get_paginator("describe_subnets")
            .paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
        )
        found = [subnet for page in pages for subnet in page["Subnets"]]
        found.sort(
            key=lambda each: (
                each["AvailabilityZone"],
                _name(each.get("Tags", [])),
                each["SubnetId"],
            )
        )
        return [
            Choice(
                each["SubnetId"],
                _details(
                    each["AvailabilityZone"],
                    each.get("CidrBlock", ""),
                    f"{each['AvailableIpAddressCount']} free",
                    _name(each.get("Tags", [])),
                ),
            )
            for each in found
        ]

    def _public_keys(self) -> Iterable[Choice]:
        said = self._clients.ec2().describe_key_pairs(IncludePublicKey=True)
        return [
            Choice(one_line(key["KeyName"]), (text,))
            for key in sorted(said["KeyPairs"], key=lambda key: key.get("KeyName", ""))
            # Keys made long ago have none that EC2 could show.
            if (text := key.get("PublicKey", "").strip())
        ]

    def _instance_types(self, subnet_id: str) -> Iterable[Choice]:
        ec2 = self._clients.ec2()
        subnet = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"][0]
        zone = subnet["AvailabilityZone"]
        pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone", Filters=[{"Name": "location", "Values": [zone]}]
        )
        names = {
            str(each["InstanceType"]) for page in pages for each in page["InstanceTypeOfferings"]
        }
        return [Choice(name) for name in sorted(names, key=_by_size)]


def _by_size(instance_type: str) -> list[str | int]:
    """Sort `m6i.2xlarge` before `m6i.12xlarge`."""
    parts = re.split("([0-9]+)", instance_type)
    return [int(part) if part.isdecimal() else part for part in parts]


def _name(tags: Iterable[TagTypeDef]) -> str:
    return next((one_line(tag["Value"]) for tag in tags if tag["Key"] == "Name"), "")


def _details(*texts: str) -> tuple[str, ...]:
    return tuple(text for text in texts if text)
