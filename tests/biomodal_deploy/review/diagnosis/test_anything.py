"""Whatever is in a log, it is read to its end, and no secret of it is told."""

from __future__ import annotations

import io
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.known_errors.catalog import catalog
from biomodal_deploy.review.diagnosis import diagnose
from biomodal_deploy.review.diagnosis.lines import scrubbed
from tests.support.examples import examples

CANARY: Final = "cAnArY0cAnArY1cAnArY2"
PIECES: Final = (
    *[entry.example for entry in catalog().entries],
    *catalog().marks[:80],
    "\n",
    "\r\n",
    "\n\n",
    "╷\n",
    "│ ",
    "╵\n",
    "Error: ",
    "Warning: ",
    "\x1b[31m",
    "\x00",
    "\ufeff",
    "\u2028",
    "\x85",
    "\r",
    "x" * 9000,
    "{{",
    '{"@level":"error","type":"diagnostic","diagnostic":{"severity":"error","summary":"',
    '"}}\n',
    "`rm -rf ~`",
    f" password={CANARY} ",
    f" AWS_SECRET_ACCESS_KEY: '{CANARY}' ",
    f" Authorization: Bearer {CANARY}\n",
    f" https://ada:{CANARY}@host/ ",
)


@examples(25)
@given(st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=20), max_size=8))
def test_anything(pieces: list[str]) -> None:
    """No log makes the reader fail, and what is shown of it is clean."""
    found = diagnose(io.BytesIO("".join(pieces).encode("utf-8", "surrogatepass")))
    shown = [text for _, text in found.suspects]
    for finding in found.findings:
        shown += [finding.error.raw, finding.error.text]
        if finding.match:
            match = finding.match
            shown += [match.cause(), match.fix(), match.next()]
    for text in shown:
        assert CANARY not in text
        assert scrubbed(text) == text
