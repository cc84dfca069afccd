"""Small, named patches around moto: where it differs from AWS in what our stacks use.

Each patch is a function that stands in front of one of moto's, and is given that; its docstring
says why it is there. Its test fails without it, so a moto that fixes a gap shows which patch can
go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final, TypeAlias

# moto's methods are as dynamic as the protocols they speak: types would only pretend here.
Method: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Change:
    """One name in moto that gets another value.

    Attributes:
        new: Whether moto has no such name: the value is made from None.
    """

    owner: object
    name: str
    made_from: Callable[[Any], object]
    new: bool = False

    def apply(self) -> None:
        """Put it in place; a moto that has lost the name, or got it, is noticed at the start."""
        if self.new and hasattr(self.owner, self.name):
            raise AttributeError(f"moto has {self.name} by now: the patch is not needed")
        original = None if self.new else getattr(self.owner, self.name)
        setattr(self.owner, self.name, self.made_from(original))


@dataclass(frozen=True)
class Patch:
    """One difference between moto and AWS that is fixed, by as many changes as that takes."""

    name: str
    module: str
    changes: list[Change]

    def also(self, owner: object, name: str, *, new: bool = False) -> Callable[[Method], Method]:
        """Put one more function in front of one of moto's."""

        def add(function: Method) -> Method:
            self.changes.append(Change(owner, name, partial(_in_front, function), new))
            return function

        return add


_PATCHES: Final[list[Patch]] = []


def patch(owner: object, name: str, *, new: bool = False) -> Callable[[Method], Patch]:
    """Make a patch of a function that stands in front of one of moto's: it is given that first."""

    def make(function: Method) -> Patch:
        return patched_value(owner, name, new=new)(partial(_in_front, function), function)

    return make


def patched_value(owner: object, name: str, *, new: bool = False) -> Callable[..., Patch]:
    """Make a patch of a function that returns another value for one of moto's names."""

    def make(made_from: Callable[[Any], object], named: Method | None = None) -> Patch:
        function: Any = named or made_from
        found = Patch(function.__name__, function.__module__, [Change(owner, name, made_from, new)])
        _PATCHES.append(found)
        return found

    return make


def _in_front(function: Method, original: Any) -> Method:
    # Not a partial: Python makes a method of a function alone.
    return lambda *args, **words: function(original, *args, **words)


def all_patches() -> list[Patch]:
    """Return every patch: a module of this package makes its own when it is imported."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return _PATCHES


def apply() -> None:
    """Apply every patch; once in a process, before its first request."""
    for each in all_patches():
        for change in each.changes:
            change.apply()
