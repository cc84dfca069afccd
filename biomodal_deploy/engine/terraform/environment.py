"""The environment that Terraform gets: a caller's variables never change what a plan does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Extra arguments, values beside the one var-file, another workspace or data directory, a provider
# process or a backend other than the configuration's, a plugin cache that is believed without a
# checksum, tags that no configuration names, and logs that hold every value in clear.
_DROPPED: Final = (
    "TF_CLI_ARGS",
    "TF_VAR_",
    "TF_LOG",
    "TF_WORKSPACE",
    "TF_DATA_DIR",
    "TF_REATTACH_PROVIDERS",
    "TF_FORCE_LOCAL_BACKEND",
    "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    "TF_AWS_DEFAULT_TAGS_",
    "TF_AWS_IGNORE_TAGS_",
)
_SET: Final = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
# Terraform and the AWS provider read schemas of hundreds of megabytes that stay anyway, and Go
# looks for garbage among them each time its memory doubles: a fifth of the processor time of `plan`
# and `show`. At five times, both together take a quarter more memory (docs/performance.md). Beyond
# the limit, Go looks as often as it has to: a large state must not take five times its memory.
_GARBAGE: Final = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
# Files and folders that are read here too, before Terraform reads them from another folder.
_FILES: Final = (
    "TF_CLI_CONFIG_FILE",
    "TERRAFORM_CONFIG",
    "TF_PLUGIN_CACHE_DIR",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CA_BUNDLE",
)
DEFAULT_DATA_DIR: Final = ".terraform"


@dataclass(frozen=True)
class ChildEnvironment:
    """What Terraform gets, and the names of what was taken from the caller's environment."""

    variables: Mapping[str, str]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Conflict:
    """A variable that would send a sealed plan somewhere else."""

    name: str
    found: str
    expected: str


def child_environment(
    environment: Mapping[str, str],
    *,
    workspace: str = "default",
    data_dir: Path | None = None,
    trace: bool = False,
) -> ChildEnvironment:
    """Return the environment for Terraform, and so for its providers.

    Args:
        environment: The caller's; what it says of Go's garbage goes before ours.
        workspace: Always set, so that the one last selected in the directory does not matter.
    """
    prefixes = tuple(name for name in _DROPPED if not (trace and name == "TF_LOG"))
    ours = _SET | {"TF_WORKSPACE": workspace}
    if data_dir is not None:
        ours["TF_DATA_DIR"] = str(data_dir)
    if not _GARBAGE.keys() & environment.keys():
        ours |= _GARBAGE
    kept = {name: value for name, value in environment.items() if not name.startswith(prefixes)}
    for name in _FILES:
        # Terraform runs in the stack's folder: there a relative one is not what was checked.
        if (value := kept.get(name)) and not value.startswith(("~", "$")):
            kept[name] = str(Path(value).absolute())
    dropped = sorted(
        name for name in environment if name not in kept and environment[name] != ours.get(name)
    )
    return ChildEnvironment(kept | ours, tuple(dropped))


def conflicting_environment(
    environment: Mapping[str, str],
    *,
    directory: Path,
    workspace: str = "default",
    data_dir: Path | None = None,
) -> tuple[Conflict, ...]:
    """Return what the environment says of workspace and data directory that was not sealed.

    The child would get the sealed ones either way; whoever set another meant another, so `apply`
    refuses instead of guessing.
    """
    conflicts = []
    found = environment.get("TF_WORKSPACE")
    if found and found != workspace:
        conflicts.append(Conflict("TF_WORKSPACE", found, workspace))
    found = environment.get("TF_DATA_DIR")
    sealed = _resolved(directory, data_dir or Path(DEFAULT_DATA_DIR))
    if found and _resolved(directory, Path(found)) != sealed:
        conflicts.append(Conflict("TF_DATA_DIR", found, str(sealed)))
    return tuple(conflicts)


def _resolved(directory: Path, data_dir: Path) -> Path:
    # Terraform reads it from its own working directory, which is always the stack's.
    return (directory / data_dir).resolve()
