"""Slices that were cut once, kept in the user's cache folder."""

import io
import json
import os
import tarfile
import time
from collections.abc import Collection, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from biomodal_aws._bindings import store
from biomodal_aws._bindings.layout import PACKAGE, Bindings, LayoutError, inspect
from biomodal_aws._bindings.store import Slice


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Record what is cut, in place of cutting it."""
    recorded: list[set[str]] = []

    def cut(bindings: Bindings, submodules: Collection[str]) -> Slice:
        recorded.append(set(submodules))
        names = frozenset(submodules)
        return Slice(names, (bindings.version + " ".join(sorted(names))).encode())

    monkeypatch.setattr(store, "cut", cut)
    return recorded


@pytest.fixture
def bindings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bindings:
    """Install bindings, and a cache folder for them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = tmp_path / "archive"
    archive.write_bytes(b"all of it")
    return Bindings(ModuleSpec(PACKAGE, None), archive, "20.1.0")


def files(tmp_path: Path, pattern: str) -> list[Path]:
    """Return what the cache holds."""
    return list((tmp_path / "cache" / "biomodal-aws" / "bindings").glob(f"*/{pattern}"))


def test_a_slice_is_cut_once(bindings: Bindings, cuts: list[set[str]]) -> None:
    """The second run, and one that needs less, take what is there."""
    first = store.Store.of_user(bindings).including({"a", "b"})
    assert store.Store.of_user(bindings).including({"a", "b"}) == first
    assert store.Store.of_user(bindings).including({"a"}) == first
    assert cuts == [{"a", "b"}]


def test_a_slice_grows(bindings: Bindings, cuts: list[set[str]]) -> None:
    """What one program needs is added to what others needed."""
    store.Store.of_user(bindings).including({"a"})
    grown = store.Store.of_user(bindings).including({"b"})
    assert grown.submodules == {"a", "b"}
    assert cuts == [{"a"}, {"a", "b"}]


def test_a_slice_in_use_is_not_taken_away(
    tmp_path: Path, bindings: Bindings, cuts: list[set[str]]
) -> None:
    """Another process may still load a slice that has grown since; a day later it goes."""
    first = store.Store.of_user(bindings).including({"a"})
    store.Store.of_user(bindings).including({"b"})
    assert first.archive.exists()
    os.utime(first.archive, (0, time.time() - 2 * 24 * 3600))
    store.Store.of_user(bindings).including({"c"})
    assert not first.archive.exists()
    assert len(files(tmp_path, "*.tgz")) == 2


@pytest.mark.parametrize("pattern", ["*.tgz", "index.json"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="truncated"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-9] + b"[]"), id="edited"),
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.chmod(0o660), id="open to others"),
        pytest.param(
            lambda path: os.chown(path, 65534, 65534),
            id="another user's",
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
    ],
)
def test_a_damaged_or_foreign_slice_is_cut_anew(
    tmp_path: Path, bindings: Bindings, cuts: list[set[str]], pattern: str, damage: object
) -> None:
    """Node runs what this user wrote, byte for byte, or nothing of it."""
    kept = store.Store.of_user(bindings).including({"a"})
    content = kept.archive.read_bytes()
    (file,) = files(tmp_path, pattern)
    assert callable(damage)
    damage(file)
    assert store.Store.of_user(bindings).including({"a"}) == kept
    assert kept.archive.read_bytes() == content
    assert cuts == [{"a"}, {"a"}]
    store.Store.of_user(bindings).including({"a"})
    assert len(cuts) == 2


def test_bindings_of_another_version_have_their_own_slice(
    bindings: Bindings, cuts: list[set[str]]
) -> None:
    """Two projects with different bindings do not take each other's, or cut in turn."""
    other = Bindings(bindings.spec, bindings.archive, "21.0.0")
    first = store.Store.of_user(bindings).including({"a"})
    second = store.Store.of_user(other).including({"a"})
    assert first.archive.parent != second.archive.parent
    assert store.Store.of_user(bindings).including({"a"}) == first
    assert len(cuts) == 2


def test_bindings_that_were_generated_anew_are_others(
    bindings: Bindings, cuts: list[set[str]]
) -> None:
    """The same version number with other content behind it is noticed."""
    store.Store.of_user(bindings).including({"a"})
    bindings.archive.write_bytes(b"all of it, and more")
    store.Store.of_user(bindings).including({"a"})
    assert len(cuts) == 2


ASSEMBLY = "@cdktf/provider-aws"


def type_of(submodule: str, folder: str, name: str, uses: str | None = None) -> dict[str, object]:
    """Return a type's definition as jsii writes it."""
    definition: dict[str, object] = {
        "assembly": ASSEMBLY,
        "docs": {"summary": "What it is."},
        "fqn": f"{ASSEMBLY}.{submodule}.{name}",
        "locationInModule": {"filename": f"src/{folder}/index.ts", "line": 1},
        "symbolId": f"src/{folder}/index:{name}",
    }
    if uses is not None:
        definition["properties"] = [{"name": "docs", "type": {"fqn": f"{ASSEMBLY}.{uses}"}}]
    return definition


TYPES = [
    type_of("alb", "alb", "Alb"),
    type_of("bucket", "s3-bucket", "Bucket", uses="policy.Policy"),
    type_of("bucket", "s3-bucket", "BucketConfig"),
    type_of("policy", "iam-policy", "Policy"),
]


def assembly(folder: Path, files: Mapping[str, str] = {}) -> Bindings:
    """Write an assembly of three submodules, and return the bindings that it belongs to."""
    manifest = {
        "name": ASSEMBLY,
        "readme": {"markdown": "long"},
        "schema": "jsii/0.10.0",
        "submodules": {f"{ASSEMBLY}.alb": {}},
        "targets": {"python": {"module": PACKAGE}},
        "types": {str(each["fqn"]): each for each in TYPES},
        "version": "20.1.0",
    }
    content = {
        ".jsii": json.dumps(manifest, indent=2),
        "LICENSE": "words",
        "lib/alb/index.js": "exports.Alb = 1;",
        "lib/iam-policy/index.js": "exports.Policy = 1;",
        "lib/index.js": "exports.alb = require('./alb');",
        "lib/s3-bucket/index.d.ts": "types",
        "lib/s3-bucket/index.js": f'x = "{ASSEMBLY}.bucket.Bucket";\n//# sourceMappingURL=data:a',
        "lib/s3-bucket/structs/index.js": "exports.x = 1;",
        "package.json": "{}",
        **files,
    }
    archive = folder / "_jsii" / "provider-aws@20.1.0.jsii.tgz"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for path, text in content.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    spec = ModuleSpec(PACKAGE, None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    return inspect(spec)


def unpacked(archive: bytes) -> dict[str, str]:
    """Return an archive's files."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_a_slice_holds_what_was_asked_for_and_no_more(tmp_path: Path) -> None:
    """One submodule's types and scripts are in the slice, the others' are not."""
    cut = store.cut(assembly(tmp_path), {"alb"})
    files = unpacked(cut.archive)
    assert cut.submodules == {"alb"}
    assert set(files) == {
        f"package/{path}" for path in (".jsii", "package.json", "lib/index.js", "lib/alb/index.js")
    }
    manifest = json.loads(files["package/.jsii"])
    assert list(manifest["types"]) == [f"{ASSEMBLY}.alb.Alb"]
    assert manifest["version"] == "20.1.0"
    assert "readme" not in manifest


def test_a_slice_holds_what_its_types_refer_to(tmp_path: Path) -> None:
    """A submodule that another one's types mention comes with it."""
    assert store.cut(assembly(tmp_path), {"bucket"}).submodules == {"bucket", "policy"}


def test_documentation_and_source_maps_are_left_out(tmp_path: Path) -> None:
    """What nobody reads at run time is gone; a property that is called `docs` is not."""
    files = unpacked(store.cut(assembly(tmp_path), {"bucket"}).archive)
    bucket = json.loads(files["package/.jsii"])["types"][f"{ASSEMBLY}.bucket.Bucket"]
    assert "docs" not in bucket
    assert bucket["properties"][0]["name"] == "docs"
    assert "sourceMappingURL" not in files["package/lib/s3-bucket/index.js"]
    assert "package/lib/s3-bucket/structs/index.js" in files


def test_the_same_slice_is_the_same_bytes(tmp_path: Path) -> None:
    """Two processes that cut at the same time write the same file."""
    bindings = assembly(tmp_path)
    once, again = (store.cut(bindings, {"alb", "bucket"}).archive for _ in range(2))
    assert once == again


def test_a_renamed_slice_names_itself_throughout(tmp_path: Path) -> None:
    """The assembly's name is another one in the manifest and in the scripts."""
    files = unpacked(store.renamed(store.cut(assembly(tmp_path), {"bucket"}).archive, "x"))
    assert json.loads(files["package/package.json"])["name"] == "x"
    assert "x.bucket.Bucket" in json.loads(files["package/.jsii"])["types"]
    assert '"x.bucket.Bucket"' in files["package/lib/s3-bucket/index.js"]
    assert not [path for path, text in files.items() if ASSEMBLY in text]


@pytest.mark.parametrize(
    ("files", "submodule"),
    [
        pytest.param({".jsii": "{}"}, "alb", id="no types"),
        pytest.param({".jsii": f'{{"types": {{"{ASSEMBLY}.alb.Alb": {{'}, "alb", id="half of it"),
        pytest.param({"lib/alb/index.js": 'require("../other")'}, "alb", id="a sibling's script"),
        pytest.param({}, "unheard", id="of Python's submodules one less"),
    ],
)
def test_an_unexpected_assembly_is_refused(
    tmp_path: Path, files: dict[str, str], submodule: str
) -> None:
    """Rather no slice than one that fails in Node."""
    with pytest.raises(LayoutError, match=submodule if submodule == "unheard" else None):
        store.cut(assembly(tmp_path, files), {submodule})


def test_a_truncated_assembly_is_refused(tmp_path: Path) -> None:
    """A half-installed package is an unexpected layout, not a traceback."""
    bindings = assembly(tmp_path)
    bindings.archive.write_bytes(bindings.archive.read_bytes()[:300])
    with pytest.raises(LayoutError):
        store.cut(bindings, {"alb"})


def test_two_assemblies_are_an_unexpected_layout(tmp_path: Path) -> None:
    """Which of the two Python would load is not guessed."""
    bindings = assembly(tmp_path)
    bindings.archive.with_name("provider-aws@21.0.0.jsii.tgz").touch()
    with pytest.raises(LayoutError):
        inspect(bindings.spec)
