"""Variable files say to us what they say to Terraform."""

from __future__ import annotations

import time
from contextlib import suppress
from decimal import Decimal
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.config.tfvars.hcl import DEEPEST, MOST_FAULTS, HclError, attributes, expression
from biomodal_deploy.config.tfvars.scanner import Fault
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
        ("{ e\u0301\u4e2d-\u0663 = 1 }", {"\u00e9\u4e2d-\u0663": 1}),
        ("{ fortune = 1, for-x = 2 }", {"fortune": 1, "for-x": 2}),
        ('"\x00\ufeff\u2028"', "\x00\ufeff\u2028"),
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


def faults(text: str) -> tuple[Fault, ...]:
    """Return what is wrong with a file."""
    with pytest.raises(HclError) as info:
        attributes(text)
    return tuple(info.value.faults)


LITERAL = "tfvars take literal values"
LONG = "A number has at most 150 digits"


@pytest.mark.parametrize(
    ("text", "place", "rule"),
    [
        ("a = 1 b = 2", (1, 7), "Each value ends its line"),
        ("a = 1\n\na = 2", (3, 1), "The name a is given twice, first on line 1"),
        ("a = {b=1, b=2}", (1, 11), "A key is given twice"),
        ('a = {"\u00e9"=1, "e\u0301"=2}', (1, 13), "A key is given twice"),
        ('\n  a = "x\n"', (2, 7), "A text in double quotes ends on its own line"),
        ("a = 'x'", (1, 5), "Single quotes"),
        ("a =", (1, 4), "A value is missing"),
        ("a = x", (1, 5), "Text stands without quotes"),
        ("a = var.x", (1, 5), LITERAL),
        ('a = file("x")', (1, 5), LITERAL),
        ('a = "${x}"', (1, 6), LITERAL),
        ('a = "%{if true}%{endif}"', (1, 6), LITERAL),
        ("a = <<E\nx\n ${y}\nE\n", (3, 2), LITERAL),
        ("a = 1 + 2", (1, 7), LITERAL),
        ("a = [1][0]", (1, 8), LITERAL),
        ("a = [for x in []: x]", (1, 6), LITERAL),
        ("a = {for x in []: x => x}", (1, 6), LITERAL),
        ("a = {for: 1}", (1, 6), LITERAL),
        # Digits and superscripts of other scripts, which Python's patterns take for ours.
        ("a = \u0663", (1, 5), "A value is malformed"),
        ("a = \u00b2", (1, 5), "Text stands without quotes"),
        ("a = 1.\u0663", (1, 6), LITERAL),
        ("a = {x\u00b2 = 1}", (1, 7), "A key is followed by = or :"),
        ("a = {\u0663 = 1}", (1, 6), "A value is malformed"),
        ("a = <<E\u00b2\nx\nE\u00b2\n", (1, 5), "A text over several lines"),
        ('a = "x\ry"', (1, 5), "A carriage return stands in a text"),
        ("a = <<E\nx\ry\nE\n", (2, 2), "A line ends with a lone carriage return"),
        ("a = <<E\nx\nE", (1, 5), "A text over several lines"),
        ("a = [1, 2", (1, 5), "The closing ] is missing"),
        ("a = [1 2]", (1, 8), "Elements are separated by commas"),
        ("a = {b = 1 c = 2}", (1, 12), "Members stand on lines of their own"),
        ("a = {b = 1\n, c = 2}", (2, 1), "A value is missing"),
        ("a = {b 1}", (1, 8), "A key is followed by = or :"),
        ("a = {[] = 1}", (1, 6), "A key is a text"),
        (r'a = "\x"', (1, 6), "Only"),
        (r'a = "\uD83D"', (1, 6), "Only"),
        ("a = 1\n/* x", (2, 1), "A comment is not closed"),
        ("a { }", (1, 3), "A name is followed by ="),
        ('"a" = 1', (1, 1), "A name stands in quotes"),
        ("a = 1\rb = 2", (1, 6), "A line ends with a lone carriage return"),
        *((f"a = {number}", (1, 5), LONG) for number in ("9" * 151, "1e99999999", "1e" + "9" * 30)),
        ("a = " + "[" * 5000, (1, 56), "Values nest at most 50 deep"),
        ("a = 1\n{", (2, 1), "A line holds name = value"),
    ],
)
def test_malformed_text_is_a_place_a_rule_and_a_fix(
    text: str, place: tuple[int, int], rule: str
) -> None:
    """What Terraform refuses, we refuse, at the line and column where a person has to look."""
    (fault,) = faults(text)
    assert (fault.line, fault.column) == place
    assert fault.rule.startswith(rule)
    assert fault.fix


@pytest.mark.parametrize(
    "text",
    ["a = hunter2", 'a = "hunter2', 'a = "hunter2\\q"', "a = {hunter2 1}", "a=[hunter2"],
)
def test_messages_never_repeat_what_stands_in_the_file(text: str) -> None:
    """A forgotten quote must not put a password on screen."""
    assert not any("hunter2" in fault.rule + fault.fix for fault in faults(text))


def test_nesting_up_to_the_limit_is_read() -> None:
    """The limit is far from what people write, and within Python's own."""
    depth = DEEPEST
    assert attributes("a = " + "[" * depth + "]" * depth)


@pytest.mark.slow
def test_large_files_take_no_more_than_seconds() -> None:
    """Time grows with the size and not with its square."""
    started = time.process_time()
    attributes("\n".join(f'k{number} = ["v", {number}] # c' for number in range(30_000)))
    with suppress(HclError):
        attributes("a = " + "\u201c" * 100_000)
    assert time.process_time() - started < 10


def test_expression_is_one_value() -> None:
    """What `--var` takes for a composite type: one expression, nothing behind it."""
    assert expression(' [\n1, {a="b"}] ') == [1, {"a": "b"}]
    with pytest.raises(HclError, match="Nothing follows"):
        expression("[1] 2")


PIECES: Final = (
    *(
        "a",
        "= ",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        '"',
        "'",
        "\\",
        "$",
        "%",
        "${",
        "%{",
        "<<E\n",
        "E\n",
    ),
    *("\n", "\r", "\r\n", "\t", " ", ",", ":", "#", "//", "/*", "*/", "-", "1", ".", "e", "1e999"),
    *(
        "null",
        "true",
        "for ",
        "\x00",
        "\ufeff",
        "\u0301",
        "\u0663",
        "\u00b2",
        "\u201c",
        r"\ud800",
        "<<-",
    ),
)


@given(
    st.text(st.characters(), max_size=60)
    | st.lists(st.sampled_from(PIECES), max_size=20).map(lambda found: "a = " + "".join(found))
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """No input ends in anything but values or an error for people."""
    with suppress(HclError):
        attributes(text)


@pytest.mark.parametrize(
    ("text", "place", "rule", "fix"),
    [
        # Keywords and operators of other languages.
        ("a = True", (1, 5), "small letters", "write true"),
        ("a = FALSE", (1, 5), "small letters", "write false"),
        ("a = None", (1, 5), "HCL has no none", "write null"),
        ("a = yes", (1, 5), "HCL has no yes", "write true"),
        ("a = off", (1, 5), "HCL has no off", "write false"),
        ("a = 1 == 1", (1, 7), "literal values", "write the result itself"),
        ("a = !true", (1, 5), "literal values", "write the result itself"),
        ("a = true ? 1 : 2", (1, 10), "literal values", "write the result itself"),
        ('a = file("x")', (1, 5), "literal values", "write the result itself"),
        ("a = var.x", (1, 5), "literal values", "write the value itself"),
        ("a = aws_vpc.x.id", (1, 5), "literal values", "write the value itself"),
        # Quotes.
        ("a = “x, y”", (1, 5), "Curly quotes", 'straight double quotes: "'),
        ("a = \u2018x\u2019", (1, 5), "Curly quotes", 'straight double quotes: "'),
        ('a = "x”', (1, 5), "curly quote", 'straight "'),
        ("a = 'x'", (1, 5), "Single quotes", 'double quotes: "'),
        ("a = `x`", (1, 5), "Backticks", 'double quotes: "'),
        ("region = eu-west-2", (1, 10), "without quotes", "between double quotes"),
        ("a = 10.0.0.0/16", (1, 5), "number is followed", "between double quotes"),
        ("a = 30GB", (1, 5), "number is followed", "the number alone"),
        ("a = ~/key.pub", (1, 5), "without quotes", "between double quotes"),
        ("a = $HOME/key", (1, 5), "shell", "between double quotes"),
        ("a = .5", (1, 5), "begins with a digit", "0 before the point"),
        # Other file formats.
        ("region: x", (1, 7), ": stands where = belongs", "name = value"),
        ("---\nregion: x", (1, 1), "YAML", "name = value"),
        ('{\n  "a": 1\n}', (1, 1), "JSON", "rename it to end with .tfvars.json"),
        ("export a=1", (1, 8), "shell", "remove export"),
        ('variable "a" {\n  type = string\n}', (1, 10), "declares no variables", "name = value"),
        ("tags {\n  a = 1\n}", (1, 6), "followed by =", "name = { ... }"),
        ("; comment", (1, 1), "name = value", "begin a comment with #"),
        ("<<<<<<< HEAD", (1, 1), "merge conflict", "resolve it"),
        # Marks that are missing or too many.
        ('a "x"', (1, 3), "followed by =", "name = value"),
        ("a = 1,", (1, 6), "followed by ,", "remove it"),
        ("a = 1;", (1, 6), "followed by ;", "remove it"),
        ('a = ["x" "y"]', (1, 10), "separated by commas", "put a comma here"),
        ("a = {\n  b = 1\nc = 2", (1, 5), "closing } is missing", "close what is opened here"),
        ("a = 1\n}", (2, 1), "} closes nothing", "remove it"),
        ('var.a = "x"', (1, 4), "no dots", "remove var."),
        ("a = <<END\nx\nEND", (1, 5), "that line ends too", "end the file with a new line"),
        ("a = <<END\nx\n", (1, 5), "ends with END", "add the closing line"),
        ('a = <<"END"\nx\nEND\n', (1, 5), "nothing behind it", "without blanks, quotes"),
        # What nobody sees.
        ('a =\u00a0"x"', (1, 4), "no-break space (U+00A0)", "a plain space"),
        ("\u200ba = 1", (1, 1), "zero-width space (U+200B)", "a plain space"),
        ("\ta\t=\tTrue\t# c\r\n", (1, 6), "small letters", "write true"),
        ("\ufeffa = True", (1, 5), "small letters", "write true"),
    ],
)
def test_the_fix_of_each_mistake_is_true(
    text: str, place: tuple[int, int], rule: str, fix: str
) -> None:
    """What people write is called by its name, and what is advised makes it right."""
    fault = faults(text)[0]
    assert (fault.line, fault.column) == place
    assert rule in fault.rule
    assert fix in fault.fix


def test_all_faults_are_found_at_once() -> None:
    """Each with its line and its variable, in the order of the file; what is right is read."""
    text = """a = True
b = "fine"
c = {
  d = yes
  e = 'x'
}
f = "open
g: 1
h = ["x" "y"]
b = 2
i = [1,
  True, file("x")]
j = 3
"""
    with pytest.raises(HclError) as info:
        attributes(text)
    found = [(each.line, each.name) for each in info.value.faults]
    expected = [(1, "a"), (4, "c"), (5, "c"), (7, "f"), (8, None), (9, "h"), (10, "b")]
    assert found == [*expected, (12, "i"), (12, "i")]
    assert sorted(info.value.attributes) == ["b", "j"]


def test_a_bracket_that_is_not_closed_hides_no_later_line() -> None:
    """The next name that is indented no more begins a new value, and each fault is told once."""
    with pytest.raises(HclError) as info:
        attributes("a = {\n  b = True\nc = False\nd = 4\n")
    assert [(each.line, each.name) for each in info.value.faults] == [(1, "a"), (2, "a"), (3, "c")]
    assert sorted(info.value.attributes) == ["d"]


def test_a_file_of_another_kind_does_not_flood_the_screen() -> None:
    """Twenty faults are enough to see it."""
    assert len(faults("a: 1\n" * 1000)) == MOST_FAULTS
