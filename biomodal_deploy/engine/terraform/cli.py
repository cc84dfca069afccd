"""Terraform's command line as a typed object: the only place that knows arguments and exits."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from biomodal_deploy.engine.terraform.calls import FLAG, Caller, OnEvent
from biomodal_deploy.engine.terraform.environment import DEFAULT_DATA_DIR, child_environment
from biomodal_deploy.engine.terraform.events import ChangeSummary, plain
from biomodal_deploy.engine.terraform.locks import (
    LockInfo,
    S3Object,
    is_unusable,
    local_content,
    local_lock,
    lock_file,
    lock_in_text,
    state_place,
    unlock_command,
)
from biomodal_deploy.engine.terraform.results import (
    ApplyRun,
    OutputValue,
    PlanRun,
    State,
    StateHeader,
    Validation,
    VersionInfo,
)
from biomodal_deploy.engine.toolchain.cli_config import alone_in, plugin_cache
from biomodal_deploy.engine.toolchain.terraform_binary import Terraform
from biomodal_deploy.engine.toolchain.tool import numbers
from biomodal_deploy.errors import EngineError

_INIT_EVENTS_SINCE: Final = (1, 9, 0)
# No lock has this id: whoever asks to remove it is told whose lock is there, and removes nothing.
_NO_LOCK: Final = "00000000-0000-0000-0000-000000000000"
_VERSION: Final = TypeAdapter(VersionInfo)
_VALIDATION: Final = TypeAdapter(Validation)
_STATE: Final = TypeAdapter(StateHeader)
_WHOLE_STATE: Final = TypeAdapter(State)
_OUTPUTS: Final = TypeAdapter(dict[str, OutputValue])

_T = TypeVar("_T")


class TerraformCli:
    """Terraform in one directory, workspace and data directory.

    Long calls stream typed events to a callback in the calling thread, write everything to a log
    (0600), and stop in steps on SIGINT, SIGTERM and SIGHUP. Short calls only read, and die at
    once. Files that Terraform writes are private.

    Args:
        environment: The caller's; what would change the outcome is taken out.
        workspace: Always this one, whatever was selected in the directory.
        redact: Applied to each line before it is logged, shown or raised. It sees raw lines:
            mask every spelling of a secret (`biomodal_deploy.engine.terraform.events.spellings`).
        trace: Keep the caller's `TF_LOG*`, which print every value in clear.

    Attributes:
        dropped: Names of variables that were taken out of the environment, for a notice.

    Raises (every call):
        TerraformFailed: It failed; the cause is its first error.
        TerraformStopped: It was asked to stop, and has ended.
        EngineError: cannot be started, or the log cannot be written.
    """

    def __init__(
        self,
        binary: Terraform,
        directory: Path,
        *,
        environment: Mapping[str, str],
        workspace: str = "default",
        data_dir: Path | None = None,
        redact: Callable[[str], str] = str,
        trace: bool = False,
    ) -> None:
        self.binary, self.directory, self.workspace = binary, directory.absolute(), workspace
        self.data_dir = data_dir
        child = child_environment(environment, workspace=workspace, data_dir=data_dir, trace=trace)
        self.dropped = child.dropped
        self._plugin_cache = plugin_cache(child.variables)
        self._run = Caller(
            binary.argv_prefix, binary.product, self.directory, child.variables, redact, self
        )

    def version(self) -> VersionInfo:
        """Return the version of Terraform and of the providers selected here."""
        return _read(_VERSION, "version", self._run.short("version", json=FLAG))

    def validate(self) -> Validation:
        """Check the configuration; what is wrong with it is the result and no failure."""
        captured = self._run.capture("validate", json=FLAG)
        if captured.returncode and not captured.stdout.lstrip().startswith(b"{"):
            raise self._run.failed("validate", captured)
        return _read(_VALIDATION, "validate", captured.stdout)

    def format(self) -> None:
        """Write the directory's files in Terraform's own layout."""
        self._run.short("fmt")

    def output(self) -> dict[str, OutputValue]:
        """Return the outputs of the state, sensitive ones in clear."""
        self._state_place()  # refuses what Terraform would wait for
        return _read(_OUTPUTS, "output", self._run.short("output", json=FLAG))

    def show_plan(self, plan: Path) -> bytes:
        """Return a plan file as JSON; it holds secrets in clear and belongs on no disk."""
        return self._run.short("show", plan.absolute(), json=FLAG)

    def state_pull(self) -> StateHeader | None:
        """Return what names the state's version; None where there is no state yet."""
        return self.header_of(self.state_content())

    def header_of(self, content: bytes) -> StateHeader | None:
        """Return what names the version of a state; None where there is none yet."""
        header = _read(_STATE, "state pull", content) if content.strip() else None
        # Of a remote backend that holds none yet, Terraform prints one without a lineage.
        return header if header and header.lineage else None

    def state_content(self, *, to_plan: bool = False) -> bytes:
        """Return the whole state, with its secrets; empty where there is none yet.

        Args:
            to_plan: A call that checks what is installed follows at once, so that the absence of a
                local state need not be asked for.
        """
        # Of a local backend `terraform state pull` says the same, and costs a process.
        absent = b"" if to_plan else None
        local = local_content(self.directory, self._data_dir(), self.workspace, absent=absent)
        return self._run.short("state pull") if local is None else local

    def state_push(self, state: Path, on_event: OnEvent, log: Path, *, force: bool = False) -> None:
        """Put a state file in the place of the state.

        Args:
            force: Also over another lineage or a newer version, which are refused otherwise.
        """
        self._run.long("state push", on_event, log, state.absolute(), force=FLAG if force else None)

    def whole_state(self) -> State | None:
        """Return the state's outputs and resources; None where there is no state yet."""
        state = self.state_content()
        return _read(_WHOLE_STATE, "state pull", state) if state.strip() else None

    def tainted(self) -> frozenset[str]:
        """Return the addresses of what was created, and is to be replaced."""
        state = self.whole_state()
        return state.tainted if state else frozenset()

    def lock(self) -> LockInfo | None:
        """Return who holds the state's lock now; never takes it."""
        state = self._state_place()
        if isinstance(state, Path):
            return local_lock(state)
        probe = self._run.capture("force-unlock", _NO_LOCK, force=FLAG)
        return self.lock_of(plain(probe.stderr.decode("utf-8", "replace")))

    def lock_of(self, text: str) -> LockInfo | None:
        """Return the lock that an error is about; one without an id where it cannot be read."""
        if (lock := lock_in_text(text)) or not is_unusable(text):
            return lock
        state = self._state_place()
        if isinstance(state, Path):
            state = state.resolve()
            return local_lock(state) or LockInfo(ID="", Path=str(lock_file(state)))
        return LockInfo(ID="", Path=str(state.lock)) if state else None

    def unlock_command(self, lock: LockInfo) -> str | None:
        """Return the shell command that removes a lock.

        None for a local state that a process holds: its lock is its holder's and goes with it, and
        Terraform cannot remove it.
        """
        state = self._state_place()
        if isinstance(state, Path):
            removable = not (lock.id or lock.who)
            return shlex.join(["rm", "-rf", lock.path]) if removable else None
        if not lock.id:
            return state.command("delete-object", "--key", state.lock.key) if state else None
        return unlock_command(
            self.binary.argv_prefix,
            lock.id,
            directory=self.directory,
            workspace=self.workspace,
            data_dir=self.data_dir,
        )

    def init(
        self,
        on_event: OnEvent,
        log: Path,
        *,
        backend_config: Sequence[Path] = (),
        lockfile_readonly: bool = False,
        upgrade: bool = False,
        reconfigure: bool = False,
    ) -> None:
        """Install providers and modules, and prepare the backend.

        Args:
            backend_config: Files only: a `key=value` would stand in the process list.
            lockfile_readonly: Fail where the provider lock file does not fit.
            upgrade: Select the newest allowed versions.
            reconfigure: Take the backend's settings as they are now, and move no state.
        """
        number = numbers(self.binary.version) or (0, 0, 0)
        events = self.binary.product == "terraform" and number >= _INIT_EVENTS_SINCE
        with alone_in(self._plugin_cache):
            self._run.long(
                "init",
                on_event,
                log,
                json=FLAG if events else None,
                input=False,
                backend_config=[path.absolute() for path in backend_config],
                lockfile="readonly" if lockfile_readonly else None,
                upgrade=FLAG if upgrade else None,
                reconfigure=FLAG if reconfigure else None,
            )

    def providers_lock(
        self,
        on_event: OnEvent,
        log: Path,
        *,
        platforms: Sequence[str] = (),
        mirror: Path | None = None,
        network_mirror: str | None = None,
    ) -> None:
        """Write the provider lock file for these platforms, from a mirror if one is given.

        This verb asks the registry whatever the CLI configuration says.
        """
        self._run.long(
            "providers lock",
            on_event,
            log,
            platform=platforms,
            fs_mirror=mirror.absolute() if mirror else None,
            net_mirror=network_mirror,
        )

    def get(self, on_event: OnEvent, log: Path) -> None:
        """Install the modules alone."""
        self._run.long("get", on_event, log)

    def plan(
        self,
        out: Path,
        on_event: OnEvent,
        log: Path,
        *,
        var_files: Sequence[Path] = (),
        destroy: bool = False,
        refresh_only: bool = False,
        refresh: bool = True,
        parallelism: int | None = None,
        lock_timeout: str = "0s",
    ) -> PlanRun:
        """Make a plan file, readable by its owner alone.

        Args:
            var_files: In order; values reach Terraform in no other way.
            refresh_only: Plan to record what changed outside Terraform, and nothing else.
        """
        summary = self._run.long(
            "plan",
            on_event,
            log,
            json=FLAG,
            input=False,
            lock_timeout=lock_timeout,
            var_file=[path.absolute() for path in var_files],
            destroy=FLAG if destroy else None,
            refresh_only=FLAG if refresh_only else None,
            refresh=None if refresh else False,
            parallelism=parallelism,
            out=out.absolute(),
        )
        counts = summary.summary or ChangeSummary()
        return PlanRun(out, summary.has_changes, counts, tuple(summary.warnings))

    def apply(
        self,
        plan: Path,
        on_event: OnEvent,
        log: Path,
        *,
        parallelism: int | None = None,
        lock_timeout: str = "0s",
    ) -> ApplyRun:
        """Apply a plan file: variables, workspace and targets are in it.

        A stop that came when nothing was left to do is no failure: see `ApplyRun.interrupted`.
        """
        summary = self._run.long(
            "apply",
            on_event,
            log,
            plan.absolute(),
            json=FLAG,
            input=False,
            lock_timeout=lock_timeout,
            parallelism=parallelism,
        )
        return summary.apply_run(interrupted=summary.interrupted)

    def _state_place(self) -> Path | S3Object | None:
        return state_place(self.directory, self._data_dir(), self.workspace)

    def _data_dir(self) -> Path:
        return self.directory / (self.data_dir or DEFAULT_DATA_DIR)


def _read(shape: TypeAdapter[_T], verb: str, printed: bytes) -> _T:
    try:
        return shape.validate_json(printed)
    except ValidationError:
        # Its text quotes what was printed: states and outputs, in clear.
        raise EngineError(f"what terraform {verb} printed cannot be read") from None
