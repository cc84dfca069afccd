"""Every fault of a JSON text at once, with its line and a fix that is true."""

from __future__ import annotations

import json
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from biomodal_deploy.config.json_source import Read, line_of, read_json


@pytest.mark.parametrize(
    ("text", "places", "rule", "fix"),
    [
        ('{"a": 1,\n}', [(1, 8)], "A comma stands before }", "remove the comma"),
        ('{"a": [1,\n 2,\n]}', [(2, 3)], "A comma stands before ]", "remove the comma"),
        ('{"a": True}', [(1, 7)], "small letters", "write true"),
        ('{"a": None}', [(1, 7)], "small letters", "write null"),
        ('{"a": “x”}', [(1, 7)], "Curly quotes", 'straight double quotes: "'),
        ('{"a": "x”}', [(1, 7)], "curly quote", 'straight "'),
        ("{'a': 1}", [(1, 2)], "Single quotes", 'straight double quotes: "'),
        ('{"a": 1 // c\n}', [(1, 9)], "no comments", "remove it"),
        ('{"a": 1, # c\n"b": 2}', [(1, 10)], "no comments", "remove it"),
        ('{/* c */"a": 1}', [(1, 2)], "no comments", "remove it"),
        ('{"a": 1\n "b": 2}', [(1, 7)], "comma is missing", "put a comma here"),
        ('{"a" = 1}', [(1, 6)], "followed by :", "write :"),
        ('{"a": {"b": 1}', [(1, 1)], "closing } is missing", "close what is opened here"),
        ('{"a": [1, {"b": 1}', [(1, 7)], "closing ] is missing", "close what is opened here"),
        ("{a: 1}", [(1, 2)], "name stands without quotes", "between double quotes"),
        ('{"a": prod}', [(1, 7)], "Text stands without quotes", "between double quotes"),
        ('{"a": "x\ny"}', [(1, 9)], "ends on its own line", r"\n for a new line"),
        (r'{"a": "C:\Users"}', [(1, 10)], "backslash", r"write \\ for"),
        ('{"a": "say "hi" now"}', [(1, 13)], "ends before this", r"\" for a quote"),
        ('{"a": 1}}', [(1, 9)], "closes nothing", "remove it"),
        ('{"a": [1}', [(1, 9)], "something else opened", "close the [ first"),
        ('{"a": 1} {"b": 2}', [(1, 10)], "follows the end", "remove it"),
        ('{"a": 1,\n"a": 2}', [(2, 1)], "twice, first on line 1", "keep one of them"),
        ("\ufeff{}", [(1, 1)], "byte order mark", "without a byte order mark"),
        ('{"a": "x\0y"}', [(1, 9)], "U+0000", r"write \u0000"),
        ('{\0"a": 1}', [(1, 2)], "U+0000", "remove it"),
        ("\0" * 500, [(1, 1)], "U+0000, 500 times", "remove it"),
        ('{"a":\u00a01,\n"b":\u200b2}', [(1, 6), (2, 5)], "U+00A0", "remove it"),
        (r'{"a": "x\ud83d"}', [(1, 9)], "half a character", "write both halves"),
        (r'{"a": "\udc00\ud83d\ude00"}', [(1, 8)], "half a character", "write both halves"),
        ("", [(1, 1)], "empty", "write a JSON object"),
        (
            '{"a": True,\n "b": [1,],\n "c": \'x\' // c\n}',
            [(1, 7), (2, 9), (3, 7), (3, 11)],
            "small letters",
            "write true",
        ),
    ],
)
def test_each_mistake_is_called_by_its_name(
    text: str, places: list[tuple[int, int]], rule: str, fix: str
) -> None:
    """Where it stands, what is wrong with it and what to write there."""
    faults = read_json(text).faults
    assert [(each.line, each.column) for each in faults] == places
    assert rule in faults[0].rule
    assert fix in faults[0].fix


def test_what_can_be_read_all_the_same_is_read() -> None:
    """Behind a plain mistake the text goes on, so that its settings are checked as well."""
    read = read_json('{"a": [1, 2,], "b": True, "c": “x”, /* d */ "e": {"f": 1,}}')
    assert read.value == {"a": [1, 2], "b": True, "c": "x", "e": {"f": 1}}
    assert len(read.faults) == 5
    assert read_json('{"a": 1}') == Read({"a": 1}, [], '{"a": 1}')


def test_the_line_of_a_member() -> None:
    """Of each object and element; of what is not there, the nearest that is."""
    text = '{\n "a": {\n  "b": [1,\n   {"c": "{"}],\n  "d": []\n }}'
    places = {("a",): 2, ("a", "b", "1", "c"): 4, ("a", "d"): 5, ("a", "x"): 2, ("x",): None}
    assert {path: line_of(text, path) for path in places} == places


PIECES: Final = (
    *("{", "}", "[", "]", '"', ":", ",", "\n", "\r", "\t", " ", "\\", "=", "#", "/", "*", "'", "x"),
    *('"a"', '"a":', '"\u00e9":', '"e\u0301":', "1", "-0", "1e999", "null", "None", "True", "NaN"),
    *(
        "//x\n",
        "/*",
        "*/",
        "\ufeff",
        "\u200b",
        "\x00",
        "\u201c",
        "\u201d",
        "\u2018",
        "\u2028",
        "\x0b",
    ),
    *(r'"\ud800"', r'"\q"', '{"a":1,', '"b":[1,2]', '"//":', '"open'),
)


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join), st.booleans())
@example('"a":1,"a":2}', True)
def test_any_text_is_read_or_has_a_place(pieces: str, inside: bool) -> None:
    """Either it is what JSON makes of it, or each fault has a line and a column of the text."""
    text = "{" * inside + pieces
    read = read_json(text)
    assert len(read.text) == len(text)
    for fault in read.faults:
        assert 1 <= fault.line <= text.count("\n") + 1
        assert 1 <= fault.column <= len(text) + 1
    if not read.faults:
        assert repr(read.value) == repr(json.loads(text))
