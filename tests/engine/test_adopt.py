"""What exists is adopted in place: a vendor's root, from one stack to another, and by ids."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EXIT_DONE
from biomodal_deploy.sandbox import Sandbox
from tests.support.light import Ended, command
from tests.support.native import init_or_skip
from tests.support.project import app_environment, copy_app, write_stacks
from tests.support.terraform import provider_engine
from tests.support.vendor import serve_module, write_vendor_root

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("adopt")]

STACK: Final = "lab"
VM: Final = "engine-vm"


@dataclass(frozen=True)
class Project:
    """A checkout, an account on loopback, and the vendor's folder."""

    folder: Path
    vendor: Path
    sandbox: Sandbox
    environment: Mapping[str, str]

    def run(self, *words: str) -> Ended:
        """Run one command."""
        return command(self.folder, words, self.environment, timeout=280)

    def must(self, *words: str) -> Any:
        """Run one command that has to work, and return its data."""
        ended = self.run(*words, "--output", "json")
        assert ended.status == EXIT_DONE, ended.out + ended.err
        return ended.data

    def become(self, **settings: object) -> None:
        """Change what the stack is; what an adoption wrote stays."""
        document = json.loads((self.folder / "cdktf.json").read_text())
        old = document["context"]["stacks"].get(STACK, {})
        kept = {"adopted": old["adopted"]} if "adopted" in old else {}
        write_stacks(self.folder, {STACK: {**settings, **kept}})

    def settle(self, adopted: Mapping[str, Any]) -> None:
        """Apply an adoption, delete its file, and see that nothing is left to do."""
        self.must("apply", adopted["path"])
        if adopted["adoption_file"]:
            (self.folder / adopted["adoption_file"]).unlink()
        planned = self.must("plan")
        assert not planned["has_changes"], self.run("plan").out


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The vendor's root, applied by Terraform itself, and a checkout that knows nothing of it."""
    workdir = tmp_path_factory.mktemp("adopt")
    folder = copy_app(workdir / "checkout")
    home = workdir / "home"
    (home / ".ssh").mkdir(parents=True)
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    variables = app_environment(folder, {"HOME": str(home), "XDG_CACHE_HOME": cache})
    with Sandbox.start(workdir) as sandbox:
        serve_module(home, sandbox)
        sandbox.write_tfvars(folder / "terraform.tfvars", vm_name=VM)
        vendor = workdir / "vendor"
        write_vendor_root(vendor, sandbox, VM)
        terraform = provider_engine(home, dict(sandbox.environment({})))
        init_or_skip(terraform, vendor)
        terraform.must(vendor, "apply", "-auto-approve", "-input=false")
        yield Project(folder, vendor, sandbox, sandbox.environment(variables))


def _losses(adopted: Mapping[str, Any]) -> dict[str, int]:
    return {word: adopted["counts"].get(word, 0) for word in ("delete", "replace", "create")}


@pytest.fixture(scope="module")
def native(project: Project) -> Any:
    """The adoption of the vendor's state by the native stack."""
    project.become(bootstrap="native")
    return project.must("adopt", "--state", str(project.vendor))


def test_native_adopts_the_vendor_s_root(native: Any) -> None:
    """Nothing is created, replaced or destroyed."""
    assert _losses(native) == {"delete": 0, "replace": 0, "create": 0}
