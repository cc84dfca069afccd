"""The root package of the bindings as a stub, and how its submodules are imported and run.

Generated code costs more when it is imported and run than it need.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import sys
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

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
        """Take note that the assembly was loaded."""
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
    """Runs a submodule."""

    assembly = ASSEMBLY  # what its types belong to, whatever its source says

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


_NONE: Final = type(None)
_MOCK: Final = "unittest.mock"
_version = cache(importlib.metadata.version)


@contextmanager
def unhindered() -> Iterator[None]:
    """Keep the collector out of imports, and what they made out of the collector.

    Modules and classes stay until the process ends. Looking through the bindings' many thousands
    for garbage, while they are made, later, and once more at the end, is a fifth of the run. And
    each of the bindings' modules asks again for the version of the same package.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    version = importlib.metadata.version
    importlib.metadata.version = _version
    try:
        yield
    finally:
        importlib.metadata.version = version
        gc.freeze()
        gc.enable()


class _IfImported(type):
    def __instancecheck__(cls, value: object) -> bool:
        mock: Any = sys.modules.get(_MOCK)
        return mock is not None and isinstance(value, mock.Mock)


class _Mock(metaclass=_IfImported):
    """Stands for `unittest.mock.Mock`, whose instances typeguard lets pass."""


def import_typeguard() -> None:
    """Import typeguard, which checks what constructs are given, without what it has for tests.

    `unittest.mock` brings asyncio with it. Nothing can be one of its mocks before it is imported.
    """
    if _MOCK in sys.modules or "typeguard" in sys.modules:
        return
    stand_in: Any = ModuleType(_MOCK)
    stand_in.Mock = _Mock
    sys.modules[_MOCK] = stand_in
    try:
        import_module("typeguard")
    except ImportError:
        # A version that wants more of it: it is imported in full when its turn comes.
        for name in [name for name in sys.modules if name.partition(".")[0] == "typeguard"]:
            del sys.modules[name]
    finally:
        del sys.modules[_MOCK]


def check_less(module: ModuleType) -> None:
    """Have a generated module work out each function's types once, and check what was given.

    Newer generators of jsii write the first that way themselves. As to the second, most arguments
    are left out, and typeguard tries each type of a union on them until it comes to None.
    """
    names = module.__dict__
    if names.get("typing") is typing:
        names["typing"] = _typing()
    check = names.get("check_type")
    if not callable(check):
        return

    def check_type(argname: str, value: object, expected_type: Any) -> Any:
        if value is None and _takes_none(expected_type):
            return None
        return check(argname=argname, value=value, expected_type=expected_type)

    names["check_type"] = check_type


def _takes_none(hint: Any) -> bool:
    return getattr(hint, "__origin__", None) is typing.Union and _NONE in hint.__args__


@cache
def _typing() -> ModuleType:
    module = ModuleType("typing")
    module.__dict__.update(typing.__dict__)
    module.__dict__["get_type_hints"] = cache(typing.get_type_hints)
    return module
