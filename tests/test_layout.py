"""Where things live, and which part may know which."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

from tests.support.processes import run_program
from tests.support.project import ROOT

PYTHON_FILES: Final = sorted(
    path
    for folder in ("stacks", "constructs", "biomodal_deploy", "tests")
    for path in (ROOT / folder).rglob("*.py")
)

# A layer may import those below it. The lists of checks stand above the frame that they share.
LAYERS: Final = (
    *(
        "app",
        "cli",
        "api",
        "vm",
        "workflow",
        "review",
        "aws.ledger",
        "aws.preflight",
        "aws.state_bucket",
    ),
    *("aws", "sandbox", "plan", "engine", "iam", "config", "known_errors", "files"),
    *("folders", "errors", "text"),
)


@cache
def statements(path: Path) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Return the imports of a file, inside functions too."""
    found = ast.walk(ast.parse(path.read_text()))
    return tuple(node for node in found if isinstance(node, ast.Import | ast.ImportFrom))


def imports_of(node: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the top-level packages that one statement imports."""
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]} if node.level == 0 else set()
    return {name.name.partition(".")[0] for name in node.names}


def importers(folder: str, packages: set[str]) -> list[str]:
    """Return the files below a folder that import one of these packages."""
    return [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / folder).rglob("*.py"))
        if any(packages & imports_of(node) for node in statements(path))
    ]


def test_constructs_is_no_package() -> None:
    """An `__init__.py` there shadows the PyPI package `constructs`, which cdktf imports."""
    assert not (ROOT / "constructs" / "__init__.py").exists()
    assert [path.name for path in (ROOT / "constructs").iterdir() if path.is_dir()] == [
        "biomodal_aws"
    ]


def test_tests_hold_no_packages() -> None:
    """Nor do they shadow it: no `__init__.py`, and no folder of that name."""
    assert not list((ROOT / "tests").rglob("__init__.py"))
    assert not (ROOT / "tests" / "constructs").exists()


def test_cdktf_gets_the_pypi_package() -> None:
    """`import constructs` is the installed one, also with this checkout first on the path."""
    first, *_ = (path for path in map(Path, sys.path) if (path / "constructs").is_dir())
    assert first == ROOT
    assert "site-packages" in Path(import_module("constructs").__file__ or "").parts
    assert import_module("cdktf").App.__mro__[1].__module__ == "constructs"


def test_the_second_spelling_is_banned() -> None:
    """`constructs.biomodal_aws` resolves too, and would load a second copy of every class."""
    spelled = [
        str(path.relative_to(ROOT))
        for path in PYTHON_FILES
        if "constructs.bio" in path.read_text()
        for node in statements(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("constructs.bio")
    ]
    assert spelled == []
    assert '"constructs.biomodal_aws".msg' in (ROOT / "pyproject.toml").read_text()


def test_the_workflow_does_not_know_the_app() -> None:
    """`--help`, `show` and `apply` never pay for jsii, and work on any synthesized directory."""
    assert importers("biomodal_deploy", {"cdktf", "constructs", "stacks", "biomodal_aws"}) == []
    assert importers("biomodal_deploy", {"cdktf_cdktf_provider_aws", "jsii"}) == []


def module_imports() -> dict[str, set[str]]:
    """Return which modules of the workflow each of them imports, inside functions too."""
    root = ROOT / "biomodal_deploy"
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in root.rglob("*.py")
    }
    found: dict[str, set[str]] = {}
    for module, path in paths.items():
        named = set()
        for node in statements(path):
            if isinstance(node, ast.ImportFrom) and node.module:
                # `from package import module` imports the module, `... import name` the package.
                named |= {
                    full if (full := f"{node.module}.{each.name}") in paths else node.module
                    for each in node.names
                }
            elif isinstance(node, ast.Import):
                named |= {each.name for each in node.names}
        found[module] = (named & paths.keys()) - {module}
    return found


def layer_of(module: str) -> str:
    """Return the layer that a module stands in; the package and its entry point are above all."""
    _, layer, part = [*module.split("."), "", ""][:3]
    return named if (named := f"{layer}.{part}") in LAYERS else layer


def test_no_layer_imports_one_above_it() -> None:
    """Data flows one way: whoever reads a layer needs to know only the ones below it."""
    imports = module_imports()
    ranks = {layer: rank for rank, layer in enumerate(("__main__", "", *LAYERS))}
    assert {layer_of(module) for module in imports} == ranks.keys()
    upward = [
        f"{module} imports {each}"
        for module, named in imports.items()
        for each in named
        if ranks[layer_of(module)] > ranks[layer_of(each)] > 1
    ]
    assert upward == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Modules can be read, moved and tested one by one."""
    TopologicalSorter(module_imports()).prepare()


def test_constructs_do_not_know_the_stacks() -> None:
    """Nor the settings: whoever installs the library alone has neither."""
    assert importers("constructs", {"stacks", "pydantic"}) == []
    # Files for their owner's eyes only are written in one way everywhere, and AWS's own names stand
    # once, in the contract; these modules import nothing but the standard library.
    shared = {
        name.name
        for path in (ROOT / "constructs").rglob("*.py")
        for node in statements(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("biomodal_deploy")
        for name in node.names
    }
    assert shared <= {"files", "folders", "launch_template_name", "through"}


def test_constructs_and_stacks_do_not_read_the_environment() -> None:
    """Settings are read once, at the edge; constructs take arguments."""
    readers = [
        str(path.relative_to(ROOT))
        for folder in ("constructs/biomodal_aws", "stacks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "_bindings" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    assert readers == []


def test_test_set_up_starts_without_cdktf() -> None:
    """These guards speak before a traceback about `constructs._jsii` does."""
    for path in (ROOT / "tests").rglob("conftest.py"):
        top = ast.parse(path.read_text()).body
        names = {
            name
            for node in top
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in imports_of(node)
        }
        assert not names & {"cdktf", "constructs", "stacks", "biomodal_aws"}, path


def test_importing_the_workflow_is_cheap() -> None:
    """Nothing heavy is loaded before it is needed: not for its errors, and not for the contract."""
    names = "biomodal_deploy, biomodal_deploy.errors, biomodal_deploy.config.contract"
    program = f"import sys, {names}; print(*sys.modules)"
    done = run_program([sys.executable, "-c", program], check=True)
    loaded = set(done.stdout.split())
    assert "biomodal_deploy.config.contract" in loaded
    assert not loaded & {"rich", "pydantic", "typer", "boto3", "cdktf", "moto", "jsii"}


def statements_in(of: ast.Module | ast.ClassDef) -> Iterator[ast.stmt]:
    """Yield what stands in a module, and in its classes."""
    for node in of.body:
        yield node
        if isinstance(node, ast.ClassDef):
            yield from statements_in(node)


def test_every_test_says_what_it_promises() -> None:
    """Each test has a docstring, so that a failure says what is lost."""
    silent = [
        f"{path.relative_to(ROOT)}::{node.name}"
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in statements_in(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_no_file_names_a_machine() -> None:
    """What is under version control works on every machine: no path of somebody's home."""
    listed = run_program(["git", "ls-files", "-z"], cwd=ROOT)
    if listed.returncode or len(ROOT.parts) < 3:
        pytest.skip("not a git checkout, or one whose path could be a word")
    named = []
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and str(ROOT).encode() in path.read_bytes():
            named.append(name)
    assert named == []
