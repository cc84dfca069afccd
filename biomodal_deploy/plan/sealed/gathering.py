"""All facts of a plan, by one way at plan time and before it is applied; Terraform never runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, Field, JsonValue, ValidationError

from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.plan.sealed.facts import (
    Facts,
    FileDigest,
    Module,
    RuntimeFacts,
    commit_of,
    one_line,
    revision_of,
)
from biomodal_deploy.plan.sealed.files import (
    TERRAFORMS_OWN,
    canonical,
    file_sha256,
    sha256,
    tree_sha256,
)

LOCK_FILE: Final = ".terraform.lock.hcl"
_Model = TypeVar("_Model", bound=BaseModel)

# Credentials say who may open a state, not which state it is; and a digest could be guessed at.
_CREDENTIAL: Final = re.compile(
    r"secret|token|passw|access_key|private|credential|cert|sas_|conn_str|client_"
)
_LOCATION: Final = (
    "bucket",
    "container_name",
    "key",
    "prefix",
    "path",
    "address",
    "hostname",
    "organization",
    "workspaces",
)


@dataclass(frozen=True)
class Backend:
    """Where a state lives.

    Attributes:
        where: For people, without credentials.
        sha256: Of every setting that is no credential.
    """

    where: str
    sha256: str


class _Initialized(BaseModel):
    type: str
    config: dict[str, JsonValue] = {}


class _InitializedFile(BaseModel):
    backend: _Initialized | None = None


class _Listed(BaseModel):
    key: str = Field(alias="Key")
    source: str = Field(alias="Source", default="")
    version: str | None = Field(alias="Version", default=None)
    dir: str = Field(alias="Dir", default="")


class _ModulesFile(BaseModel):
    modules: list[_Listed] = Field(alias="Modules", default=[])


def backend_of(directory: Path, configured: object, data_dir: Path | None = None) -> Backend:
    """Return the backend that Terraform uses in a directory.

    Args:
        configured: The `terraform.backend` block of the synthesized stack, for a directory that
            is not initialized; None where it has none.
    """
    initialized = _read(_data_dir(directory, data_dir) / "terraform.tfstate", _InitializedFile)
    if initialized and initialized.backend:
        kind = initialized.backend.type
        settings: Mapping[str, JsonValue] = initialized.backend.config
    else:
        kind, settings = _configured(configured)
    return described_backend(directory, kind, settings)


def described_backend(directory: Path, kind: str, settings: Mapping[str, JsonValue]) -> Backend:
    """Return a backend by its kind and settings.

    Args:
        directory: What the path of a local one starts from.
    """
    if kind == "local":
        # The same relative path is another state in another directory.
        path = directory / str(settings.get("path") or "terraform.tfstate")
        settings = {**settings, "path": str(path.resolve())}
    kept = {
        key: value
        for key, value in settings.items()
        if value is not None and not _CREDENTIAL.search(key)
    }
    location = [_text(kept[key]) for key in _LOCATION if key in kept]
    region = f" ({kept['region']})" if "region" in kept else ""
    return Backend(
        where=f"{kind}:{'/'.join(location)}{region}", sha256=sha256(canonical([kind, kept]))
    )


def modules_of(directory: Path, data_dir: Path | None = None) -> tuple[Module, ...]:
    """Return every module that the configuration calls, with what was downloaded for it.

    The commit is the one that Git checked out. Terraform copies a package that it needs twice and
    leaves the copy's `.git` away, so a copy takes the commit of its source.
    """
    listed = _read(_data_dir(directory, data_dir) / "modules" / "modules.json", _ModulesFile)
    calls = sorted(
        (each for each in (listed.modules if listed else []) if each.key), key=lambda m: m.key
    )
    commits: dict[str, str] = {}
    for call in calls:
        commit = _downloaded_commit(directory, directory / call.dir)
        if commit:
            commits.setdefault(_package(call.source), commit)
    return tuple(
        Module(
            key=call.key,
            source=without_userinfo(call.source),
            version=call.version or None,
            commit=commits.get(_package(call.source)),
            sha256=tree_sha256(directory / call.dir, ignore={".git"}),
        )
        for call in calls
    )


def _downloaded_commit(directory: Path, folder: Path) -> str | None:
    """Return the commit of the clone that a module lies in; the project's own is none."""
    root = directory.resolve()
    for candidate in (folder.resolve(), *folder.resolve().parents):
        if candidate == root or candidate in root.parents:
            return None
        if (candidate / ".git").exists():
            return commit_of(candidate)
    return None


def _text(setting: JsonValue) -> str:
    # A workspace is named inside a block of its own.
    while isinstance(setting, list) and setting:
        setting = setting[0]
    if isinstance(setting, dict):
        setting = setting.get("name") or setting.get("prefix") or ""
    return str(setting)


def _package(source: str) -> str:
    """Return a module source without the folder inside the package: `a//b?ref=c` is `a?ref=c`."""
    scheme, separator, rest = source.rpartition("://")
    address, query, reference = rest.partition("?")
    return f"{scheme}{separator}{address.partition('//')[0]}{query}{reference}"


def _configured(block: object) -> tuple[str, Mapping[str, JsonValue]]:
    # Terraform JSON allows one block as an object, or as a list of one object.
    while isinstance(block, list) and len(block) == 1:
        block = block[0]
    if isinstance(block, dict) and len(block) == 1:
        ((kind, settings),) = block.items()
        while isinstance(settings, list) and len(settings) == 1:
            settings = settings[0]
        if isinstance(settings, dict):
            return str(kind), settings
    return "local", {}


def _data_dir(directory: Path, data_dir: Path | None) -> Path:
    return directory / (data_dir or ".terraform")


def _read(path: Path, model: type[_Model]) -> _Model | None:
    try:
        return model.model_validate_json(read_regular(path))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):
        raise UsageError(
            "What Terraform wrote here cannot be read", field=str(path), fix="take the file away"
        ) from None


def gather(
    runtime: RuntimeFacts,
    *,
    project: Path,
    directory: Path,
    backend: object,
    backend_files: Iterable[Path] = (),
    var_files: Iterable[Path] = (),
    install_script: Path | None = None,
    data_dir: Path | None = None,
) -> Facts:
    """Compute the facts of a stack from its files and Git, beside those that are known already.

    Args:
        runtime: Those that are known.
        project: The folder that paths are relative to, and whose commit is recorded.
        directory: The synthesized stack, initialized.
        backend: The `terraform.backend` block of the synthesized stack; None where it has none.
        backend_files: What completes the backend's settings, in Terraform's order.
        var_files: In Terraform's order; relative paths mean the project's folder.
    """
    where = backend_of(directory, backend, data_dir)
    revision = revision_of(project)
    # Elsewhere it is outside of the digest anyway.
    ignored = {os.path.relpath(directory / data_dir, directory)} if data_dir else set()
    return Facts(
        **dict(runtime),
        directory=_shown(directory, project),
        data_dir=None if data_dir is None else _shown(directory / data_dir, directory),
        backend=one_line(where.where),
        backend_sha256=where.sha256,
        backend_files=tuple(digest_of(path, project) for path in backend_files),
        synthesized_sha256=tree_sha256(directory, ignore=TERRAFORMS_OWN | ignored),
        var_files=tuple(digest_of(path, project) for path in var_files),
        install_script=digest_of(install_script, project) if install_script else None,
        lock_file_sha256=file_sha256(directory / LOCK_FILE),
        modules=modules_of(directory, data_dir),
        git_commit=revision.commit,
        git_clean=revision.clean,
    )


def digest_of(path: Path, project: Path) -> FileDigest:
    """Return a file's digest, its path relative to the project where it lies inside."""
    return FileDigest(path=_shown(project / path, project), sha256=file_sha256(project / path))


def _shown(path: Path, base: Path) -> str:
    # A checkout elsewhere is the same project: an absolute path would bind a plan to one machine.
    path, base = path.absolute(), base.absolute()
    return one_line(str(path.relative_to(base) if path.is_relative_to(base) else path))
