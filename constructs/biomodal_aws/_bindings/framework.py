"""Which framework and which AWS bindings the constructs are built with: cdktf, or cdktn after it.

Constructs and stacks import `cdktf` and `cdktf_cdktf_provider_aws`. Where cdktn is chosen, both
names stand for its packages, so no construct exists twice. Arguments that AWS provider 6 has
renamed are translated here as well; the bindings decide which version it is.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

SETTING: Final = "BIOMODAL_AWS_FRAMEWORK"
# Each binding's first lines link to the provider's documentation of the version it is made from.
_PROVIDER: Final = re.compile(r"/providers/hashicorp/aws/(\d+)\.(\d+)\.\d+/")
# What AWS provider 6 has renamed of the arguments that the constructs give.
_SINCE_6: Final = {
    "compute_environment_name": "name",
    "compute_environment_name_prefix": "name_prefix",
}


@dataclass(frozen=True)
class Framework:
    """A framework and its AWS bindings."""

    core: str
    package: str
    assembly: str


CDKTF: Final = Framework("cdktf", "cdktf_cdktf_provider_aws", "@cdktf/provider-aws")
CDKTN: Final = Framework("cdktn", "cdktn_provider_aws", "@cdktn/provider-aws")


def choose(setting: str | None, *, cdktn_installed: bool) -> Framework:
    """Choose a framework.

    Args:
        cdktn_installed: Whether cdktn and its bindings are there. Nothing else brings them, so
            they are used where they are.
    """
    if setting not in (None, "", CDKTF.core, CDKTN.core):
        raise ValueError(f'{SETTING}="{setting}" is neither "{CDKTF.core}" nor "{CDKTN.core}"')
    if setting:
        return CDKTN if setting == CDKTN.core else CDKTF
    return CDKTN if cdktn_installed else CDKTF


def _installed(framework: Framework) -> bool:
    return all(PathFinder.find_spec(each) for each in (framework.core, framework.package))


IN_USE: Final = choose(os.environ.get(SETTING), cdktn_installed=_installed(CDKTN))


class _Alias(MetaPathFinder, Loader):
    """Answers an import of cdktf's packages with cdktn's."""

    _names: Final = {CDKTF.core: CDKTN.core, CDKTF.package: CDKTN.package}

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.partition(".")[0] in self._names else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        package, dot, rest = spec.name.partition(".")
        module = import_module(f"{self._names[package]}{dot}{rest}")
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # It was run under its own name. Importing it under this one has given it this one's spec.
        alias = module.__spec__
        module.__spec__ = alias and alias.loader_state


def install() -> None:
    """Let cdktf's names stand for the framework in use."""
    if IN_USE is CDKTN and not any(isinstance(each, _Alias) for each in sys.meta_path):
        sys.meta_path.insert(0, _Alias())


@cache
def provider_version() -> tuple[int, int]:
    """Return major and minor version of the AWS provider that the bindings are made from.

    Raises:
        ImportError: The bindings are not installed, or do not say it.
    """
    # Read, not imported: with `python -OO` no module has a text, and constructs ask early.
    root = PathFinder.find_spec(IN_USE.package)
    for folder in (root and root.submodule_search_locations) or ():
        with Path(folder, "provider", "__init__.py").open(encoding="utf-8") as source:
            if found := _PROVIDER.search(source.read(1000)):
                return int(found[1]), int(found[2])
    raise ImportError(f"the version of the AWS provider is unknown: no {IN_USE.package} states it")


def provider_versions() -> str:
    """Return the constraint on the AWS provider: the bindings' version, and later minor ones."""
    return "~> {}.{}".format(*provider_version())


def arguments(**given: str) -> dict[str, Any]:
    """Return arguments, named as in AWS provider 5, under the names that the bindings take."""
    if provider_version() < (6, 0):
        return dict(given)
    return {_SINCE_6.get(name, name): value for name, value in given.items()}
