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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"width": 3, "materiel": "oak"}',
            'shelf.json: materiel: unknown setting. Fix: did you mean "material"?',
        ),
        (
            '{"width": 3, "zzz": 1}',
            "shelf.json: zzz: unknown setting. Fix: use label or material or width.",
        ),
        ("{}", "shelf.json: width: missing. Fix: add it in shelf.json."),
        (
            '{"width": 3, "material": "pin"}',
            (
                "shelf.json: material = \"pin\": Input should be 'oak' or 'pine'. "
                'Fix: did you mean "pine"?'
            ),
        ),
        (
            '{"width": 3, "label": "B4"}',
            'shelf.json: label = "B4": A label is made of letters. Fix: correct it in shelf.json.',
        ),
        (
            '{"width": 91}',
            "shelf.json: width = 91: A shelf is at most 90 cm wide. Fix: correct it in shelf.json.",
        ),
        (
            '{"width": "3"}',
            (
                'shelf.json: width = "3": Input should be a valid integer. '
                "Fix: correct it in shelf.json."
            ),
        ),
    ],
)
def test_each_kind_of_mistake(text: str, expected: str) -> None:
    """Field, value, rule in words, and what to do."""
    assert line(text) == expected


def test_a_misspelt_name_goes_before_what_is_missing_because_of_it() -> None:
    """Who wrote `widht` is told so, and not that `width` is missing; another fault has its line."""
    expected = 'shelf.json: widht: unknown setting. Fix: did you mean "width"?'
    assert line('{"widht": 3}') == expected
    both = line('{"widht": 3, "label": "B4"}').splitlines()
    assert (both[0], len(both)) == (expected, 2)


def test_malformed_text_is_not_repeated() -> None:
    """The place in it is enough."""
    assert line('{"width": ') == (
        "shelf.json: Invalid JSON: EOF while parsing a value at line 1 column 10. "
        "Fix: correct it in shelf.json."
    )
