"""What a person may have meant."""

from __future__ import annotations

from biomodal_deploy.text import did_you_mean


def test_the_nearest_word_is_asked_about() -> None:
    """One slip of the finger, and the word is known again."""
    assert did_you_mean("subnet_di", ["vpc_id", "subnet_id"], otherwise="x") == (
        'did you mean "subnet_id"?'
    )


def test_nothing_is_guessed() -> None:
    """Where no word is near, or there is none at all, the other remedy is given."""
    assert did_you_mean("colour", ["vpc_id"], otherwise="remove it") == "remove it"
    assert did_you_mean("colour", [], otherwise="remove it") == "remove it"
