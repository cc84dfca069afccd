"""The two profiles side by side: each difference, its risk, its reason, and the way back.

One source for `biomodal-aws init --explain` and for `docs/hardening.md`.
"""

import tomllib
from importlib.resources import files
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, TypeAdapter

Area: TypeAlias = Literal["Access", "The VM", "Data", "Images", "Batch", "The account"]


class Difference(BaseModel, frozen=True, extra="forbid"):
    """One point in which the hardened profile leaves the document.

    Attributes:
        id: A short word for it.
        area: What it is about.
        title: It in a few words.
        documented: What the documented profile does.
        hardened: What the hardened one does.
        risk: What can happen with the documented value.
        reason: Why the hardened value, and what it costs.
        back: How to go back, by a variable where there is one.
        module: What the module implementation does in the hardened profile: `same`, or what its
            inputs leave as it is.
        variables: The variables that set it.
        addresses: The resources of the native stack that differ by it, without `[0]`.
    """

    id: str
    area: Area
    title: str
    documented: str
    hardened: str
    risk: str
    reason: str
    back: str
    module: str = "same"
    variables: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


class Checked(BaseModel, frozen=True):
    """How many checks of checkov fail on the native implementation; `make check` verifies it.

    Attributes:
        documented_stack: On the documented profile, synthesized.
        documented_plan: On a plan of it.
        hardened_waived: On the hardened profile, synthesized and planned; each has a waiver.
    """

    documented_stack: int
    documented_plan: int
    hardened_waived: int


CHECKED: Final = Checked(documented_stack=15, documented_plan=15, hardened_waived=7)


def _read() -> tuple[Difference, ...]:
    text = (files(__package__) / "differences.toml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[Difference, ...]).validate_python(tomllib.loads(text)["difference"])


DIFFERENCES: Final = _read()


__all__ = ["CHECKED", "DIFFERENCES", "Checked", "Difference"]
