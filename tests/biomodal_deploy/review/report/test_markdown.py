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
from tests.support.plans import document, encoded, output, resource
from tests.support.reports import report, report_on

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
    found = markdown(
        report_on(
            resource(f'aws_x.y["{text}"]', "update", {text: text}, {text: "b"}),
            resource("aws_x.z", "delete", {"a": 1}, None, action_reason=text),
            resource("aws_x.d", "delete", {"a": 1}, None, deposed=text),
            resource("aws_x.q", "unknown", {"a": 1}, None, module_address=text),
            resource("aws_x.m", "no-op", previous_address=text),
            resource("aws_x.i", "no-op", importing={"id": text}),
            resource("aws_iam_role_policy.p", "create", None, {"policy": '{"Statement": [{}]}'}),
            resource("aws_vpc_security_group_ingress_rule.r", "create", None, {"cidr_ipv4": text}),
            resource("aws_x.type", "create", None, {}, type=text, name=text),
            resource_drift=[resource("aws_x.y", "update", {"tags": text}, {"tags": "b"})],
            output_changes={text: output("create", None, text)},
            action_invocations=[{"address": text}],
            deferred_changes=[
                {"reason": text, "resource_change": {**resource("aws_x.l"), "address": text}}
            ],
            checks=[
                {
                    "address": {"to_display": text, "kind": text},
                    "status": "fail",
                    "instances": [
                        {
                            "address": {"to_display": text},
                            "status": "fail",
                            "problems": [{"message": text}],
                        }
                    ],
                }
            ],
        )
    )
    assert "evil" in found
    for token in tokens(found):
        assert token.type not in ("link_open", "image", "table_open")
        if token.type in ("code_inline", "fence", "inline"):
            continue
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


def test_nothing() -> None:
    """A plan without changes is a short report, with nothing to apply."""
    text = markdown(report(read_plan(encoded(document()))[0]))
    assert "Nothing to apply" in text
    assert "biomodal-aws apply" not in text


def test_the_command_pins_the_digest() -> None:
    """What applies exactly this plan can be copied as it stands."""
    text = markdown(report_on(resource("aws_x.y")))
    assert re.search(
        r"^biomodal-aws apply \S+ --stack demo --expect-sha256 [0-9a-f]{64}$", text, re.MULTILINE
    )
