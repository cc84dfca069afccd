"""Variable files say to us what they say to Terraform."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.config.tfvars.hcl import DEEPEST, HclError, attributes, expression
from biomodal_deploy.config.tfvars.values import Value


def value_of(text: str) -> Value:
    """Return what `a` is in a file."""
    return attributes(text)["a"].value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"x"', "x"),
        ("true", True),
        ("null", None),
        ("(\n1\n)", 1),
        ("-0.50", Decimal("-0.5")),
        ("01", 1),
        ("1.5e-7", Decimal("1.5E-7")),
        ("12345678901234567890123", 12345678901234567890123),
        (r'"\n\r\t\"\\\u00e9\U0001F600"', '\n\r\t"\\é😀'),
        ('"$${x} %%{y} $ $$ %"', "${x} %{y} $ $$ %"),
        ('"$$${x"', "$${x"),
        ('"// # /* no comment */"', "// # /* no comment */"),
        ("[]", []),
        ('["a"\n\n, "b" /* c */ # d\n,]', ["a", "b"]),
        ("{}", {}),
        ("{ a = 1, b : 2 }", {"a": 1, "b": 2}),
        (
            '{\n a-b = 1 # c\n "c d" = [\n{ e = 2 }\n]\n\n true = 3\n 1.50 = 4\n (5) = 6\n}',
            {"a-b": 1, "c d": [{"e": 2}], "true": 3, "1.5": 4, "5": 6},
        ),
        ("<<E\nx\n  y\n  E", "x\n  y\n"),
        ("<<E\nE", ""),
        ("<<E\r\nx\r\nE", "x\r\n"),
        ("<<E\n$${x} \\n $\nE", "${x} \\n $\n"),
        ("<<-E\n    x\n \n      y\n\n  E", "x\n \n  y\n\n"),
        ("[<<E\nx\nE\n, 1]", ["x\n", 1]),
    ],
)
def test_values(text: str, expected: Value) -> None:
    """Each form of a plain value, as measured on Terraform."""
    found = value_of(f"a = {text}\n")
    assert (found, type(found)) == (expected, type(expected))


def test_comments_blank_lines_and_lines() -> None:
    """Comments and blank lines mean nothing; each name knows its line."""
    text = "\ufeff# one\n\n// two\r\na = 1 // three\n/* four\nfive */ b = 2 # six\n\nc=3"
    found = attributes(text)
    assert {name: each.value for name, each in found.items()} == {"a": 1, "b": 2, "c": 3}
    assert [each.line for each in found.values()] == [4, 6, 8]


@pytest.mark.parametrize(
    ("text", "place", "rule"),
    [
        ("a = 1 b = 2", (1, 7), "Each value ends its line"),
        ("a = 1\n\na = 2", (3, 1), "The name a is given twice, first on line 1"),
        ("a = {b=1, b=2}", (1, 11), "A key is given twice"),
        ('\n  a = "x\n"', (2, 7), "A text in double quotes ends on its own line"),
        ("a = 'x'", (1, 5), "A value is missing or malformed"),
        ("a =", (1, 4), "A value is missing or malformed"),
        ("a = x", (1, 5), "A variable file holds plain values"),
        ("a = var.x", (1, 5), "A variable file holds plain values"),
        ('a = file("x")', (1, 5), "A variable file holds plain values"),
        ('a = "${x}"', (1, 6), "A variable file holds plain values"),
        ('a = "%{if true}%{endif}"', (1, 6), "A variable file holds plain values"),
        ("a = <<E\nx\n ${y}\nE\n", (3, 2), "A variable file holds plain values"),
        ("a = 1 + 2", (1, 7), "A variable file holds plain values"),
        ("a = [1][0]", (1, 8), "A variable file holds plain values"),
        ("a = [for x in []: x]", (1, 6), "A variable file holds plain values"),
        ("a = {for x in []: x => x}", (1, 6), "A variable file holds plain values"),
        ("a = <<E\nx\nE", (1, 5), "A text over several lines"),
        ("a = [1, 2", (1, 5), "The closing ] is missing"),
        ("a = [1 2]", (1, 5), "The closing ] is missing"),
        ("a = {b = 1 c = 2}", (1, 12), "Members stand on lines of their own"),
        ("a = {b = 1\n, c = 2}", (2, 1), "A value is missing"),
        ("a = {b 1}", (1, 8), "A key is followed by = or :"),
        ("a = {[] = 1}", (1, 6), "A key is a text"),
        (r'a = "\x"', (1, 6), "Only"),
        (r'a = "\uD83D"', (1, 6), "Only"),
        ("a = 1\n/* x", (2, 1), "A comment is not closed"),
        ("a { }", (1, 3), "A name is followed by ="),
        ('"a" = 1', (1, 1), "A line holds name = value"),
        ("a = 1\rb = 2", (1, 6), "Each value ends its line"),
        ("a = " + "9" * 151, (1, 5), "A number has at most 150 digits"),
        ("a = 1e99999999", (1, 5), "A number has at most 150 digits"),
        ("a = 1e" + "9" * 30, (1, 5), "A number has at most 150 digits"),
        ("a = " + "[" * 5000, (1, 56), "Values nest at most 50 deep"),
        ("a = 1\n{", (2, 1), "A line holds name = value"),
    ],
)
def test_malformed_text_is_a_place_a_rule_and_a_fix(
    text: str, place: tuple[int, int], rule: str
) -> None:
    """What Terraform refuses, we refuse, at the line and column where a person has to look."""
    with pytest.raises(HclError) as info:
        attributes(text)
    assert (info.value.line, info.value.column) == place
    assert info.value.rule.startswith(rule)
    assert info.value.fix


def test_messages_never_repeat_what_stands_in_the_file() -> None:
    """A forgotten quote must not put a password on screen."""
    for text in (
        "a = hunter2",
        'a = "hunter2',
        'a = "hunter2\\q"',
        "a = {hunter2 1}",
        "a=[hunter2",
    ):
        with pytest.raises(HclError) as info:
            attributes(text)
        assert "hunter2" not in info.value.rule + info.value.fix


def test_nesting_up_to_the_limit_is_read() -> None:
    """The limit is far from what people write, and within Python's own."""
    depth = DEEPEST
    assert attributes("a = " + "[" * depth + "]" * depth)


def test_large_files_take_no_more_than_seconds() -> None:
    """Time grows with the size and not with its square."""
    started = time.perf_counter()
    attributes("\n".join(f'k{number} = ["v", {number}] # c' for number in range(30_000)))
    assert time.perf_counter() - started < 10


def test_expression_is_one_value() -> None:
    """What `--var` takes for a composite type: one expression, nothing behind it."""
    assert expression(' [\n1, {a="b"}] ') == [1, {"a": "b"}]
    with pytest.raises(HclError, match="Nothing follows"):
        expression("[1] 2")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No input ends in anything but values or an error for people."""
    with suppress(HclError):
        attributes(text)
