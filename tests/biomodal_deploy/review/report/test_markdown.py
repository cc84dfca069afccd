"""Tests for biomodal_deploy.review.report.markdown: within its budget, and safe in a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from biomodal_deploy.plan import read_plan
from biomodal_deploy.review.report.markdown import FEWEST_BYTES, MOST_BYTES, code, markdown
from tests.support.everything import everything
from tests.support.plans import document, encoded, resource
from tests.support.reports import report, report_of_text, report_on

# What a value could try in a comment; each holds the word that must stay in a code span.
HOSTILE: Final = [
    "evil @octocat",
    "evil `end` of code",
    "evil ``` fence",
    "```\n\n# evil heading",
    "evil | cell |",
    "evil](https://example.com) [x",
    "![evil](https://example.com/x.png)",
    "https://example.com/evil",
    "www.example.com/evil #12 GH-12",
    "</details><script>evil()</script>",
    "<img src=x onerror=evil()>",
    "<!-- evil",
    "\n\n- evil item\n",
    "evil\u202etxt\u2066",
    "\x1b[31mevil",
    "`evil",
    "evil`",
    "evil\\",
    "&lt;evil&gt; $evil$ :evil:",
]


def tokens(text: str) -> Iterator[Token]:
    """Yield every token of a Markdown text, those in lines included."""
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_stay_code(text: str) -> None:
    """Planted wherever a plan has text, it is never markup, a mention or a link."""
    found = markdown(report_of_text(text))
    assert "evil" in found
    for token in tokens(found):
        assert token.type not in ("link_open", "image", "table_open")
        if token.type not in ("code_inline", "fence", "inline"):
            assert "evil" not in token.content, token
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", found)


@pytest.mark.parametrize("text", ["", " ", "`", "``", "a`b``c", " a ", "a\nb"])
def test_code(text: str) -> None:
    """A span of code holds the text, and nothing else."""
    (inline,) = [token for token in tokens(f"x {code(text)} y") if token.type == "inline"]
    kinds = [token.type for token in inline.children or ()]
    assert kinds == ["text", "code_inline", "text"]


@pytest.mark.parametrize("most", [FEWEST_BYTES, 10_000, MOST_BYTES, 400_000])
def test_budget(most: int) -> None:
    """It never takes more bytes than it may, and says what it left out."""
    text = markdown(report(read_plan(encoded(everything(1000)))[0]), most)
    assert len(text.encode()) <= most
    assert ("left out" in text) is (most < 400_000)
    assert text.count("<details>") == text.count("</details>")
    assert text.startswith("# ")


def test_what_matters_most_goes_last() -> None:
    """Where there is room for little, it is for what blocks and what is destroyed."""
    creates = [resource(f"aws_x.c{index}", "create", None, {}) for index in range(400)]
    gone = resource("aws_instance.vm", "delete", {"a": 1}, None)
    text = markdown(report_on(*creates, gone), 6_000)
    assert "lost: `the root disk" in text
    assert re.search(r"Created and updated: \d+ of 400 left out", text)
    assert text.count("aws_x.c") > 20


def test_multibyte() -> None:
    """The budget is one of bytes, also where a letter takes several."""
    many = [resource(f'aws_x.c["{"ü🔑" * 10}{index}"]', "create") for index in range(300)]
    assert len(markdown(report_on(*many), 8_000).encode()) <= 8_000


def test_the_command_pins_the_digest() -> None:
    """What applies exactly this plan can be copied; without changes there is nothing to apply."""
    text = markdown(report_on(resource("aws_x.y")))
    command = r"^biomodal-aws apply \S+ --stack demo --expect-sha256 [0-9a-f]{64}$"
    assert re.search(command, text, re.MULTILINE)
    nothing = markdown(report(read_plan(encoded(document()))[0]))
    assert "Nothing to apply" in nothing
    assert "biomodal-aws apply" not in nothing
