"""Slices of the assembly that were cut once, kept in the user's cache folder.

A jsii assembly is a manifest of types and the scripts behind them. The one of the bindings declares
23,000 types in 120 MB of JSON, and Node reads all of it whatever is used. Cut down to thirty
submodules it is 1 MB.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from biomodal_aws._bindings.layout import ASSEMBLY, Bindings, LayoutError
from biomodal_deploy import files, folders

_FORMAT: Final = 1
_UNUSED_AFTER_S: Final = 24 * 3600


@dataclass(frozen=True)
class Kept:
    """A slice in a file."""

    archive: Path
    submodules: frozenset[str]


class Store:
    """The slice of one version of the bindings.

    There is one for all programs of a user, and it only grows: a submodule costs its second and a
    half once. Two processes that grow it at the same time both succeed, and the last one's slice
    stays; what the other one added is added again when it is next needed.
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
        """Return a slice with at least these submodules, cut now where none is kept."""
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
        digest = hashlib.sha256(slice_.archive).hexdigest()
        kept = Kept(self._folder / f"{digest}.tgz", slice_.submodules)
        files.write(kept.archive, slice_.archive)
        index = {
            "source": self._source(),
            "sha256": digest,
            "submodules": sorted(slice_.submodules),
        }
        files.write(self._index, json.dumps(index).encode())
        self._prune(kept.archive)
        return kept

    def _source(self) -> list[int]:
        # Bindings generated again under the same version number are others.
        found = self._bindings.archive.stat()
        return [found.st_size, found.st_mtime_ns]

    def _prune(self, current: Path) -> None:
        # Another process may be about to load the slice that was current until now.
        for archive in self._folder.glob("*.tgz"):
            with suppress(OSError):
                if archive != current and archive.stat().st_mtime < time.time() - _UNUSED_AFTER_S:
                    archive.unlink()


Json = dict[str, Any]
_TYPES: Final = re.compile(rf'"types":\s*{{\s*(?="{ASSEMBLY}\.)')
_TYPE: Final = re.compile(rf'"({ASSEMBLY}\.(\w+)\.[\w.]+)":\s*(?={{)')
_MENTION: Final = re.compile(rf'"{ASSEMBLY}\.(\w+)\.\w')
_SIBLING: Final = re.compile(r'require\("\.\./([\w-]+)')
_SOURCE_MAP: Final = re.compile(rb"\n//# sourceMappingURL=data:[^\n]*\s*$")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True)
class Slice:
    """A cut-down assembly.

    Attributes:
        submodules: What is in it, by the assembly's names.
        archive: What jsii loads: the same bytes for the same submodules.
    """

    submodules: frozenset[str]
    archive: bytes


def renamed(archive: bytes, name: str) -> bytes:
    """Return a slice's archive with its assembly, and all types in it, under another name."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        contents = {path: read() for path, read in _contents(members)}
    own = re.compile(rf'"{ASSEMBLY}(?=["./])'.encode())
    return _pack({path: own.sub(f'"{name}'.encode(), text) for path, text in contents.items()})


def cut(bindings: Bindings, submodules: Collection[str]) -> Slice:
    """Cut the assembly down to some submodules and to what their types refer to.

    Raises:
        LayoutError: The assembly is not built as expected, or lacks a submodule.
    """
    try:
        with tarfile.open(bindings.archive, "r|gz") as archive:
            contents = _contents(archive)
            path, read = next(contents)
            if path != ".jsii":
                raise LayoutError(f"{bindings.archive.name} does not begin with its manifest")
            header, types = _select(read().decode(), submodules)
            # A type's place is given as in `src/s3control-bucket/index:S3ControlBucket`.
            folders = {
                definition["symbolId"].split("/")[1]: fqn.split(".")[1]
                for fqn, definition in types.items()
            }
            scripts = {
                path: _SOURCE_MAP.sub(b"\n", read()).decode()
                for path, read in contents
                if path.endswith(".js") and path.split("/")[1] in folders
            }
    except (OSError, EOFError, ValueError, LookupError, StopIteration, tarfile.TarError) as error:
        raise LayoutError(f"{bindings.archive.name} cannot be cut down: {error!r}") from error
    _check(scripts, folders)
    package = {"name": ASSEMBLY, "version": bindings.version, "main": "lib/index.js"}
    manifest = header | {"version": bindings.version, "fingerprint": "", "types": types}
    files = scripts | {
        ".jsii": json.dumps(manifest, separators=(",", ":")),
        "package.json": json.dumps(package),
        "lib/index.js": _index(folders),
    }
    packed = _pack({path: text.encode() for path, text in files.items()})
    return Slice(frozenset(folders.values()), packed)


def _pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=6) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _contents(archive: tarfile.TarFile) -> Iterator[tuple[str, Callable[[], bytes]]]:
    for member in archive:
        file = archive.extractfile(member)
        if file is not None:
            yield member.name.removeprefix("package/"), file.read


def _select(manifest: str, submodules: Collection[str]) -> tuple[Json, Json]:
    """Return the manifest without types, and the definitions of the submodules' types.

    All of the manifest as JSON takes 4 s and 700 MB, so only what is wanted is read.
    """
    start = _TYPES.search(manifest)
    if start is None:
        raise LayoutError("the manifest lists no types")
    places: dict[str, list[tuple[str, int]]] = {}
    for found in _TYPE.finditer(manifest, start.end()):
        places.setdefault(found[2], []).append((found[1], found.end()))
    types: Json = {}
    wanted, taken = set(submodules), set[str]()
    while pending := wanted - taken:
        for submodule in sorted(pending):
            for fqn, place in places[submodule]:
                definition, end = _DECODER.raw_decode(manifest, place)
                types[fqn] = _lean(definition)
                wanted.update(_MENTION.findall(manifest, place, end))
        taken |= pending
    header = _DECODER.decode(f'{manifest[: start.start()]}"types": {{}}}}')
    return {
        key: value for key, value in header.items() if key not in ("readme", "submodules")
    }, types


def _lean(definition: Any) -> Any:
    """Leave out what jsii reads at compile time only: most of the bulk."""
    match definition:
        case dict():
            return {
                key: _lean(value)
                for key, value in definition.items()
                if key not in ("docs", "locationInModule")
            }
        case list():
            return [_lean(value) for value in definition]
    return definition


def _check(scripts: dict[str, str], folders: dict[str, str]) -> None:
    for folder in folders:
        if f"lib/{folder}/index.js" not in scripts:
            raise LayoutError(f"lib/{folder} holds no index.js")
    for path, script in scripts.items():
        if path.count("/") == 2 and not folders.keys() >= set(_SIBLING.findall(script)):
            raise LayoutError(f"{path} needs a script of a submodule that its types do not mention")


def _index(folders: dict[str, str]) -> str:
    getters = (
        f"Object.defineProperty(exports, {json.dumps(name)}, "
        f"{{ enumerable: true, get: () => require({json.dumps(f'./{folder}')}) }});\n"
        for folder, name in sorted(folders.items())
    )
    return '"use strict";\n' + "".join(getters)
