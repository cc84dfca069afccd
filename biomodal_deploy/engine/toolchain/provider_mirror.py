"""Where Terraform gets its providers on this machine.

In this order: the setting, the user's own Terraform CLI configuration, the folders that
Terraform searches by itself, a mirror recognised by its shape, the registry. A mirror is used
only for providers of which it has a fitting version, so a machine with internet access and an
old mirror still gets the right one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from biomodal_deploy.config.credentials import without_userinfo
from biomodal_deploy.engine.toolchain import cli_config
from biomodal_deploy.engine.toolchain.mirror_search import (
    HOST,
    Mirror,
    implied_directories,
    platform_name,
    read_mirror,
    search,
)
from biomodal_deploy.engine.toolchain.tool import numbers, satisfies
from biomodal_deploy.errors import UsageError
from biomodal_deploy.files import read_regular

SETTING: Final = "BIOMODAL_PROVIDER_MIRROR"
NO_MIRROR: Final = "none"
AWS: Final = "hashicorp/aws"

Kind = Literal["mirror", "network mirror", "user configuration", "implied folder", "registry"]


@dataclass(frozen=True)
class ProviderSource:
    """Where providers come from, and why.

    Attributes:
        kind: The way Terraform is told; for `registry`, `user configuration` and `implied
            folder` (one it searches by itself) it is told nothing.
        include: The providers that come from the mirror.
        versions: The AWS provider's versions on offer there.
        others: Mirrors that were seen and not chosen.
    """

    kind: Kind
    location: str | None
    reason: str
    include: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    others: tuple[Mirror, ...] = ()


def find_provider_source(
    environ: Mapping[str, str] = os.environ,
    *,
    wanted: Mapping[str, str] | None = None,
    roots: Sequence[Path] | None = None,
) -> ProviderSource:
    """Decide where Terraform gets its providers.

    Args:
        wanted: Version constraints by provider, such as `{"hashicorp/aws": "~> 5.100"}`.
        roots: Where to look for a mirror; generic places of the system where None.
    """
    wanted = wanted or {}
    setting = environ.get(SETTING)
    if setting == NO_MIRROR:
        return ProviderSource("registry", None, f"{SETTING} = {NO_MIRROR}")
    if setting:
        return _explicit(setting)
    own = cli_config.user_files(environ)
    if owner := cli_config.installs_providers(own):
        reason = "your Terraform CLI configuration decides"
        return ProviderSource("user configuration", str(owner), reason)
    implied = _fitting(map(read_mirror, implied_directories(environ)), wanted)
    if implied:
        reason = "a folder that Terraform searches by itself"
        return _chosen("implied folder", implied, reason, wanted)
    found = _fitting(search(environ, roots), wanted)
    if found:
        return _chosen("mirror", found, "found by its shape", wanted)
    return ProviderSource("registry", None, "no mirror on this machine has a fitting version")


def cli_config_environment(
    folder: Path, source: ProviderSource, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return what Terraform's environment needs so that it takes providers from the source.

    Nothing on a machine without a mirror. Otherwise a CLI configuration, which keeps the user's own
    settings (credentials, plugin cache) and lasts as long as this process.

    Args:
        folder: Where that is written if it cannot be in memory; made private.
    """
    if source.kind not in ("mirror", "network mirror"):
        return {}
    text = cli_config.text(
        cli_config.user_files(environ),
        "filesystem_mirror" if source.kind == "mirror" else "network_mirror",
        source.location or "",
        [f"{HOST}/{provider}" for provider in source.include],
    )
    path = cli_config.keep(folder, text)
    return {"TF_CLI_CONFIG_FILE": str(path)}


def providers_lock_environment(
    source: ProviderSource, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return what `cdktf deploy` needs besides: it runs `terraform providers lock`.

    That command asks the registry whatever the CLI configuration says.
    """
    name = "TF_CLI_ARGS_providers_lock"
    flag = {"mirror": "-fs-mirror", "implied folder": "-fs-mirror", "network mirror": "-net-mirror"}
    if source.kind not in flag or environ.get(name):
        return {}
    return {name: f"{flag[source.kind]}={source.location}"}


def required_providers(stack_directory: Path) -> dict[str, str]:
    """Return the version constraints of a synthesized stack, by provider."""
    try:
        document = json.loads(read_regular(stack_directory / "cdk.tf.json"))
        blocks = document["terraform"]["required_providers"]
        return {
            str(block["source"]).removeprefix(f"{HOST}/"): str(block.get("version", ""))
            for block in (blocks if isinstance(blocks, dict) else blocks[0]).values()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        return {}


def _explicit(setting: str) -> ProviderSource:
    reason = f"set by {SETTING}"
    if (shown := without_userinfo(setting)) != setting:
        raise UsageError(
            "a URL with a user or password would be written into files and reports",
            field=SETTING,
            value=shown,
            fix="take them out; Terraform reads a token from TF_TOKEN_... or a credentials block",
        )
    if setting.startswith("https://"):
        return ProviderSource("network mirror", setting.rstrip("/") + "/", reason, (AWS,))
    mirror = read_mirror(Path(setting).expanduser().absolute())
    if mirror is None:
        raise UsageError(
            f"holds no {HOST}/{AWS} for {platform_name()}",
            field=SETTING,
            value=setting,
            fix="name the folder that `terraform providers mirror` wrote, or unset it",
        )
    return _chosen("mirror", [mirror], reason, {})


def _fitting(mirrors: Iterable[Mirror | None], wanted: Mapping[str, str]) -> list[Mirror]:
    """Return the mirrors with an AWS provider that fits, the newest first."""
    constraint = wanted.get(AWS, "")
    fitting = [
        mirror
        for mirror in mirrors
        if mirror and any(satisfies(version, constraint) for version in mirror.versions(AWS))
    ]
    return sorted(fitting, key=lambda mirror: _newest(mirror, constraint), reverse=True)


def _newest(mirror: Mirror, constraint: str) -> tuple[int, int, int]:
    fitting = [version for version in mirror.versions(AWS) if satisfies(version, constraint)]
    return max(numbers(version) or (0, 0, 0) for version in fitting)


def _chosen(
    kind: Kind, mirrors: Sequence[Mirror], reason: str, wanted: Mapping[str, str]
) -> ProviderSource:
    mirror = mirrors[0]
    include = tuple(
        provider
        for provider in mirror.providers
        if any(
            satisfies(version, wanted.get(provider, "")) for version in mirror.versions(provider)
        )
    )
    location = str(mirror.directory)
    return ProviderSource(kind, location, reason, include, mirror.versions(AWS), tuple(mirrors[1:]))
