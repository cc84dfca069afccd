"""The root package of the bindings as a stub, and how its submodules are imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from biomodal_aws._bindings.importing import check_less, unhindered
from biomodal_aws._bindings.layout import ASSEMBLY, CORE, PACKAGE

_PREFIX: Final = f"{PACKAGE}."


def stub(spec: ModuleSpec) -> None:
    """Put the root package into `sys.modules` without running it.

    Its own code does nothing but import all 1,500 submodules. The stub imports one when it is
    asked for, in each of the ways that Python has.
    """
    root = module_from_spec(spec)

    def attribute(name: str) -> object:
        if name == "__all__":
            return _submodules(spec)
        if not name.startswith("_") and name in _submodules(spec):
            return import_module(_PREFIX + name)
        raise AttributeError(f"module {PACKAGE!r} has no attribute {name!r}")

    root.__dict__.update(__getattr__=attribute, __dir__=lambda: _submodules(spec))
    sys.modules[PACKAGE] = root


def _submodules(spec: ModuleSpec) -> list[str]:
    return sorted(
        entry.name
        for folder in spec.submodule_search_locations or ()
        for entry in os.scandir(folder)
        if entry.is_dir() and not entry.name.startswith("_")
    )


def imported() -> set[str]:
    """Return the assembly's names of the submodules that Python has imported so far."""
    modules = [module for name, module in sys.modules.items() if name.startswith(_PREFIX)]
    return {name for name in map(_assembly_name, modules) if name is not None}


def _assembly_name(module: ModuleType) -> str | None:
    # A submodule's own spelling (`s3_control_bucket`) does not always give the assembly's
    # (`s3ControlBucket`, in the folder `s3control-bucket`); its classes know.
    for exported in getattr(module, "__all__", ()):
        type_name = getattr(getattr(module, exported, None), "__jsii_type__", None)
        if isinstance(type_name, str) and type_name.startswith(f"{ASSEMBLY}."):
            return type_name.split(".")[1]
    return None


class Finder(MetaPathFinder):
    """Finds the submodules, the ones also that are imported after the assembly was loaded.

    Args:
        extend: Loads one more submodule, and returns the assembly that it is in from then on.
    """

    def __init__(self, extend: Callable[[str], str]) -> None:
        self._extend = extend
        self._loaded: frozenset[str] | None = None

    def close(self, loaded: frozenset[str]) -> None:
        """Take note that the assembly was loaded.

        Args:
            loaded: The assembly's names of the submodules in it.
        """
        self._loaded = loaded

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a submodule as Python does, and extend the assembly first where it has to be."""
        if not fullname.startswith(_PREFIX) and fullname != CORE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return spec
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        if self._loaded is not None and fullname != CORE:
            submodule = spec.loader.submodule()
            if submodule is not None and submodule not in self._loaded:
                spec.loader.assembly = self._extend(submodule)
        return spec


class _Loader(SourceFileLoader):
    """Runs a submodule.

    Attributes:
        assembly: What its types belong to, whatever its source says.
    """

    assembly = ASSEMBLY

    def submodule(self) -> str | None:
        """Return the assembly's name of the submodule, if it declares any type."""
        source = Path(self.path).read_text(encoding="utf-8")
        _, _, after = source.partition(f'jsii_type="{ASSEMBLY}.')
        return after.partition(".")[0] or None

    def get_code(self, fullname: str) -> CodeType | None:
        if self.assembly == ASSEMBLY:
            return super().get_code(fullname)
        # Past the byte code cache, which must keep the original names.
        source = Path(self.path).read_text(encoding="utf-8")
        source = source.replace(f'"{ASSEMBLY}.', f'"{self.assembly}.')
        return compile(source, self.path, "exec", dont_inherit=True)

    def exec_module(self, module: ModuleType) -> None:
        with unhindered():
            super().exec_module(module)
        check_less(module)
