"""The sandbox's account as data, its server, and the environment that reaches it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from biomodal_deploy.errors import EngineError, UsageError

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


_START_LIMIT_S: Final = 60.0
_STOP_LIMIT_S: Final = 5.0
SERVER: Final = "biomodal_deploy.sandbox.server"


class ServerChild:
    """The server process, started, ready, and bound to our life by a pipe.

    Args:
        log: Where its words go, mode 0600 in a folder of our own.

    Raises:
        EngineError: It ended or said nothing before the limit.
    """

    def __init__(
        self,
        arguments: list[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        server: str = SERVER,
    ) -> None:
        if find_spec("moto") is None:
            raise UsageError(
                "The sandbox's AWS services (moto) are not installed",
                fix='pip install "biomodal-aws[sandbox]"',
            )
        self._log = log
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as stderr:
            # -P: the caller's directory may hold a module of any name, and is no place to import
            # from. A session of its own: the terminal's Ctrl-C must not reach it, for Terraform
            # still needs an account to finish in.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", server, *arguments],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
                umask=0o077,
            )
        try:
            self.account = self._await_report()
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def stop(self) -> None:
        """End it and reap it; again is fine."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        finally:
            self._process.wait()

    def _await_report(self) -> Account:
        # A server that hangs gives no line and no end of file: its death gives the latter.
        deadline = threading.Timer(_START_LIMIT_S, self._process.kill)
        deadline.daemon = True
        deadline.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else b""
        finally:
            deadline.cancel()
        try:
            found = json.loads(line)
            baseline = frozenset(Item(**each) for each in found["baseline"])
            return Account(
                **{**found, "subnet_ids": tuple(found["subnet_ids"]), "baseline": baseline}
            )
        except (ValueError, TypeError, KeyError):
            # Its last words are written after the end of its report, and its log goes with it once
            # it sees the end of ours.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_LIMIT_S)
            raise EngineError(
                f"The sandbox's server did not start: {self._last_words()}",
                advice='check that it is whole: pip install --force-reinstall "moto[server]"',
            ) from None

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else "it said nothing"
