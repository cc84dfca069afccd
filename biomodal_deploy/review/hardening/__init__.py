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


class Checkov(BaseModel, frozen=True):
    """Checks of checkov.

    Attributes:
        documented_stack_failed, documented_plan_failed: How many the documented profile breaks.
        hardened_waived: How many the hardened one breaks on purpose.
    """

    documented_stack_failed: int
    documented_plan_failed: int
    hardened_waived: int


class ExplainData(BaseModel, frozen=True):
    """Under `--explain`: both profiles side by side.

    Attributes:
        differences: Each difference.
        checkov: What checkov says.
    """

    differences: list[Difference]
    checkov: Checkov


# On the native implementation; `make check` verifies it.
CHECKED: Final = Checkov(documented_stack_failed=15, documented_plan_failed=15, hardened_waived=7)


def _read() -> list[Difference]:
    text = (files(__package__) / "differences.toml").read_text(encoding="utf-8")
    return TypeAdapter(list[Difference]).validate_python(tomllib.loads(text)["difference"])


EXPLAINED: Final = ExplainData(differences=_read(), checkov=CHECKED)
