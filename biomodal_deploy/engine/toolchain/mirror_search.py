"""Recognise a Terraform provider mirror by its shape, in a few shallow places."""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from biomodal_deploy.engine.toolchain.tool import numbers

HOST: Final = "registry.terraform.io"
_LANDMARK: Final = f"{HOST}/hashicorp/aws"
_SYSTEM: Final = (
    "/usr/local/share",
    "/usr/local/lib",
    "/usr/share",
    "/usr/lib",
    "/srv",
    "/var/lib",
    "/opt",
)
# The children of these are looked into as well: software in /opt lives one level deeper.
_DEEPER: Final = ("/opt",)
_MOST: Final = 4000
_ARCHIVE: Final = re.compile(
    r"terraform-provider-.+?_(?P<version>\d+\.\d+\.\d+.*)_(?P<os>[a-z]+_\w+)"
)


@dataclass(frozen=True)
class Mirror:
    """A folder in the layout that `terraform providers mirror` writes.

    Attributes:
        directory: The folder that holds `registry.terraform.io`.
        offers: The versions for this platform by provider, such as `hashicorp/aws`.
    """

    directory: Path
    offers: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers it has for this platform."""
        return tuple(name for name, _ in self.offers)

    def versions(self, provider: str) -> tuple[str, ...]:
        """Return the versions of a provider for this platform, the newest first."""
        return dict(self.offers).get(provider, ())


def platform_name() -> str:
    """Return this platform in Terraform's words, such as `linux_amd64`."""
    machine = platform.machine().lower()
    architectures = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return f"{sys.platform}_{architectures.get(machine, machine)}"


def implied_directories(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders that Terraform itself searches before it asks a registry."""
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "darwin":
        places = [
            home / "Library/Application Support/io.terraform",
            Path("/Library/Application Support/io.terraform"),
        ]
    else:
        data = environ.get("XDG_DATA_HOME") or str(home / ".local/share")
        shared = environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        places = [Path(place) / "terraform" for place in (data, *shared.split(":")) if place]
    return [place / "plugins" for place in (home / ".terraform.d", *places)]


def read_mirror(directory: Path) -> Mirror | None:
    """Return what a folder offers this platform; None where it has no AWS provider for it."""
    if directory.name == HOST:
        directory = directory.parent
    wanted = platform_name()
    offers = {}
    for provider in sorted((directory / HOST).glob("*/*")):
        found = set(_versions(provider, wanted))
        if found:
            ordered = sorted(found, key=lambda version: numbers(version) or (0, 0, 0), reverse=True)
            offers[f"{provider.parent.name}/{provider.name}"] = tuple(ordered)
    return Mirror(directory, tuple(offers.items())) if "hashicorp/aws" in offers else None


def search(environ: Mapping[str, str], roots: Sequence[Path] | None = None) -> Iterator[Mirror]:
    """Yield the mirrors on this machine: a bounded look at shallow places, never a crawl.

    Args:
        environ: Where HOME and the plugin cache are read.
        roots: Folders whose children may be mirrors; the system's where None.
    """
    # A plugin cache has the same shape, but Terraform owns it and fills it from the registry.
    cache = environ.get("TF_PLUGIN_CACHE_DIR")
    passed_over = {os.path.realpath(cache)} if cache else set()
    for place in islice(_places(environ, roots), _MOST):
        if not os.path.isdir(f"{place}/{_LANDMARK}"):  # noqa: PTH112 - thousands of them
            continue
        real = os.path.realpath(place)
        if real not in passed_over and _trustworthy(place):
            passed_over.add(real)
            if mirror := read_mirror(Path(place)):
                yield mirror


def _places(environ: Mapping[str, str], roots: Sequence[Path] | None) -> Iterator[str]:
    home = environ.get("HOME") or str(Path.home())
    tops = [str(root) for root in roots] if roots is not None else [home, *_SYSTEM]
    for top in tops:
        yield top
        for child in _children(top):
            yield child
            if top in _DEEPER:
                yield from _children(child)


def _children(directory: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            yield from sorted(entry.path for entry in entries if entry.is_dir())
    except OSError:
        return


def _versions(provider: Path, wanted: str) -> Iterator[str]:
    for entry in provider.iterdir() if provider.is_dir() else ():
        archive = _ARCHIVE.fullmatch(entry.stem) if entry.suffix == ".zip" else None
        if archive and archive["os"] == wanted:
            yield archive["version"]
        elif numbers(entry.name) and (entry / wanted).is_dir():
            yield entry.name


def _trustworthy(directory: str) -> bool:
    """Whether only the user and root can put a program there: providers are programs."""
    for path in (Path(directory), Path(directory, HOST), Path(directory, _LANDMARK)):
        status = path.stat()
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & stat.S_IWOTH:
            return False
    return True
