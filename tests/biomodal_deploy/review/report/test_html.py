"""Tests for review.report.html: one file that nothing of a plan can break out of."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest

from biomodal_deploy.aws.ledger import Fate, Holding, Ledger
from biomodal_deploy.plan import PlanKind, read_plan
from biomodal_deploy.review.report.html import html
from biomodal_deploy.review.report.markdown import markdown
from tests.support.everything import everything
from tests.support.plans import encoded, resource
from tests.support.real_plans import real_plan
from tests.support.reports import WHEN, report, report_of_text, report_on

HOSTILE = [
    "<script>evil()</script>",
    '"><img src=x onerror=evil()>',
    "' onmouseover='evil()",
    "</title></style></svg><iframe src=//example.com>",
    "<!--",
    "javascript:evil()",
    "]]><evil>",
    "\u202eevil\x1b[31m",
]


class Parser(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag up."""
        self.tags.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """Return the tags of a page with their attributes."""
    parser = Parser()
    parser.feed(text)
    return parser.tags


def page(text: str) -> str:
    """Return a page whose plan has a text wherever there is room for one."""
    return html(report_of_text(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values_are_text(text: str) -> None:
    """The page has the same tags and attributes as with a harmless text; only texts differ."""
    hostile, harmless = tags(page(text)), tags(page("harmless"))
    assert [(tag, set(found)) for tag, found in hostile] == [
        (tag, set(found)) for tag, found in harmless
    ]
    for _, found in hostile:
        assert not {name for name in found if name.startswith("on") or name == "style"}
        for name in ("href", "class", "id"):
            assert "evil" not in (found.get(name) or "")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", page(text))


def test_one_file_and_its_policy() -> None:
    """Only the two texts that are in it run, and no address in it leads out of it."""
    text = html(report(read_plan(encoded(everything(60)))[0]))
    for tag in ("style", "script"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in text
    assert "default-src &#39;none&#39;" in text
    for tag, found in tags(text):
        assert tag not in ("iframe", "object", "embed", "form", "base", "img")
        assert (
            not (found.get("href") or "#")
            .replace("data:,", "#")
            .strip("#")
            .startswith(("http", "/", "data"))
        )
        assert "src" not in found


def test_the_same_bytes() -> None:
    """The same plan gives the same page."""
    plan = read_plan(encoded(everything(60)))[0]
    assert html(report(plan)) == html(report(plan))


@pytest.mark.parametrize("resources", [60, 400])
def test_every_link_leads_somewhere(resources: int) -> None:
    """Each box of the picture, and each resource that is told twice, leads to its details."""
    found = tags(html(report(read_plan(encoded(everything(resources)))[0])))
    ids = [each["id"] for _, each in found if "id" in each]
    assert len(ids) == len(set(ids))
    for _, each in found:
        if (each.get("href") or "").startswith("#"):
            assert (each["href"] or "").removeprefix("#") in ids


def test_a_box_has_one_size() -> None:
    """The page stretches the picture to its own width, so one column is as wide as all four."""

    def widths(*kinds: str) -> set[str]:
        text = html(report_on(*(resource(f"{kind}.a", "create", None, {}) for kind in kinds)))
        views = re.findall(r'viewBox="0 0 ([0-9.]+) ', text)
        assert len(views) == 3
        return set(views)

    assert widths("aws_s3_bucket") == widths(
        "aws_s3_bucket", "aws_instance", "aws_eip", "aws_batch_job_queue"
    )


def test_place_and_expiry_stand_at_the_top() -> None:
    """Account, region and expiry come before anything that changes."""
    page = html(report_on(resource("aws_eip.ip", "create", None, {"domain": "vpc"})))
    head = page[page.index("<header") : page.index("</header>")]
    for value in ("111122223333", "eu-west-2", "2026-11-24 02:15:00 UTC"):
        assert f"<dd>{value}</dd>" in head


def test_one_count_of_access_in_three_severities() -> None:
    """The points above and the section below say the same, and each gain has its severity."""
    page = html(report(read_plan(real_plan("create"))[0]))
    sentence = "12 (1 high, 7 medium, 4 low)"
    assert f"<li>access gained: {sentence}</li>" in page
    assert f'Access that is gained <span class="count">{sentence}</span>' in page
    marks = re.findall(r'<li class="gain s-(\w+)">', page)
    assert Counter(marks) == {"high": 1, "medium": 7, "low": 4}


def test_a_destroy_gains_no_access() -> None:
    """A block on public access that dies with its bucket opens nothing."""
    page = html(report(read_plan(real_plan("destroy"))[0], PlanKind.DESTROY))
    assert "Access that is gained" not in page
    assert "access gained" not in page


def test_the_ledger_of_a_destroy() -> None:
    """What the stack holds stands in the page and in the comment, what stops it first."""
    holdings = (
        Holding(kind="job-queue", name="queue", fate=Fate.LOST, line="2 jobs run"),
        Holding(kind="bucket", name="data", fate=Fate.STOPS, line="7 objects", fixes=("aws x",)),
    )
    ledger = Ledger(stack="demo", region="eu-west-2", at=WHEN, seconds=1, holdings=holdings)
    found = report(read_plan(real_plan("destroy"))[0], PlanKind.DESTROY)
    found = found.model_copy(update={"ledger": ledger})
    for text in (html(found), markdown(found)):
        assert text.index("7 objects") < text.index("2 jobs run")
    assert "<code>aws x</code>" in html(found)
