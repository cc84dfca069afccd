"""Headless Chromium on pages of our own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.support.project import ROOT

_AXE: Final = ROOT / "node_modules" / "axe-core" / "axe.min.js"
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


@contextmanager
def browser(home: Path) -> Iterator[Chrome]:
    """Start Chromium with an empty profile, or skip the test where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no Chromium: apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for flag in (*_FLAGS, f"--user-data-dir={home}"):
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # which root cannot have
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def accessibility_faults(chrome: Chrome) -> list[str]:
    """Return what axe-core finds in the page that is shown, each fault with its first element.

    Its experimental rules are left out, its best practices count.
    """
    if not _AXE.is_file():
        pytest.skip("axe-core is not installed: make setup")
    chrome.execute_script(_AXE.read_text(encoding="utf-8"))
    found = chrome.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {resultTypes: ['violations']}).then("
        "  (found) => done(found.violations.map((each) =>"
        "    `${each.id} (${each.nodes.length}): ${each.help}: ${each.nodes[0].html.slice(0, 200)}"
        " ${each.nodes[0].failureSummary}`)),"
        "  (error) => done([`axe-core failed: ${error}`]))"
    )
    return [str(each) for each in found]


def size(chrome: Chrome, width: int, height: int = 1000) -> None:
    """Make the page as large as a window of this size shows it."""
    chrome.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
    )


def colours(chrome: Chrome, scheme: str, media: str = "screen") -> None:
    """Say which colours the system has, `light` or `dark`, and whether it prints: `print`."""
    chrome.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": media, "features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
