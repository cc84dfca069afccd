"""The sandbox's account as data, and the environment of a command that may reach it alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DEFAULT_REGION: Final = "us-east-1"
DEFAULT_ACCOUNT_ID: Final = "123456789012"
ACCOUNT_ALIAS: Final = "sandbox"
# Words and not key-shaped: nothing here can be mistaken for a credential, by people or scanners.
ACCESS_KEY_ID: Final = "sandbox"
SECRET_ACCESS_KEY: Final = "sandbox"  # noqa: S105


@dataclass(frozen=True, order=True)
class Item:
    """One thing in the account.

    Attributes:
        kind: What it is, for people: `EC2 instance`.
        identifier: Its id, name or ARN, whichever tells it from others.
    """

    kind: str
    identifier: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """The seeded account.

    Attributes:
        region: The region that is seeded; the others have a default VPC and nothing else.
        vpc_id: A VPC with DNS, beside the region's default one.
        subnet_ids: Public subnets in two zones, with a route to an internet gateway.
        private_subnet_id: A subnet that has no route out.
        image_id: The newest Ubuntu 22.04 LTS for amd64.
        baseline: Everything that is there before anyone's first apply.
    """

    endpoint: str
    region: str
    account_id: str
    vpc_id: str
    subnet_ids: tuple[str, ...]
    private_subnet_id: str
    image_id: str
    baseline: frozenset[Item]


PREFIX: Final = "biomodal-sandbox-"
CONFIG_FILE: Final = "aws-config"

_LOOPBACK: Final = ("127.0.0.1", "localhost")


def write_config_file(directory: Path) -> Path:
    """Write an AWS configuration that holds one empty profile, for its owner's eyes only."""
    path = directory / CONFIG_FILE
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("[default]\n")
    return path


def sandbox_environment(
    base: Mapping[str, str], *, endpoint: str, region: str, config_file: Path
) -> dict[str, str]:
    """Return an environment in which every AWS tool talks to the sandbox.

    All that begins with AWS_ is left out: keys, profiles, roles, container and web identity
    credentials, endpoints of single services, a bundle of certificates. What the tools would then
    read from the home directory or from instance metadata is closed to them as well.

    Args:
        config_file: Stands in for the caller's AWS configuration and credentials files.
    """
    kept = {name: value for name, value in base.items() if not name.upper().startswith("AWS_")}
    # botocore's oldest source of credentials; only a file of that name can switch it off.
    kept["BOTO_CONFIG"] = str(config_file)
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [host for host in kept.get(name, "").split(",") if host]
        kept[name] = ",".join(dict.fromkeys([*hosts, *_LOOPBACK]))
    return kept | {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_CONFIG_FILE": str(config_file),
        "AWS_SHARED_CREDENTIALS_FILE": str(config_file),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
