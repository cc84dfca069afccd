"""The report's page in a real browser: complete, usable from the keyboard, silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.keys import Keys

from biomodal_deploy.plan import read_plan
from biomodal_deploy.review.report import Report
from biomodal_deploy.review.report.html import html
from tests.support.browser import accessibility_faults, browser, colours, size
from tests.support.everything import everything
from tests.support.plans import encoded
from tests.support.reports import report

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("report-page")]

PAGES: Final = {"small": 60, "large": 5000}
# The numbers of all resources in the picture that is shown.
DRAWN: Final = """
    return [...document.querySelectorAll(".node")]
      .filter((node) => node.getClientRects().length)
      .flatMap((node) => node.dataset.targets.split(" "))"""
SHOWN: Final = """
    return [...document.querySelectorAll(".filtered .entry[id]:not(.gone)")]
      .map((entry) => entry.querySelector(".address").textContent)"""
# The least contrast of text with what lies behind it, by the rule of WCAG 2.
CONTRAST: Final = """
    const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
      .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
      .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
    const behind = (element) => {
      for (let up = element; up; up = up.parentElement) {
        const found = parse(getComputedStyle(up).backgroundColor);
        if (found.length === 3 || found[3] > 0) return found;
      }
      return [255, 255, 255];
    };
    let worst = [21, ""];
    for (const element of document.querySelectorAll("body *:not(svg):not(svg *):not(script)")) {
      const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
      if (!own || !element.getClientRects().length) continue;
      const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 200)];
    }
    for (const text of document.querySelectorAll("svg .node text")) {
      if (!text.getClientRects().length) continue;
      const shape = text.closest(".node").querySelector(
        text.classList.contains("mark") ? ".opens circle" : ".shape");
      const [a, b] = [text, shape].map((e) => light(parse(getComputedStyle(e).fill)));
      const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
      if (ratio < worst[0]) worst = [ratio, text.outerHTML];
    }
    return worst"""


@dataclass(frozen=True)
class Opened:
    """A browser, and the pages that it can show."""

    chrome: Chrome
    folder: Path
    reports: dict[str, Report]

    def show(self, name: str, width: int = 1600, scheme: str = "light") -> None:
        """Show a page again."""
        size(self.chrome, width)
        colours(self.chrome, scheme)
        self.chrome.get("about:blank")
        self.chrome.get((self.folder / f"{name}.html").as_uri())

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script in the page and return what it gives."""
        return self.chrome.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def focused(self, name: str) -> Any:
        """Return an attribute of what has the focus."""
        return self.run("return document.activeElement.getAttribute(arguments[0])", name)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """A browser and two reports, one of them too large for a box each."""
    folder = tmp_path_factory.mktemp("report")
    reports = {}
    with browser(folder / "profile") as chrome:
        for name, resources in PAGES.items():
            reports[name] = report(read_plan(encoded(everything(resources)))[0])
            (folder / f"{name}.html").write_text(html(reports[name]), encoding="utf-8")
        yield Opened(chrome, folder, reports)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1600, 900, 400])
def test_the_picture_shows_every_resource(opened: Opened, name: str, width: int) -> None:
    """Each one once, in whichever picture the window has room for; nothing is cut off."""
    opened.show(name, width)
    found = opened.reports[name]
    count = len([*found.entries, *found.reads, *found.unchanged])
    drawn = opened.run(DRAWN)
    assert sorted(map(int, drawn)) == list(range(count))
    assert opened.run("return document.documentElement.scrollWidth") <= width
    lead = opened.run("return document.querySelector('#picture .lead').textContent")
    assert (f"{count:,} resources are too many for a box each" in lead) is (count > 150)


def test_filters(opened: Opened) -> None:
    """By action, part and text, in the lists as in the picture, and back again."""
    opened.show("small")
    found = opened.reports["small"]
    everyone = len(opened.run(SHOWN))
    for css in (
        "a-create",
        "a-update",
        "a-delete",
        "a-forget",
        "a-unknown",
        "a-read",
        "a-no-op",
        "a-move",
    ):
        opened.run(f"document.querySelector('.toggle.{css}').click()")
    shown = opened.run(SHOWN)
    assert sorted(shown) == sorted(e.address for e in found.losses if e.action.replaces)
    dim = "return document.querySelectorAll('svg.wide .node:not(.dim)').length"
    assert opened.run(dim) == len(shown)
    status = opened.run("return document.querySelector('#status').textContent")
    assert status == f"{len(shown)} of {everyone} shown"
    opened.run("document.querySelector('#reset').click()")
    assert len(opened.run(SHOWN)) == everyone
    opened.run(
        "const area = document.querySelector('#area'); area.value = arguments[0];"
        "area.dispatchEvent(new Event('input'))",
        "1",
    )
    assert "aws_instance.vm" in opened.run(SHOWN)
    assert not [each for each in opened.run(SHOWN) if "aws_s3" in each]
    opened.press("/", "root disk")
    assert opened.run(SHOWN)
    assert all("aws_instance" in each for each in opened.run(SHOWN))
    opened.press(Keys.ESCAPE)
    assert len(opened.run(SHOWN)) == everyone


def test_keyboard(opened: Opened) -> None:
    """Tab reaches the boxes, arrows go between them, Enter opens the details."""
    opened.show("small")
    opened.run("document.querySelector('#reset').focus()")
    opened.press(Keys.TAB)
    assert opened.focused("class").startswith("node ")
    first = opened.focused("data-node")
    opened.press(Keys.ARROW_DOWN)
    assert opened.focused("data-node") == str(int(first) + 1)
    opened.press(Keys.ARROW_RIGHT)
    assert int(opened.focused("data-node")) > int(first) + 1
    target = opened.focused("href").removeprefix("#")
    opened.press(Keys.ENTER)
    assert opened.focused("id") == target
    assert opened.run("return document.activeElement.querySelector('details').open") is True


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1600, 400])
def test_screenshots(opened: Opened, tmp_path: Path, scheme: str, width: int) -> None:
    """Light and dark differ as the system has them, and every text is legible (WCAG AA)."""
    opened.show("small", width, scheme)
    opened.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    ratio, what = opened.run(CONTRAST)
    assert ratio >= 4.5, what
    background = opened.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(16, 21, 27)") is (scheme == "dark")
    assert opened.run("return document.documentElement.scrollWidth") <= width
    picture = tmp_path / f"report-{width}-{scheme}.png"
    assert opened.chrome.save_screenshot(str(picture))
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize(("scheme", "clicks"), [("light", 0), ("dark", 0), ("light", 2)])
def test_on_paper(opened: Opened, scheme: str, clicks: int) -> None:
    """White and legible in whatever colours it is read, without what only a screen can use."""
    opened.show("small", 800, scheme)
    for _ in range(clicks):  # auto, light, dark
        opened.run("document.querySelector('#theme').click()")
    colours(opened.chrome, scheme, "print")
    opened.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    background = opened.run("return getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    ratio, what = opened.run(CONTRAST)
    assert ratio >= 4.5, what
    assert opened.run("return document.querySelector('#theme').getClientRects().length") == 0
    assert opened.run("return document.documentElement.scrollWidth") <= 800
    colours(opened.chrome, scheme)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_axe_core_finds_nothing(opened: Opened, scheme: str, width: int) -> None:
    """With everything folded up as with everything open, on a desk and on a phone."""
    opened.show("small", width, scheme)
    assert accessibility_faults(opened.chrome) == []
    opened.run("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    assert accessibility_faults(opened.chrome) == []


def test_axe_core_would_find_something(opened: Opened) -> None:
    """It runs in the page, and sees a button without a name."""
    opened.show("small")
    opened.run("document.querySelector('#reset').textContent = ''")
    assert [each for each in accessibility_faults(opened.chrome) if each.startswith("button-name")]


def test_the_toggle_overrules_the_system(opened: Opened) -> None:
    """Auto, light, dark, whatever the system has."""
    opened.show("small", scheme="dark")
    seen = []
    for _ in range(3):
        seen.append(opened.run("return getComputedStyle(document.body).backgroundColor"))
        opened.run("document.querySelector('#theme').click()")
    assert seen == ["rgb(16, 21, 27)", "rgb(246, 247, 249)", "rgb(16, 21, 27)"]


def test_nothing_leaves_the_page(opened: Opened) -> None:
    """No request but for the file itself, no error, and nothing that a value slipped in runs."""
    opened.chrome.get_log("performance")  # type: ignore[no-untyped-call]
    opened.chrome.get_log("browser")  # type: ignore[no-untyped-call]
    for name in PAGES:
        opened.show(name)
    opened.show("small")
    opened.press("/", "vm", Keys.ESCAPE)
    log = opened.chrome.get_log("performance")  # type: ignore[no-untyped-call]
    events = [json.loads(each["message"])["message"] for each in log]
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    ours = {(opened.folder / f"{name}.html").as_uri() for name in PAGES}
    assert asked - {"about:blank", "data:,"} == ours
    assert opened.chrome.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_the_policy_is_in_force(opened: Opened) -> None:
    """A script and a request that something smuggled in are stopped by the browser itself."""
    opened.show("small")
    opened.run(
        "const script = document.createElement('script'); script.textContent = 'window.evil = 1';"
        "document.body.append(script);"
        "const image = new Image(); image.src = 'https://127.0.0.1:1/x.png';"
    )
    assert opened.run("return window.evil") is None
    said = [each["message"] for each in opened.chrome.get_log("browser")]  # type: ignore[no-untyped-call]
    assert sum("Content Security Policy" in each for each in said) >= 2
