"""Slices that were cut once, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from biomodal_aws._bindings.layout import Bindings
from biomodal_aws._bindings.slicing import Slice, cut
from biomodal_deploy import files, folders

_FORMAT: Final = 1
_UNUSED_AFTER_S: Final = 24 * 3600


@dataclass(frozen=True)
class Kept:
    """A slice in a file.

    Attributes:
        archive: What jsii loads.
        submodules: What is in it, by the assembly's names.
    """

    archive: Path
    submodules: frozenset[str]


class Store:
    """The slice of one version of the bindings.

    There is one for all programs of a user, and it only grows: a submodule costs its second and a
    half once. Two processes that grow it at the same time both succeed, and the last one's slice
    stays; what the other one added is added again when it is next needed.

    Args:
        bindings: The installed bindings.
        folder: A private folder.
    """

    def __init__(self, bindings: Bindings, folder: Path) -> None:
        self._bindings = bindings
        self._folder = folder
        self._index = folder / "index.json"

    @classmethod
    def of_user(cls, bindings: Bindings) -> Store:
        """Open the store in the user's cache folder.

        Raises:
            OSError: There is no cache folder, it is read-only, or others can write to it.
        """
        name = f"{bindings.version}-format{_FORMAT}"
        return cls(bindings, folders.cache_folder("bindings", name))

    def including(self, submodules: Collection[str]) -> Kept:
        """Return a slice with at least these submodules, cut now where none is kept.

        Raises:
            LayoutError: The assembly cannot be cut down.
            OSError: The slice cannot be written.
        """
        kept = self._read()
        if kept is None:
            return self._keep(cut(self._bindings, submodules))
        if kept.submodules.issuperset(submodules):
            return kept
        return self._keep(cut(self._bindings, kept.submodules.union(submodules)))

    def _read(self) -> Kept | None:
        with suppress(OSError, ValueError, LookupError, TypeError):
            index = json.loads(self._index.read_bytes())
            archive = self._folder / f"{index['sha256']}.tgz"
            if (
                folders.is_private(self._index)
                and folders.is_private(archive)
                and index["source"] == self._source()
                and hashlib.sha256(archive.read_bytes()).hexdigest() == index["sha256"]
            ):
                return Kept(archive, frozenset(index["submodules"]))
        return None

    def _keep(self, slice_: Slice) -> Kept:
        content = slice_.packed()
        digest = hashlib.sha256(content).hexdigest()
        kept = Kept(self._folder / f"{digest}.tgz", slice_.submodules)
        files.write(kept.archive, content)
        index = {
            "source": self._source(),
            "sha256": digest,
            "submodules": sorted(slice_.submodules),
        }
        files.write(self._index, json.dumps(index).encode())
        self._prune(kept.archive)
        return kept

    def _source(self) -> list[int]:
        # Bindings generated anew under the same version number are others.
        found = self._bindings.archive.stat()
        return [found.st_size, found.st_mtime_ns]

    def _prune(self, current: Path) -> None:
        # Another process may be about to load the slice that was current until now.
        for archive in self._folder.glob("*.tgz"):
            with suppress(OSError):
                if archive != current and archive.stat().st_mtime < time.time() - _UNUSED_AFTER_S:
                    archive.unlink()
