"""One AWS client a service with a short patience, and the threads that ask all at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from botocore import UNSIGNED
from botocore.exceptions import ConnectionError, NoCredentialsError  # noqa: A004 - its name there

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

    An error of any client made from the session later names its service too.

    Attributes:
        credentials: Returns where the credentials come from; raises what botocore does.
        known_regions: Returns the regions that the installed AWS library knows; AWS may have
            opened more since.
    """

    def __init__(self, session: Session, region: str) -> None:
        self.region = region
        self.profile: str | None = session.profile_name
        self._session = session
        session.events.register("after-call", _note_service)
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
                return make()

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


_T = TypeVar("_T")


def as_finished(
    jobs: Sequence[Callable[[], _T]], *, workers: int, seconds: float
) -> Iterator[tuple[int, Future[_T]]]:
    """Yield each job's number and outcome as it ends; what has not ended in time is left out.

    The threads are daemons, unlike those of `concurrent.futures`, which the interpreter waits
    for at exit: a call that hangs must not keep the command from ending.
    """
    waiting: SimpleQueue[int] = SimpleQueue()
    ended: SimpleQueue[tuple[int, Future[_T]]] = SimpleQueue()
    stopped = Event()
    for number in range(len(jobs)):
        waiting.put(number)

    def work() -> None:
        while not stopped.is_set():
            try:
                number = waiting.get_nowait()
            except Empty:
                return
            ended.put((number, _outcome(jobs[number])))

    for _ in range(min(workers, len(jobs))):
        Thread(target=work, name="preflight", daemon=True).start()
    deadline = time.monotonic() + seconds
    try:
        for _ in jobs:
            yield ended.get(timeout=max(0.0, deadline - time.monotonic()))
    except Empty:
        return
    finally:
        stopped.set()


class NoAnswerInTimeError(ConnectionError):
    """An answer that did not come to its end in time."""

    fmt = "no answer in {seconds:g} seconds"


def within(seconds: float, ask: Callable[[], _T]) -> _T:
    """Return what a call returns.

    A client's own patience is for silence: an answer that trickles in is waited for without end.

    Raises:
        NoAnswerInTimeError: It has not returned in time.
    """
    for _, outcome in as_finished([ask], workers=1, seconds=seconds):
        return outcome.result()
    raise NoAnswerInTimeError(seconds=seconds)


class Once(Generic[_T]):
    """A call that several threads need and one of them makes; a failure is remembered too."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._lock = Lock()
        self._outcome: Future[_T] | None = None

    def __call__(self) -> _T:
        """Return what the call returned, or raise what it raised."""
        with self._lock:
            if self._outcome is None:
                self._outcome = _outcome(self._make)
        return self._outcome.result()


def _outcome(job: Callable[[], _T]) -> Future[_T]:
    future: Future[_T] = Future()
    try:
        future.set_result(job())
    except Exception as error:  # noqa: BLE001 - handed to whoever asks for the result
        future.set_exception(error)
    return future
