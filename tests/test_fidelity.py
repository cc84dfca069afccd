"""What the document promises is kept somewhere, and tested."""

from __future__ import annotations

import pytest

from tests.support import fidelity
from tests.support.fidelity import Promise, Trouble
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


@pytest.mark.parametrize("trouble", fidelity.troubles(), ids=lambda each: each.symptom)
def test_the_troubleshooting_section_is_covered(trouble: Trouble) -> None:
    """Each command and check of the document is in the page, beside its symptom and what to do."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = [each.split(" | ") for each in text.splitlines() if each.startswith("| ")]
    about = [row[1] for row in rows if row[0] == f"| {trouble.symptom}" and row[2].rstrip(" |")]
    assert [each for each in trouble.says if not any(each in said for said in about)] == []
    # Nor does the page have a row of it that the document has not.
    assert [said for said in about if not any(each in said for each in trouble.says)] == []


@pytest.mark.parametrize(
    ("page", "notes"),
    [
        ("deploying.md", ("user_data_base64", "data.aws_region.current.name")),
        (
            "operations.md",
            ("newgrp docker", "docker --version", "docker run hello-world", "support@biomodal.com"),
        ),
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
