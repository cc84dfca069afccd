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


class TestMarks:
    """What Terraform marks is hidden."""

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
        ],
    )
    def test_marks_recurse_into_lists_and_maps(self, value: Any, marks: Any, left: Any) -> None:
        """At any depth, in lists as in maps."""
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
    def test_marks_that_do_not_fit_hide_everything(self, value: Any, marks: Any) -> None:
        """A mark in the wrong place still says that something here is secret."""
        assert "s" not in json.dumps(shown(value, marks)).replace(HIDDEN_TEXT, "")

    def test_what_is_unknown_says_so(self) -> None:
        """Also where the document has no value at all for it."""
        assert shown({"a": 1}, {}, {"id": True, "a": False}) == {"a": 1, "id": UNKNOWN_TEXT}

    def test_what_is_unknown_and_sensitive_is_hidden(self) -> None:
        """It will be a secret once it is known."""
        assert shown({}, {"id": True}, {"id": True}) == {"id": HIDDEN_TEXT}

    @pytest.mark.parametrize("name", ["user_data", "user_data_base64"])
    def test_user_data_is_hidden_without_a_mark(self, name: str) -> None:
        """A start-up script often carries a token, and no provider marks it."""
        assert shown({"t": [{name: "#!/bin/sh"}]}) == {"t": [{name: HIDDEN_TEXT}]}
        assert shown({name: None}) == {name: None}

    def test_hidden_values_compare_and_do_not_show(self) -> None:
        """A change of a secret is seen; the secret is not."""
        assert Hidden("a") == Hidden("a")
        assert Hidden("a") != Hidden("b")
        assert "aaaa" not in repr(Hidden("aaaa"))


class TestText:
    """What was marked anywhere is scrubbed from every string."""

    @pytest.mark.parametrize(
        "form",
        [
            SECRET,
            json.dumps(SECRET)[1:-1],
            json.dumps(SECRET)[1:-1]
            .replace("&", "\\u0026")
            .replace("<", "\\u003c")
            .replace(">", "\\u003e"),
            urllib.parse.quote(SECRET, safe=""),
            base64.b64encode(SECRET.encode()).decode(),
        ],
    )
    def test_every_form_of_a_secret_goes(self, form: str) -> None:
        """In logs, inside JSON of Python's or Go's making, in URLs, in base64."""
        left = Redactor([SECRET]).text(f"before {form} after")
        assert left == f"before {HIDDEN_TEXT} after"

    def test_each_line_of_a_secret_goes(self) -> None:
        """A private key is often printed line by line."""
        key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA\nhJx8Q2mPq1cTTw\n-----END KEY-----\n"
        assert Redactor([key]).text("  | hJx8Q2mPq1cTTw") == f"  | {HIDDEN_TEXT}"
        assert Redactor([key]).text(key.strip()) == HIDDEN_TEXT

    def test_overlapping_secrets_leave_no_rest(self) -> None:
        """Where one begins inside another, no tail of the second stays."""
        text = Redactor(["abcdefgh1", "fgh1ijklm"]).text("x abcdefgh1ijklm y")
        assert text == f"x {HIDDEN_TEXT} y"

    def test_the_longest_of_secrets_with_one_beginning_goes(self) -> None:
        """No rest of the longer one stays."""
        assert Redactor(["abcdefghij", "abcdefghijklmnop"]).text("abcdefghijklmnop") == HIDDEN_TEXT

    def test_short_secrets_go_where_they_stand_alone(self) -> None:
        """Four characters inside a word are a coincidence; beside punctuation they are not."""
        redactor = Redactor(["main"])
        assert redactor.text("postgres://u:main@h") == f"postgres://u:{HIDDEN_TEXT}@h"
        assert redactor.text("domain maintenance") == "domain maintenance"

    def test_the_shortest_secrets_blank_nothing(self) -> None:
        """A sensitive "a" or "1" must not make every line unreadable."""
        assert Redactor(["a", "1", "", " ", "\n"]).text("a 1 b") == "a 1 b"

    def test_numbers_and_keys_go_too(self) -> None:
        """A secret number, and a secret that became the key of a map."""
        redactor = Redactor(["88442211", "my-secret-key"])
        left = redactor.value({"my-secret-key": 88442211, "n": 1, "f": True})
        assert left == {HIDDEN_TEXT: HIDDEN_TEXT, "n": 1, "f": True}

    def test_a_redactor_does_not_show_what_it_knows(self) -> None:
        """Not in a traceback either."""
        assert "first-secret" not in repr(Redactor(["first-secret"]))

    def test_many_secrets_and_many_lines_stay_fast(self) -> None:
        """Ten thousand secrets against five megabytes of log take seconds, not minutes."""
        redactor = Redactor(f"{number:08x}-secret-{number}" for number in range(10_000))
        started = time.process_time()
        for number in range(50_000):
            line = f"aws_instance.x: Still creating... [{number}s elapsed] and so on and so forth"
            assert redactor.text(line) == line
        assert time.process_time() - started < 15


def test_a_key_of_a_secret_map_is_hidden_unless_it_is_a_mere_name() -> None:
    """`password` says what stands under it; `ada:4711` may be the secret itself."""
    assert set(leaves({"password": "x", "ada:4711": {"tls.key": [1, None, True]}})) == {
        "x",
        "ada:4711",
        "1",
    }
