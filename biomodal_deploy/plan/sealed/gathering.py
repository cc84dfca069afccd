"""All facts of a plan at once, by the same way at plan time and before it is applied."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from biomodal_deploy.plan.sealed.digests import TERRAFORMS_OWN, file_sha256, tree_sha256
from biomodal_deploy.plan.sealed.facts import Facts, FileDigest, StateId, one_line
from biomodal_deploy.plan.sealed.fingerprints import backend_of, modules_of
from biomodal_deploy.plan.sealed.git import revision_of

LOCK_FILE = ".terraform.lock.hcl"


def gather(
    *,
    project: Path,
    directory: Path,
    stack: str,
    workspace: str,
    backend: object,
    terraform_version: str,
    providers: Mapping[str, str],
    state: StateId | None,
    backend_files: Iterable[Path] = (),
    var_files: Iterable[Path] = (),
    install_script: Path | None = None,
    data_dir: Path | None = None,
    engine: str = "terraform",
    account: str | None = None,
    account_alias: str | None = None,
    region: str | None = None,
    endpoint: str | None = None,
    endpoints: Mapping[str, str] | None = None,
    terraform_sha256: str | None = None,
    caller: str | None = None,
) -> Facts:
    """Compute the facts of a stack.

    Args:
        project: The folder that paths are relative to, and whose commit is recorded.
        directory: The synthesized stack, initialized.
        backend: The `terraform.backend` block of the synthesized stack; None where it has none.
        providers: Source address to version, as the lock file selects them.
        backend_files: What completes the backend's settings, in Terraform's order.
        var_files: In Terraform's order; relative paths mean the project's folder.
    """
    where = backend_of(directory, backend, data_dir)
    revision = revision_of(project)
    # Elsewhere it is outside of the digest anyway.
    ignored = {os.path.relpath(directory / data_dir, directory)} if data_dir else set()
    return Facts(
        stack=stack,
        directory=_shown(directory, project),
        workspace=workspace,
        data_dir=None if data_dir is None else _shown(directory / data_dir, directory),
        backend=where.where,
        backend_sha256=where.sha256,
        backend_files=tuple(digest_of(path, project) for path in backend_files),
        account=account,
        account_alias=account_alias and one_line(account_alias),
        region=region,
        endpoint=endpoint,
        endpoints={one_line(name): one_line(value) for name, value in (endpoints or {}).items()},
        terraform_sha256=terraform_sha256,
        caller=caller,
        engine=engine,
        terraform_version=terraform_version,
        providers=dict(providers),
        state=state,
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
