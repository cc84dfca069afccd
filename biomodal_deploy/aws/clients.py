"""One AWS client a service, shared by all checks, with a short patience."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore import UNSIGNED
from botocore.exceptions import NoCredentialsError

from biomodal_deploy.aws.pool import Once
from biomodal_deploy.aws.session import open_session, partition_of

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.model import OperationModel

_Client = TypeVar("_Client", bound="BaseClient")

WORKERS: Final = 40
SERVICE: Final = "IamService"


def _configs() -> tuple[Config, Config]:
    """Return how clients ask, with the user's credentials and without any."""
    # Here, beside Terraform: it takes long to import, and every command imports this module.
    from botocore.config import Config

    # Every check is a few calls long and all share one deadline, so no call may wait for long; yet
    # an answer that takes two or three seconds is waited for.
    config = Config(
        connect_timeout=3,
        read_timeout=6,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=WORKERS,
    )
    return config, config.merge(Config(signature_version=UNSIGNED))


class Clients:
    """The clients of one session in one region, each made when first called for.

    Attributes:
        credentials: Returns where the credentials come from; raises what botocore does.
        known_regions: Returns the regions that the installed AWS library knows; AWS may have
            opened more since.
    """

    def __init__(self, session: Session, region: str) -> None:
        self.region = region
        self.profile: str | None = session.profile_name
        self._session = session
        # boto3: using clients is thread-safe, making them from one session is not.
        self._making = Lock()
        config, unsigned = _configs()
        self.credentials = Once(self._find_credentials)
        self.known_regions = Once(self._find_regions)
        self.sts = self._shared(lambda: session.client("sts", region, config=config))
        self.ec2 = self._shared(lambda: session.client("ec2", region, config=config))
        self.iam = self._shared(lambda: session.client("iam", region, config=config))
        self.s3 = self._shared(lambda: session.client("s3", region, config=config))
        self.s3_unsigned = self._shared(lambda: session.client("s3", region, config=unsigned))
        self.batch = self._shared(lambda: session.client("batch", region, config=config))
        self.ecr = self._shared(lambda: session.client("ecr", region, config=config))
        self.kms = self._shared(lambda: session.client("kms", region, config=config))
        self.logs = self._shared(lambda: session.client("logs", region, config=config))
        self.cloudwatch = self._shared(lambda: session.client("cloudwatch", region, config=config))
        self.quotas = self._shared(lambda: session.client("service-quotas", region, config=config))
        # The price list is served in three regions alone, for all the others.
        self.pricing = self._shared(lambda: session.client("pricing", "us-east-1", config=config))
        self.ec2_at_home = self._shared(
            lambda: session.client("ec2", self.home_region, config=config)
        )

    @property
    def partition(self) -> str:
        """The partition that the region's name belongs to."""
        return partition_of(self.region)

    @property
    def home_region(self) -> str:
        """A region of the partition that every account has: it knows about the others."""
        return {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}.get(
            self.partition, "us-east-1"
        )

    def _find_regions(self) -> list[str]:
        return sorted(
            region
            for partition in self._session.get_available_partitions()
            for region in self._session.get_available_regions("ec2", partition)
        )

    def _find_credentials(self) -> str:
        """Find the credentials once for all: each search may ask the network for them."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        credentials.get_frozen_credentials()
        return credentials.method

    def _shared(self, make: Callable[[], _Client]) -> Once[_Client]:
        def made() -> _Client:
            self.credentials()
            with self._making:
                client = make()
            client.meta.events.register("after-call", _note_service)
            return client

        return Once(made)


def open_clients(region: str) -> Clients:
    """Return clients for a region, with the user's own credentials.

    Raises:
        UsageError: AWS_PROFILE names no profile, or the AWS configuration cannot be read.
    """
    return Clients(open_session(region), region)


def _note_service(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    """Leave in an answer which service gave it: the error made of it names the operation only."""
    parsed.setdefault("ResponseMetadata", {})[SERVICE] = model.service_model.signing_name
