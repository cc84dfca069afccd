"""Terraform made ready for one stack: chosen, given what the project keeps for it, initialized."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from biomodal_deploy import files
from biomodal_deploy.config.backends import CloudBackend
from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.engine.terraform import TerraformCli
from biomodal_deploy.engine.terraform.events import DiagnosticEvent, Event
from biomodal_deploy.engine.terraform.locks import DEFAULT_WORKSPACE
from biomodal_deploy.engine.toolchain import (
    Terraform,
    cli_config_environment,
    find_provider_source,
    find_terraform,
    required_providers,
)
from biomodal_deploy.engine.toolchain.cli_config import refuse_dev_overrides
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import writing
from biomodal_deploy.plan.sealed.files import check_tree
from biomodal_deploy.plan.sealed.gathering import LOCK_FILE
from biomodal_deploy.workflow.backend_checks import (
    check_config_files,
    check_nothing_left_behind,
    check_rehearsed,
    check_version,
    config_files,
    require_state_bucket,
)
from biomodal_deploy.workflow.location import Listener, Location, Notice, Step, WorkflowEvent
from biomodal_deploy.workflow.stack import Stack

READ_ONLY_VARIABLE: Final = "BIOMODAL_READONLY_LOCK"
_YES: Final = frozenset({"1", "true", "yes"})
_LOCKS: Final = "locks"
_ADOPTIONS: Final = "adopt"
_ADOPTION_FILE: Final = "adopt.tf"
_ONE_PLATFORM: Final = "Incomplete lock file information for providers"


def workspace_of(stack: Stack) -> str:
    """Return the workspace that Terraform itself would use for a stack."""
    directory, environment = stack.directory, stack.location.environment
    if isinstance(stack.settings.backend, CloudBackend):
        # The one that is named in the configuration; it refuses every other.
        return stack.settings.backend.workspace_of(stack.name)
    if named := environment.get("TF_WORKSPACE"):
        return named
    try:
        data_dir = environment.get("TF_DATA_DIR") or ".terraform"
        # What is no text there is no workspace: Terraform says so of the replaced letters.
        kept = files.read_regular(directory / data_dir / "environment")
    except OSError:
        return DEFAULT_WORKSPACE
    return kept.decode("utf-8", "replace").strip() or DEFAULT_WORKSPACE


def open_engine(
    stack: Stack,
    *,
    directory: Path | None = None,
    workspace: str | None = None,
    redact: Callable[[str], str] = without_userinfo,
) -> TerraformCli:
    """Return Terraform for a stack.

    Args:
        directory: The folder that it works in; the synthesized one where None.
        workspace: Terraform's workspace; the one that it would use itself where None.
        redact: Applied to every line before it is shown or logged.
    """
    location, directory = stack.location, directory or stack.directory
    check_tree(directory)
    environment = location.environment
    refuse_dev_overrides(environment)
    source = find_provider_source(environment, wanted=required_providers(directory))
    ours = cli_config_environment(location.plans, source, environment)
    data_dir = environment.get("TF_DATA_DIR")
    return TerraformCli(
        terraform_of(location),
        directory,
        environment={**environment, **ours},
        workspace=workspace_of(stack) if workspace is None else workspace,
        data_dir=Path(data_dir) if data_dir else None,
        redact=redact,
    )


def terraform_of(location: Location) -> Terraform:
    """Return the Terraform that the project runs."""
    return find_terraform(environ=location.environment, cwd=location.project_dir)


def warn_dropped_variables(engine: TerraformCli, on_event: Listener) -> None:
    """Report what of the caller's environment does not reach Terraform."""
    # Values in TF_VAR_ are resolved by us and reach it through the values file.
    # What concerns `terraform providers lock` alone changes nothing here.
    quiet = ("TF_VAR_", "TF_CLI_ARGS_providers_lock")
    names = [name for name in engine.dropped if not name.startswith(quiet)]
    if names:
        on_event(Notice(f"{', '.join(names)} of the environment is not passed to Terraform"))


def initialize(
    stack: Stack, engine: TerraformCli, log: Path, *, readonly_lock: bool = False
) -> None:
    """Run `terraform init` where something that it depends on has changed.

    Args:
        readonly_lock: Fail where the provider lock file does not fit, as in a CI job; a project
            that has none yet gets its first one all the same.
    """
    check_version(stack, engine)
    check_rehearsed(stack)
    check_nothing_left_behind(stack)
    check_config_files(stack)
    readonly_lock |= is_read_only(stack.location.environment)
    bring_adoption(stack)
    has_lock = bring_lock(stack)
    marker = engine.directory / (engine.data_dir or ".terraform") / "biomodal-init"
    wanted = _fingerprint(stack, engine)
    try:
        initialized = files.read_regular(marker).decode() == wanted
    except OSError:
        initialized = False
    if not initialized:
        require_state_bucket(stack)
        _initialize(stack, engine, log, readonly_lock=readonly_lock and has_lock)
        # Computed again: the first init writes the provider lock file.
        marker.parent.mkdir(parents=True, exist_ok=True)
        files.write(marker, _fingerprint(stack, engine).encode())
    if not readonly_lock:
        keep_lock(stack)


def point_at_backend(stack: Stack, engine: TerraformCli, log: Path) -> None:
    """Initialize with the backend as it is set now, whatever it was before; move no state.

    Raises:
        UsageError: The backend's settings do not do.
        EngineError: Terraform failed.
    """
    check_version(stack, engine)
    check_rehearsed(stack)
    check_config_files(stack)
    has_lock = bring_lock(stack)
    readonly_lock = is_read_only(stack.location.environment)
    _initialize(stack, engine, log, readonly_lock=readonly_lock and has_lock, reconfigure=True)
    if not readonly_lock:
        keep_lock(stack)


def _initialize(
    stack: Stack, engine: TerraformCli, log: Path, *, readonly_lock: bool, reconfigure: bool = False
) -> None:
    stack.on_event(Step("Initializing Terraform"))
    engine.init(
        lambda event: stack.on_event(_in_our_words(event)),
        log,
        backend_config=config_files(stack),
        lockfile_readonly=readonly_lock,
        reconfigure=reconfigure,
    )


def _in_our_words(event: Event) -> WorkflowEvent:
    """Where Terraform names a command of its own that works on another lock file, name ours."""
    if isinstance(event, DiagnosticEvent) and event.diagnostic.summary == _ONE_PLATFORM:
        return Notice(
            "The provider lock file knows this platform alone; for the others: biomodal-aws lock"
        )
    return event


def _fingerprint(stack: Stack, engine: TerraformCli) -> str:
    """Return a digest of what `init` acts on: versions, providers, modules, backend, lock file."""
    synthesized = stack.synthesized
    sources = {
        name: [call.get("source"), call.get("version")] for name, call in synthesized.module.items()
    }
    lock = engine.directory / LOCK_FILE
    parts = [
        engine.binary.version,
        synthesized.terraform,
        [files.read_regular(path).decode() for path in config_files(stack)],
        sources,
        files.read_regular(lock).decode() if lock.exists() else None,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def project_lock(stack: Stack) -> Path:
    """Return where the project keeps a stack's provider lock file, for everybody to commit."""
    return stack.location.project_dir / _LOCKS / f"{stack.name}{LOCK_FILE}"


def is_read_only(environment: Mapping[str, str]) -> bool:
    """Whether nothing may change a lock file here: asked for, or a CI job (`CI=true`)."""
    return any(environment.get(name, "").lower() in _YES for name in (READ_ONLY_VARIABLE, "CI"))


def bring_lock(stack: Stack) -> bool:
    """Put the project's lock file where Terraform looks for it.

    Returns:
        Whether the project has one.

    Raises:
        UsageError: It cannot be read or written.
    """
    target = stack.directory / LOCK_FILE
    with writing(target):
        wanted = _content(project_lock(stack))
        if wanted is not None and wanted != _content(target):
            files.write(target, wanted, mode=files.public_mode())
    return wanted is not None


def keep_lock(stack: Stack) -> None:
    """Keep what Terraform wrote into its lock file, where that is news.

    Raises:
        UsageError: It cannot be written.
    """
    target = project_lock(stack)
    with writing(target):
        written, kept = _content(stack.directory / LOCK_FILE), _content(target)
        # A stack without providers has none.
        if written is None or written == kept:
            return
        target.parent.mkdir(exist_ok=True)
        files.write(target, written, mode=files.public_mode())
    did = "is new" if kept is None else "has changed"
    stack.on_event(
        Notice(f"{_LOCKS}/{target.name} {did}: commit it, so that all run the same providers")
    )


def forget_lock(stack: Stack) -> None:
    """Let Terraform choose providers again; the project's own file stays until it has."""
    with contextlib.suppress(FileNotFoundError):
        (stack.directory / LOCK_FILE).unlink()


def _content(path: Path) -> bytes | None:
    try:
        return files.read_regular(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})",
            field=str(path),
            fix="restore the file from version control",
        ) from None


def adoption_file(stack: Stack) -> Path:
    """Return where the project keeps a stack's blocks, for everybody to review and commit."""
    return stack.location.project_dir / _ADOPTIONS / f"{stack.name}.tf"


def bring_adoption(stack: Stack) -> None:
    """Put the project's blocks beside the synthesized JSON; remove them there without any.

    Raises:
        UsageError: They cannot be read or written.
    """
    target = stack.directory / _ADOPTION_FILE
    with writing(target):
        try:
            content = files.read_regular(adoption_file(stack))
        except FileNotFoundError:
            # Looked for first: on a read-only file system even what is not there cannot be removed.
            if target.is_symlink() or target.exists():
                target.unlink(missing_ok=True)
            return
        files.write(target, content, mode=files.public_mode())
