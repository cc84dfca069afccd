"""Run the app on cdktn, cdktf's successor: the same stacks, with other bindings under them.

Started by `synth.py` in an environment that has cdktn and its AWS bindings, but not cdktf.
"""

from __future__ import annotations

import importlib
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

_NAMES: Final = {"cdktf_cdktf_provider_aws": "cdktn_provider_aws", "cdktf": "cdktn"}


class Successor(MetaPathFinder, Loader):
    """Answers an import from cdktf with what cdktn has in its place."""

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module of cdktf or of its AWS bindings."""
        return ModuleSpec(fullname, self) if fullname.split(".")[0] in _NAMES else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the successor's module."""
        package, dot, rest = spec.name.partition(".")
        return importlib.import_module(f"{_NAMES[package]}{dot}{rest}")

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module was run under its own name."""


def _rename_arguments() -> None:
    """Take version 5's names of arguments where version 6 of the provider has others."""
    bindings: Any = importlib.import_module("cdktn_provider_aws.batch_compute_environment")
    environment = bindings.BatchComputeEnvironment
    make = environment.__init__

    def make_renamed(self: Any, *values: Any, **named: Any) -> None:
        for name in ("name", "name_prefix"):
            former = f"compute_environment_{name}"
            if former in named:
                named[name] = named.pop(former)
        make(self, *values, **named)

    environment.__init__ = make_renamed


if __name__ == "__main__":
    sys.meta_path.insert(0, Successor())
    _rename_arguments()
    sys.argv = sys.argv[1:]
    sys.path[0] = sys.argv[0].rpartition("/")[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
