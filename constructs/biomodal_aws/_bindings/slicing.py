"""The assembly of the AWS bindings, cut down to the submodules that are used.

A jsii assembly is a manifest of types and the scripts behind them. The one of the bindings declares
23,000 types in 120 MB of JSON, and Node reads all of it whatever is used. Cut down to thirty
submodules it is 1 MB.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from biomodal_aws._bindings.layout import ASSEMBLY, Bindings, LayoutError

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
        files: Path in the package and content.
    """

    submodules: frozenset[str]
    files: dict[str, str]

    def packed(self) -> bytes:
        """Return the archive that jsii loads: the same bytes for the same slice."""
        return _pack({path: text.encode() for path, text in self.files.items()})


def renamed(archive: bytes, name: str) -> bytes:
    """Return a slice's archive with its assembly, and all types in it, under another name."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        contents = {path: read() for path, read in _contents(members)}
    own = re.compile(rf'"{ASSEMBLY}(?=["./])'.encode())
    return _pack({path: own.sub(f'"{name}'.encode(), text) for path, text in contents.items()})


def cut(bindings: Bindings, submodules: Collection[str]) -> Slice:
    """Cut the assembly down to some submodules and to what their types refer to.

    Args:
        bindings: The installed bindings.
        submodules: The wanted submodules, by the assembly's names.

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
    return Slice(frozenset(folders.values()), files)


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
