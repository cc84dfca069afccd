"""What pydantic found, said for people."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator

from biomodal_deploy.config.validation_errors import usage_error
from biomodal_deploy.errors import UsageError


class Shelf(BaseModel):
    """A model with one of each rule."""

    model_config = ConfigDict(extra="forbid", strict=True)

    material: Literal["oak", "pine"] = "oak"
    label: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")] = "a"
    width: int

    @field_validator("width")
    @classmethod
    def _fits(cls, width: int) -> int:
        if width > 90:
            raise ValueError("A shelf is at most 90 cm wide")
        return width


def line(text: str) -> str:
    """Return what a person reads."""
    with pytest.raises(ValidationError) as found:
        Shelf.model_validate_json(text)
    error = usage_error(
        found.value,
        prefix="",
        source="shelf.json",
        keys_at=lambda _: Shelf.model_fields,
        patterns={r"^[a-z]+$": "A label is made of letters"},
    )
    assert isinstance(error, UsageError)
    return str(error)


MEANT = 'did you mean "{}"?'


CORRECT = "correct it in shelf.json."
OAK = "material = \"pin\": Input should be 'oak' or 'pine'"
CUT = "Invalid JSON: EOF while parsing a value at line 1 column 10"


@pytest.mark.parametrize(
    ("text", "fault", "fix"),
    [
        ('{"width": 3, "materiel": "oak"}', "materiel: unknown setting", MEANT.format("material")),
        ('{"width": 3, "zzz": 1}', "zzz: unknown setting", "use label or material or width."),
        ("{}", "width: missing", "add it in shelf.json."),
        ('{"width": 3, "material": "pin"}', OAK, MEANT.format("pine")),
        ('{"width": 3, "label": "B4"}', 'label = "B4": A label is made of letters', CORRECT),
        ('{"width": 91}', "width = 91: A shelf is at most 90 cm wide", CORRECT),
        ('{"width": "3"}', 'width = "3": Input should be a valid integer', CORRECT),
        # Malformed text is not repeated: the place in it is enough.
        ('{"width": ', CUT, CORRECT),
        # Who wrote `widht` is told so, and not that `width` is missing.
        ('{"widht": 3}', "widht: unknown setting", MEANT.format("width")),
    ],
)
def test_each_kind_of_mistake(text: str, fault: str, fix: str) -> None:
    """Field, value, rule in words, and what to do."""
    assert line(text) == f"shelf.json: {fault}. Fix: {fix}"


def test_a_misspelt_name_goes_before_another_fault() -> None:
    """Each has its line."""
    first, _ = line('{"widht": 3, "label": "B4"}').splitlines()
    assert first == f"shelf.json: widht: unknown setting. Fix: {MEANT.format('width')}"
