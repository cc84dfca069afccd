"""What generated code costs when it is imported and run, and need not."""

from __future__ import annotations

import gc
import importlib.metadata
import subprocess
import sys
import typing
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
import typeguard

from biomodal_aws._bindings import package


def test_the_collector_is_kept_out_and_comes_back() -> None:
    """Also where the import fails; what was made meanwhile stays out of its way."""
    frozen = gc.get_freeze_count()
    version = importlib.metadata.version

    def import_what_fails() -> None:
        with package.unhindered():
            assert not gc.isenabled()
            assert importlib.metadata.version("typeguard") == version("typeguard")
            raise ImportError

    with pytest.raises(ImportError):
        import_what_fails()
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen
    assert importlib.metadata.version is version
    gc.unfreeze()


def test_a_collector_that_is_off_stays_off() -> None:
    """It is the program's to say, and one import inside another ends nothing early."""
    gc.disable()
    try:
        with package.unhindered(), package.unhindered():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.slow
@pytest.mark.parametrize("first", ["", "import unittest.mock\n"])
def test_typeguard_still_lets_mocks_pass(first: str) -> None:
    """Whether mocks are imported before or after, and nothing else passes for one."""
    program = (
        f"{first}import sys\n"
        "from biomodal_aws._bindings.package import import_typeguard\n"
        "import_typeguard()\n"
        "import unittest.mock, typeguard\n"
        "class Part: pass\n"
        "typeguard.check_type('part', unittest.mock.Mock(), Part)\n"
        "typeguard.check_type('part', unittest.mock.MagicMock(), Part)\n"
        "try: typeguard.check_type('part', 'a', Part)\n"
        "except TypeError: sys.exit(0)\n"
        "sys.exit(1)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.slow
def test_the_library_does_without_asyncio() -> None:
    """A fifteenth of the run went into a module for tests and what it imports."""
    program = "import biomodal_aws, sys; sys.exit('asyncio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_hints_are_worked_out_once_and_are_the_same() -> None:
    """A generated function's types, as `typing` itself gives them."""
    module = ModuleType("generated")
    source = (
        "import typing\n"
        "class Part: pass\n"
        "def stub(a: typing.Optional['Part'], *, b: typing.Sequence['Part'] = ()) -> None: ...\n"
        "def hints(): return typing.get_type_hints(stub)\n"
        "def cast(value): return typing.cast(typing.Any, value)\n"
    )
    exec(source, module.__dict__)
    names = module.__dict__
    expected = typing.get_type_hints(names["stub"])
    package.check_less(module)
    assert names["hints"]() == expected
    assert names["hints"]() is names["hints"]()
    assert names["cast"](1) == 1
    assert typing.get_type_hints(names["stub"]) is not typing.get_type_hints(names["stub"])


def test_what_was_left_out_is_not_checked_and_all_else_is() -> None:
    """None passes where it may stand, and nothing passes that did not before."""
    module = ModuleType("generated")
    calls = []

    def check_type(argname: str, value: object, expected_type: Any) -> None:
        calls.append((argname, value))
        typeguard.check_type(argname, value, expected_type)

    module.__dict__["check_type"] = check_type
    package.check_less(module)
    check = module.__dict__["check_type"]
    left_out, text, number = (
        eval(f"typing.{hint}")
        for hint in (
            "Optional[typing.Union[str, typing.Sequence[str]]]",
            "Optional[str]",
            "Union[str, int]",
        )
    )
    check(argname="left out", value=None, expected_type=left_out)
    assert calls == []
    check(argname="given", value="a", expected_type=text)
    for hint in (str, number, Sequence[None]):
        with pytest.raises(TypeError, match="wrong must be"):
            check(argname="wrong", value=None, expected_type=hint)
    with pytest.raises(TypeError, match="wrong must be"):
        check(argname="wrong", value=1, expected_type=text)
    assert [name for name, _ in calls] == ["given", *["wrong"] * 4]


def test_a_module_without_typing_is_left_alone() -> None:
    """What was not generated that way gets nothing."""
    module = ModuleType("other")
    package.check_less(module)
    assert "typing" not in module.__dict__
