"""Documents that Terraform would not write: read, or refused by one line; never a crash."""

from __future__ import annotations

import copy
import json
import random
from typing import Any, Final

import pytest

from biomodal_deploy.errors import EngineError
from biomodal_deploy.plan import Plan, read_plan
from biomodal_deploy.workflow.reporting import ReportFormat
from tests.support.everything import everything
from tests.support.plans import encoded
from tests.support.reports import report, written

_DOCUMENTS: Final = 500
_ODD: Final[tuple[Any, ...]] = (
    None, True, -1, 2**70, 1.5, "", "x", "\x00\u202e", "(sensitive value)", "(known after apply)",
    [], {}, [[]], [None], {"": None}, {"Statement": "x"}, '{"Statement": [1, {"Action": {}}]}',
    "0.0.0.0/0", "2.5", ["create", "delete", "forget"],
)  # fmt: skip


def mutated(original: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return a document with a few places changed, taken away or doubled."""
    changed = copy.deepcopy(original)
    for _ in range(chance.randint(1, 2)):
        holder: Any = changed
        while True:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not keys:
                break
            # Most of what matters lies deep, and few of the keys at the top lead there.
            deep = [each for each in keys if isinstance(holder[each], dict | list)]
            key = chance.choice(deep if deep and chance.random() < 0.9 else keys)
            inner = holder[key]
            if isinstance(inner, dict | list) and inner and chance.random() < 0.95:
                holder = inner
                continue
            what = chance.random()
            if what < 0.2:
                del holder[key]
            elif what < 0.3 and isinstance(holder, list):
                holder.append(copy.deepcopy(inner))
            else:
                holder[key] = copy.deepcopy(chance.choice(_ODD))
            break
    return changed


def tried(raw: bytes) -> tuple[Plan | None, str]:
    """Return the plan, or why it is refused; anything else that is raised is a crash."""
    try:
        return read_plan(raw)[0], ""
    except EngineError as error:
        return None, str(error)


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 8))]
)
def test_mutated_documents(part: int) -> None:
    """Each one gives a report in every format, or one line that quotes none of it."""
    original = everything(20, drifted=2)
    read = 0
    for number in range(part, _DOCUMENTS, 8):
        raw = encoded(mutated(original, random.Random(number)))
        plan, refusal = tried(raw)
        if plan is None:
            assert len(refusal.splitlines()) == 1
            continue
        read += 1
        # Sealed and read back, as every report is.
        found = report(Plan.from_changes(plan.to_changes()))
        for format_ in ReportFormat:
            text = written(found, format_)
            assert text
            if format_ is ReportFormat.JSON:
                json.loads(text)
    assert read > _DOCUMENTS / 8 / 3


@pytest.mark.parametrize("version", ["0.2", "2.0", "99", ""])
def test_other_major_versions(version: str) -> None:
    """A format that is not known here is named and refused."""
    with pytest.raises(EngineError, match="format version"):
        read_plan(encoded({**everything(20), "format_version": version}))[0]


def test_a_later_minor_version() -> None:
    """It is read, and the manifest names it."""
    plan = read_plan(encoded({**everything(20), "format_version": "1.99", "new": {}}))[0]
    assert any(fact.value == "1.99" for fact in report(plan).manifest)
