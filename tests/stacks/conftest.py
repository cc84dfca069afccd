"""Both stacks, synthesized once in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.project import ROOT, stack_json


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder with the documented stack and the native one."""
    # Here and not above: the guard on constructs/ has to speak before cdktf's own traceback.
    from biomodal_deploy.config.settings import StackSettings
    from stacks.synthesis import synthesize

    output = tmp_path_factory.mktemp("synthesized")
    stacks = {"biomodal-aws": StackSettings(), "native": StackSettings(bootstrap="native")}
    synthesize(stacks, install_script=ROOT / "scripts" / "install_script.sh", output=output)
    return output


@pytest.fixture(scope="session")
def module_json(synthesized: Path) -> dict[str, Any]:
    """The documented stack as data."""
    return stack_json(synthesized, "biomodal-aws")


@pytest.fixture(scope="session")
def native_json(synthesized: Path) -> dict[str, Any]:
    """The native stack as data."""
    return stack_json(synthesized, "native")
