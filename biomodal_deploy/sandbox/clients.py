"""boto3 clients that can reach the sandbox and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import boto3
import botocore.session
from botocore.client import BaseClient
from botocore.config import Config

from biomodal_deploy.sandbox.account import ACCESS_KEY_ID, SECRET_ACCESS_KEY


def client_factory(endpoint: str, region: str, config_file: Path) -> Callable[[str], BaseClient]:
    """Return a function that makes a client by the name of its service.

    Args:
        config_file: An AWS configuration of our own: the caller's, its profiles and its
            credentials are never opened, whatever the environment says.
    """
    core = botocore.session.Session()
    core.set_config_variable("config_file", str(config_file))
    core.set_config_variable("credentials_file", str(config_file))
    core.set_config_variable("profile", "default")
    session = boto3.session.Session(
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=region,
        botocore_session=core,
    )
    config = Config(
        # An answer on loopback that failed once fails again: waiting only hides it.
        retries={"total_max_attempts": 1},
        proxies={},
        s3={"addressing_style": "path"},
        use_fips_endpoint=False,
        use_dualstack_endpoint=False,
    )

    def make(service: str) -> BaseClient:
        made: BaseClient = session.client(  # type: ignore[call-overload]
            service, endpoint_url=endpoint, config=config
        )
        return made

    return make
