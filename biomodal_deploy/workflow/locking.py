"""Provider lock files for every platform that a team works on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.terraform import TerraformCli, TerraformFailed
from biomodal_deploy.engine.toolchain import (
    ProviderSource,
    find_provider_source,
    required_providers,
)
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular
from biomodal_deploy.workflow.location import Step, silent
from biomodal_deploy.workflow.plan_facts import selected_providers
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.terraform_setup import (
    bring_lock,
    forget_lock,
    keep_lock,
    open_engine,
    project_lock,
)

_PLATFORM: Final = re.compile(r"[a-z]+_[a-z0-9]+")
PLATFORMS: Final = ("linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64")


def checked_platforms(given: Sequence[str] | None) -> tuple[str, ...]:
    """Return the platforms to lock for, those of a team where none is given.

    Raises:
        UsageError: One is not written as Terraform writes it.
    """
    for platform in given or ():
        if not _PLATFORM.fullmatch(platform):
            raise UsageError(
                "A platform is an operating system and a processor",
                field="--platform",
                value=platform,
                fix=f"use {' or '.join(PLATFORMS)}",
            )
    return tuple(dict.fromkeys(given or PLATFORMS))


@dataclass(frozen=True, kw_only=True)
class Locked:
    """One stack's provider lock file.

    Attributes:
        stack: The stack.
        path: The file, from the project's folder; null without providers.
        providers: Version by provider.
        platforms: What they are locked for.
        missing: Platforms whose providers were unavailable, and why.
        changed: Whether the file was written.
    """

    stack: str
    path: Path | None
    providers: Mapping[str, str]
    platforms: tuple[str, ...]
    missing: Mapping[str, str]
    changed: bool


def refresh_lock(stack: Stack, platforms: Sequence[str], *, upgrade: bool = False) -> Locked:
    """Write a stack's provider lock file for several platforms.

    A mirror in the file system often holds one platform alone. What can be had is written; what
    cannot is told.

    Raises:
        TerraformFailed: No platform at all was to be had, or a module was not.
    """
    path = project_lock(stack)
    before = read_regular(path) if path.exists() else None
    engine = open_engine(stack)
    log = stack.logs / "lock.log"
    if upgrade:
        forget_lock(stack)
    else:
        bring_lock(stack)
    source = find_provider_source(
        stack.location.environment, wanted=required_providers(stack.directory)
    )
    if stack.synthesized.module:
        stack.on_event(Step("Fetching modules"))
        # Their providers count too, and no backend has to be reached for that.
        engine.get(stack.on_event, log)
    missing: dict[str, str] = {}
    for platform in platforms:
        stack.on_event(Step(f"Locking providers for {platform}"))
        failure = _lock(engine, platform, source, log)
        if failure is None:
            continue
        missing[platform] = _reason(failure)
        if len(missing) == len(platforms):
            raise failure
    keep_lock(stack.with_listener(silent))
    providers = selected_providers(stack.directory)
    return Locked(
        stack=stack.name,
        path=path.relative_to(stack.location.project_dir) if providers else None,
        providers=providers,
        platforms=tuple(each for each in platforms if each not in missing),
        missing=missing,
        changed=(read_regular(path) if path.exists() else None) != before,
    )


def _lock(
    engine: TerraformCli, platform: str, source: ProviderSource, log: Path
) -> TerraformFailed | None:
    """Lock one platform: of several at once Terraform writes none where one is missing."""
    folder = source.kind in ("mirror", "implied folder")
    try:
        engine.providers_lock(
            silent,
            log,
            platforms=[platform],
            mirror=Path(source.location) if folder and source.location else None,
            network_mirror=source.location if source.kind == "network mirror" else None,
        )
    except TerraformFailed as failure:
        return failure
    return None


def _reason(failure: TerraformFailed) -> str:
    """Return what Terraform says of the provider, without what leads to it."""
    detail = failure.diagnostics[0].detail if failure.diagnostics else failure.message
    return " ".join(detail.rpartition("could not be installed:")[2].split()).strip("- .")
