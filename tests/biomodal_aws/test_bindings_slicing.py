"""Cutting the bindings' assembly down to some submodules."""

import io
import json
import tarfile
from collections.abc import Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from biomodal_aws._bindings import slicing
from biomodal_aws._bindings.layout import PACKAGE, Bindings, LayoutError, inspect

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
    cut = slicing.cut(assembly(tmp_path), {"alb"})
    files = unpacked(cut.packed())
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
    assert slicing.cut(assembly(tmp_path), {"bucket"}).submodules == {"bucket", "policy"}


def test_documentation_and_source_maps_are_left_out(tmp_path: Path) -> None:
    """What nobody reads at run time is gone; a property that is called `docs` is not."""
    files = slicing.cut(assembly(tmp_path), {"bucket"}).files
    bucket = json.loads(files[".jsii"])["types"][f"{ASSEMBLY}.bucket.Bucket"]
    assert "docs" not in bucket
    assert bucket["properties"][0]["name"] == "docs"
    assert "sourceMappingURL" not in files["lib/s3-bucket/index.js"]
    assert "lib/s3-bucket/structs/index.js" in files


def test_the_same_slice_is_the_same_bytes(tmp_path: Path) -> None:
    """Two processes that cut at the same time write the same file."""
    bindings = assembly(tmp_path)
    once, again = (slicing.cut(bindings, {"alb", "bucket"}).packed() for _ in range(2))
    assert once == again


def test_a_renamed_slice_names_itself_throughout(tmp_path: Path) -> None:
    """The assembly's name is another one in the manifest and in the scripts."""
    files = unpacked(slicing.renamed(slicing.cut(assembly(tmp_path), {"bucket"}).packed(), "x"))
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
        slicing.cut(assembly(tmp_path, files), {submodule})


def test_a_truncated_assembly_is_refused(tmp_path: Path) -> None:
    """A half-installed package is an unexpected layout, not a traceback."""
    bindings = assembly(tmp_path)
    bindings.archive.write_bytes(bindings.archive.read_bytes()[:300])
    with pytest.raises(LayoutError):
        slicing.cut(bindings, {"alb"})


def test_two_assemblies_are_an_unexpected_layout(tmp_path: Path) -> None:
    """Which of the two Python would load is not guessed."""
    bindings = assembly(tmp_path)
    bindings.archive.with_name("provider-aws@21.0.0.jsii.tgz").touch()
    with pytest.raises(LayoutError):
        inspect(bindings.spec)
