"""An AWS account on loopback: moto in server mode, patched, seeded, and gone afterwards.

The synthesized configuration runs against it unchanged: the AWS provider, the S3 backend and
boto3 all follow `AWS_ENDPOINT_URL`. Nothing here is imported that is slow to import; moto and
boto3 are loaded where they are used.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self, overload

from biomodal_deploy.sandbox.account import (
    DEFAULT_ACCOUNT_ID,
    DEFAULT_REGION,
    PREFIX,
    SERVER,
    Account,
    Item,
    ServerChild,
    sandbox_environment,
    write_config_file,
)

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from types_boto3_batch import BatchClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_ecr import ECRClient
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client
    from types_boto3_service_quotas import ServiceQuotasClient
    from types_boto3_sts import STSClient


__all__ = ["Item", "Sandbox"]


DEFAULT_VM_NAME: Final = "biomodal-sandbox"


class Sandbox:
    """The account, its server running; `Sandbox.start()` makes one."""

    def __init__(self, child: ServerChild, config_file: Path, closing: ExitStack) -> None:
        self.account: Final[Account] = child.account
        self._child, self._config_file, self._closing = child, config_file, closing

    @classmethod
    def start(
        cls,
        workdir: Path | None = None,
        *,
        region: str = DEFAULT_REGION,
        account_id: str = DEFAULT_ACCOUNT_ID,
        server: str = SERVER,
    ) -> Self:
        """Start a server of its own on a free port of 127.0.0.1, and seed its account.

        Args:
            workdir: Where a folder for its private files is made, which `stop` removes again;
                the system's temporary directory where None.
        """
        with ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(prefix=PREFIX, dir=workdir)
            directory = Path(stack.enter_context(folder))
            config_file = write_config_file(directory)
            # The server signs requests to itself while it seeds: no real keys are near it either.
            environment = sandbox_environment(
                os.environ, endpoint="http://127.0.0.1", region=region, config_file=config_file
            )
            child = ServerChild(
                [region, account_id, str(directory)],
                environment=environment,
                log=directory / "server.log",
                server=server,
            )
            stack.callback(child.stop)
            return cls(child, config_file, stack.pop_all())

    def stop(self) -> None:
        """End the server and remove its files; again is fine."""
        self._closing.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """Where all its services answer."""
        return self.account.endpoint

    @property
    def region(self) -> str:
        """The seeded region."""
        return self.account.region

    @property
    def account_id(self) -> str:
        """The account's number."""
        return self.account.account_id

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._child.pid

    @property
    def directory(self) -> Path:
        """A folder that only the user can read, and that goes when the sandbox stops."""
        return self._config_file.parent

    @cached_property
    def public_key(self) -> str:
        """An ed25519 public key, made on the fly; its private half is kept nowhere."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        line = (
            Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        )
        return f"{line.decode()} sandbox"

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which every AWS tool talks to this sandbox and nothing else."""
        return sandbox_environment(
            base, endpoint=self.endpoint, region=self.region, config_file=self._config_file
        )

    def variables(self, vm_name: str = DEFAULT_VM_NAME) -> dict[str, str]:
        """Return values for the documented variables that have no default, and the public key."""
        return {
            "region": self.region,
            "vpc_id": self.account.vpc_id,
            "subnet_id": self.account.subnet_ids[0],
            "vm_name": vm_name,
            "ssh_public_key": self.public_key,
        }

    def tfvars_text(self, vm_name: str = DEFAULT_VM_NAME) -> str:
        """Return those values as the text of a `terraform.tfvars`."""
        values = self.variables(vm_name)
        width = max(map(len, values))
        return "".join(f'{name:<{width}} = "{value}"\n' for name, value in values.items())

    def write_tfvars(self, path: Path, vm_name: str = DEFAULT_VM_NAME) -> Path:
        """Write them to a new file, mode 0600.

        Raises:
            FileExistsError: There is one: a user's own values are never overwritten.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.tfvars_text(vm_name))
        return path

    @overload
    def client(self, service: Literal["batch"]) -> BatchClient: ...
    @overload
    def client(self, service: Literal["ec2"]) -> EC2Client: ...
    @overload
    def client(self, service: Literal["ecr"]) -> ECRClient: ...
    @overload
    def client(self, service: Literal["iam"]) -> IAMClient: ...
    @overload
    def client(self, service: Literal["s3"]) -> S3Client: ...
    @overload
    def client(self, service: Literal["service-quotas"]) -> ServiceQuotasClient: ...
    @overload
    def client(self, service: Literal["sts"]) -> STSClient: ...
    @overload
    def client(self, service: str) -> BaseClient: ...
    def client(self, service: str) -> object:
        """Return a boto3 client of the account's owner, bound to this sandbox."""
        return self._clients(service)

    def leftovers(self) -> list[Item]:
        """Return what is in the account beyond what it was seeded with, read through the API."""
        from biomodal_deploy.sandbox.inventory import inventory

        found = inventory(self._clients, self.account_id)
        return [item for item in found if item not in self.account.baseline]

    @cached_property
    def _clients(self) -> Callable[[str], BaseClient]:
        """The factory that has read EC2's five megabytes of model once."""
        from biomodal_deploy.sandbox.inventory import client_factory

        return client_factory(self.endpoint, self.region, self._config_file)
