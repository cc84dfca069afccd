"""Tests for biomodal_deploy.plan.redactor."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from typing import Any

import pytest

from biomodal_deploy.plan.redactor import HIDDEN_TEXT, UNKNOWN_TEXT, Hidden, Redactor, leaves, mask

SECRET = 'p@ss "w\\rd" <&> 5f2e9a71'


def shown(value: Any, sensitive: Any = False, unknown: Any = False) -> Any:
    """Return what is left of a value."""
    return Redactor().value(mask(value, sensitive, unknown))


@pytest.mark.parametrize(
    ("value", "marks", "left"),
    [
        ("s", True, HIDDEN_TEXT),
        ("s", False, "s"),
        ({"a": "s", "b": 1}, {"a": True}, {"a": HIDDEN_TEXT, "b": 1}),
        (["s", "t"], [False, True], ["s", HIDDEN_TEXT]),
        (
            {"a": [{"b": "s"}, {"b": "t"}]},
            {"a": [{"b": True}, {}]},
            {"a": [{"b": HIDDEN_TEXT}, {"b": "t"}]},
        ),
        ({"a": {"b": "s"}}, {"a": True}, {"a": HIDDEN_TEXT}),
        ({"a": "s"}, True, HIDDEN_TEXT),
        ({"a": None}, {"a": True}, {"a": None}),
        ({"a": ""}, {"a": True}, {"a": HIDDEN_TEXT}),
        ({"a": 0}, {"a": True}, {"a": HIDDEN_TEXT}),
        # A start-up script often carries a token, and no provider marks it.
        ({"t": [{"user_data": "#!/bin/sh"}]}, {}, {"t": [{"user_data": HIDDEN_TEXT}]}),
        ({"t": [{"user_data_base64": "x"}]}, {}, {"t": [{"user_data_base64": HIDDEN_TEXT}]}),
        ({"user_data": None}, {}, {"user_data": None}),
        ({"user_data_base64": None}, {}, {"user_data_base64": None}),
    ],
)
def test_what_is_marked_is_hidden(value: Any, marks: Any, left: Any) -> None:
    """At any depth, in lists as in maps; user data without a mark."""
    assert shown(value, marks) == left


@pytest.mark.parametrize(
    ("value", "marks"),
    [
        ("s", [True]),
        ("s", {"a": True}),
        ("s", "yes"),
        ("s", 1),
        (["s"], {"0": True}),
        ({"a": "s"}, [True]),
        (["s"], [False, True]),
    ],
)
def test_marks_that_do_not_fit_hide_everything(value: Any, marks: Any) -> None:
    """A mark in the wrong place still says that something here is secret."""
    assert "s" not in json.dumps(shown(value, marks)).replace(HIDDEN_TEXT, "")


def test_what_is_unknown_says_so() -> None:
    """Also where the document has no value for it; what is sensitive too is hidden."""
    assert shown({"a": 1}, {}, {"id": True, "a": False}) == {"a": 1, "id": UNKNOWN_TEXT}
    assert shown({}, {"id": True}, {"id": True}) == {"id": HIDDEN_TEXT}


def test_hidden_values_compare_and_do_not_show() -> None:
    """A change of a secret is seen; the secret is not."""
    assert Hidden("a") == Hidden("a")
    assert Hidden("a") != Hidden("b")
    assert "aaaa" not in repr(Hidden("aaaa"))


_JSON = json.dumps(SECRET)[1:-1]
_GO = _JSON.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
_BASE64 = base64.b64encode(SECRET.encode()).decode()
_KEY = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nhJx8Q2mPq1cTTw\n-----END KEY-----\n"
_AFTER = ("before {} after", f"before {HIDDEN_TEXT} after")


@pytest.mark.parametrize(
    ("secrets", "text", "left"),
    [
        # Every form of a secret: in logs, inside JSON of Python's or Go's making, in URLs, base64.
        *(
            ([SECRET], _AFTER[0].format(form), _AFTER[1])
            for form in (SECRET, _JSON, _GO, urllib.parse.quote(SECRET, safe=""), _BASE64)
        ),
        # A private key is often printed line by line.
        ([_KEY], "  | hJx8Q2mPq1cTTw", f"  | {HIDDEN_TEXT}"),
        ([_KEY], _KEY.strip(), HIDDEN_TEXT),
        # Where one begins inside another, no tail of the second stays; of two, the longest goes.
        (["abcdefgh1", "fgh1ijklm"], "x abcdefgh1ijklm y", f"x {HIDDEN_TEXT} y"),
        (["abcdefghij", "abcdefghijklmnop"], "abcdefghijklmnop", HIDDEN_TEXT),
        # Four characters inside a word are a coincidence; beside punctuation they are not.
        (["main"], "postgres://u:main@h", f"postgres://u:{HIDDEN_TEXT}@h"),
        (["main"], "domain maintenance", "domain maintenance"),
        # A sensitive "a" or "1" must not make every line unreadable.
        (["a", "1", "", " ", "\n"], "a 1 b", "a 1 b"),
    ],
)
def test_what_was_marked_anywhere_is_scrubbed(secrets: list[str], text: str, left: str) -> None:
    """From every string, whatever its form, and no more than that."""
    assert Redactor(secrets).text(text) == left


def test_numbers_and_keys_go_too() -> None:
    """A secret number, and a secret that became the key of a map."""
    redactor = Redactor(["88442211", "my-secret-key"])
    left = redactor.value({"my-secret-key": 88442211, "n": 1, "f": True})
    assert left == {HIDDEN_TEXT: HIDDEN_TEXT, "n": 1, "f": True}


def test_a_redactor_does_not_show_what_it_knows() -> None:
    """Not in a traceback either."""
    assert "first-secret" not in repr(Redactor(["first-secret"]))


@pytest.mark.slow
def test_many_secrets_and_many_lines_stay_fast() -> None:
    """Ten thousand secrets against five megabytes of log take seconds, not minutes."""
    redactor = Redactor(f"{number:08x}-secret-{number}" for number in range(10_000))
    started = time.process_time()
    for number in range(50_000):
        line = f"aws_instance.x: Still creating... [{number}s elapsed] and so on and so forth"
        assert redactor.text(line) == line
    assert time.process_time() - started < 15


def test_a_key_of_a_secret_map_is_hidden_unless_it_is_a_mere_name() -> None:
    """`password` says what stands under it; `ada:4711` may be the secret itself."""
    found = leaves({"password": "x", "ada:4711": {"tls.key": [1, None, True]}})
    assert set(found) == {"x", "ada:4711", "1"}
