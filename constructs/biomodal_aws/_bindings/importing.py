"""What generated code costs when it is imported and run, and need not."""

from __future__ import annotations

import gc
import importlib.metadata
import sys
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

_NONE: Final = type(None)
_MOCK: Final = "unittest.mock"
_version = cache(importlib.metadata.version)


@contextmanager
def unhindered() -> Iterator[None]:
    """Keep the collector out of imports, and what they made out of the collector.

    Modules and classes stay until the process ends. Looking through the bindings' many thousands
    for garbage, while they are made, later, and once more at the end, is a fifth of the run. And
    each of the bindings' modules asks anew for the version of the same package.
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
