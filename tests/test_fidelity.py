"""What the document promises is kept somewhere, and tested."""

from __future__ import annotations

import pytest

from tests.support import fidelity
from tests.support.fidelity import Promise
from tests.support.project import ROOT


def test_the_page_is_what_the_data_says() -> None:
    """`make docs` was run."""
    assert fidelity.PAGE.read_text(encoding="utf-8") == fidelity.page()


@pytest.mark.parametrize("promise", fidelity.promises(), ids=lambda each: each.says)
def test_every_promise_is_kept_and_tested(promise: Promise) -> None:
    """The named place holds the named text, and the named test is there."""
    path, _, text = promise.where.partition("::")
    assert text in (ROOT / path).read_text(encoding="utf-8")
    path, _, name = promise.test.partition("::")
    assert f"\ndef {name or 'test_'}" in (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "notes"),
    [
        ("deploying.md", ("user_data_base64", "data.aws_region.current.name")),
        (
            "operations.md",
            ("newgrp docker", "docker --version", "docker run hello-world", "support@biomodal.com"),
        ),
        ("troubleshooting.md", ("journalctl", "terraform refresh")),
        (
            "costs.md",
            ("t3.small", "Reserved Instance", "Glacier", "Intelligent-Tiering", "Cost Explorer"),
        ),
    ],
)
def test_what_the_document_notes_is_noted(page: str, notes: tuple[str, ...]) -> None:
    """What the document tells its reader to know, run or consider is in these pages too."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert [each for each in notes if each not in text] == []
