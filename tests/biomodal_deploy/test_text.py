"""What a person may have meant, and data that every program can read."""

from __future__ import annotations

import json

from biomodal_deploy.text import as_json, did_you_mean


def test_the_nearest_word_is_asked_about() -> None:
    """One slip of the finger, and the word is known again."""
    assert did_you_mean("subnet_di", ["vpc_id", "subnet_id"], otherwise="x") == (
        'did you mean "subnet_id"?'
    )


def test_nothing_is_guessed() -> None:
    """Where no word is near, or there is none at all, the other remedy is given."""
    assert did_you_mean("colour", ["vpc_id"], otherwise="remove it") == "remove it"
    assert did_you_mean("colour", [], otherwise="remove it") == "remove it"


def test_half_a_character_is_spelled() -> None:
    """Strict parsers refuse a lone surrogate; what else is in the text stays what it is."""
    name = "a\udce9 \u00e9 \U0001f600 \\udc80 \ud800 \x7f"
    text = as_json({name: [name]})
    assert text.isascii()
    expected = "a\\xe9 \u00e9 \U0001f600 \\udc80 \ufffd \x7f"
    assert json.loads(text) == {expected: [expected]}
    assert as_json({"a": "\U0001f600"}) == json.dumps({"a": "\U0001f600"}, indent=2)
