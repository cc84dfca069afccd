"""The same constructs on cdktf and cdktn, with bindings of AWS provider 5 and 6."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from biomodal_aws._bindings import framework
from biomodal_aws._bindings.framework import CDKTF, CDKTN, choose
from tests.support.processes import run_program
from tests.support.project import ROOT, app_environment, copy_app, run_main, write_stacks

OTHERS = {"cdktf-aws6": ("0.21.0", "21.22.1", "~> 6.25"), "cdktn": ("0.24.0", "25.8.1", "~> 6.69")}
STACKS: dict[str, dict[str, Any]] = {
    "module": {"bootstrap": "module"},
    "native": {"bootstrap": "native"},
    "hardened": {"bootstrap": "native", "profile": "hardened"},
    "hardened-module": {"bootstrap": "module", "profile": "hardened"},
    "prerequisites": {"bootstrap": "prerequisites"},
    "state": {
        "bootstrap": "state-bucket",
        "region": "eu-west-2",
        "state_bucket": {"bucket": "lab-state"},
    },
}
# What AWS provider 6 calls otherwise, of all that the stacks give: see docs/frameworks.md.
RENAMED = {"compute_environment_name": "name", "compute_environment_name_prefix": "name_prefix"}


@pytest.mark.parametrize(
    ("setting", "installed", "chosen"),
    [
        (None, False, CDKTF),
        ("", True, CDKTN),
        (None, True, CDKTN),
        ("cdktf", True, CDKTF),
        ("cdktn", False, CDKTN),
    ],
)
def test_choice(setting: str | None, installed: bool, chosen: framework.Framework) -> None:
    """The setting comes first; without one, cdktn is used where it is installed."""
    assert choose(setting, cdktn_installed=installed) is chosen


def test_wrong_setting() -> None:
    """A framework of another name is refused with the setting and both names."""
    with pytest.raises(ValueError, match=r'BIOMODAL_AWS_FRAMEWORK="cdk8s".*"cdktf".*"cdktn"'):
        choose("cdk8s", cdktn_installed=False)


def test_arguments_of_both_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments have the names of the provider that the bindings are made from."""
    given = dict.fromkeys(RENAMED, "x") | {"type": "MANAGED"}
    for version, renamed in (((5, 100), {}), ((6, 0), RENAMED), ((6, 69), RENAMED)):
        monkeypatch.setattr(framework, "provider_version", lambda version=version: version)
        assert framework.arguments(**given) == {
            renamed.get(name, name): given[name] for name in given
        }


def test_bindings_without_a_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bindings that do not say which provider they are for are refused by name."""
    provider = tmp_path / CDKTF.package / "provider" / "__init__.py"
    provider.parent.mkdir(parents=True)
    (tmp_path / CDKTF.package / "__init__.py").touch()
    provider.write_text("AWS\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ImportError, match=CDKTF.package):
        framework.provider_version.__wrapped__()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project of all kinds of stacks, synthesized on cdktf with bindings of provider 5."""
    project = copy_app(tmp_path_factory.mktemp("app") / "project")
    write_stacks(project, STACKS)
    synthesize(project, {})
    return project


@pytest.fixture
def documented(project: Path) -> dict[str, Any]:
    """Return each stack as data."""
    return read(project)


@pytest.fixture(scope="module", params=sorted(OTHERS))
def other(request: pytest.FixtureRequest) -> str:
    """Name another framework, or bindings; `make frameworks` installs them."""
    name: str = request.param
    if not (ROOT / ".frameworks" / name / ".ready").exists():
        pytest.skip(f"{name} is not installed in .frameworks: make frameworks")
    return name


def environment_of(name: str, project: Path) -> dict[str, str]:
    """Return what lays a framework over this environment."""
    folders = (ROOT / ".frameworks" / name, project / "constructs", ROOT)
    return {"PYTHONPATH": os.pathsep.join(map(str, folders))}


def synthesize(project: Path, settings: dict[str, str]) -> None:
    """Synthesize the project, without a line on what is slower than usual."""
    done = run_main(project, env=settings)
    assert (done.returncode, done.stderr) == (0, "")


def read(project: Path) -> dict[str, Any]:
    """Return each synthesized stack as data."""
    paths = (project / "cdktf.out" / "stacks").glob("*/cdk.tf.json")
    return {path.parent.name: json.loads(path.read_bytes()) for path in paths}


def checked(project: Path, settings: dict[str, str]) -> dict[str, list[str]]:
    """Compare the synthesized stacks with the types of the installed bindings."""
    done = run_program(
        [sys.executable, "-m", "tests.support.frameworks", str(project)],
        cwd=ROOT,
        env=app_environment(project, settings),
    )
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def renamed(document: dict[str, Any], core: str, constraint: str) -> dict[str, Any]:
    """Return a documented stack with the differences that are meant."""
    changed: dict[str, Any] = json.loads(json.dumps(document))
    changed["//"]["metadata"]["version"] = core
    aws = changed["terraform"]["required_providers"]["aws"]
    if aws["version"] == "~> 5.100":
        aws["version"] = constraint
    environments = changed.get("resource", {}).get("aws_batch_compute_environment", {})
    for name, block in environments.items():
        environments[name] = {RENAMED.get(key, key): value for key, value in block.items()}
    return changed


@pytest.mark.engine
def test_every_framework_writes_the_same_stacks(
    other: str, project: Path, documented: dict[str, Any], tmp_path: Path
) -> None:
    """All stacks are equal as data, save the named differences, and load the fast way."""
    core, bindings, constraint = OTHERS[other]
    out, cache = tmp_path / "out", tmp_path / "cache"
    settings = {
        **environment_of(other, project),
        "CDKTF_OUTDIR": str(out / "cdktf.out"),
        "XDG_CACHE_HOME": str(cache),
    }
    synthesize(project, settings)
    stacks = read(out)
    assert stacks.keys() == STACKS.keys()
    for name, stack in stacks.items():
        assert stack == renamed(documented[name], core, constraint), name
    assert list(cache.glob(f"biomodal-aws/bindings/{bindings}-*/index.json"))
    assert checked(out, settings) == {name: [] for name in STACKS}


@pytest.mark.engine
def test_types_of_provider_6_refuse_what_it_renamed(other: str, project: Path) -> None:
    """Stacks for provider 5 differ from provider 6's types by exactly the renamed arguments."""
    found = checked(project, environment_of(other, project))
    batch = "resource.aws_batch_compute_environment.batch"
    assert {name: each for name, each in found.items() if each} == {
        "native": [f"{batch}: unknown compute_environment_name"],
        "hardened": [
            f"{batch}: unknown compute_environment_name_prefix",
            f"{batch}_on_demand: unknown compute_environment_name_prefix",
        ],
    }


@pytest.mark.engine
def test_comparison_finds_what_is_wrong(
    project: Path, documented: dict[str, Any], tmp_path: Path
) -> None:
    """An unknown argument in a block, a missing one and an unknown attribute are each named."""
    stack = json.loads(json.dumps(documented["native"]))
    resources = stack["resource"]
    del resources["aws_batch_compute_environment"]["batch"]["type"]
    resources["aws_instance"]["vm"]["root_block_device"]["size"] = 1
    stack["output"]["vm_name"]["value"] = "${aws_instance.vm.no_such}"
    path = tmp_path / "cdktf.out" / "stacks" / "native" / "cdk.tf.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(stack))
    assert checked(tmp_path, environment_of("", project)) == {
        "native": [
            "aws_instance: unknown attribute no_such",
            "resource.aws_batch_compute_environment.batch: missing type",
            "resource.aws_instance.vm.root_block_device: unknown size",
        ]
    }
