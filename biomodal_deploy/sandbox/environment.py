"""The environment of a command that may reach the sandbox and nothing else of AWS."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy.sandbox.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY

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
        base: The caller's environment; it is not changed.
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
