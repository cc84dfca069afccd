"""Names, patterns and all: which stacks a set is."""

from __future__ import annotations

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.sets.choosing import choose_several, is_set

NAMES = ["dev", "prod-eu", "prod-us", "test"]


@pytest.mark.parametrize(
    ("stacks", "every", "chosen"),
    [
        ([], True, NAMES),
        (["prod-*"], False, ["prod-eu", "prod-us"]),
        (["test,dev"], False, ["dev", "test"]),
        (["test", "prod-?u,dev"], False, ["dev", "prod-eu", "test"]),
        (["prod-us", "prod-*", "prod-us,"], False, ["prod-eu", "prod-us"]),
        (["[dt]e*"], False, ["dev", "test"]),
    ],
)
def test_names_and_patterns_choose(stacks: list[str], every: bool, chosen: list[str]) -> None:
    """Each one once, in the order of the stacks."""
    assert is_set(stacks, every=every)
    assert choose_several(stacks, NAMES, every=every) == chosen


def test_one_name_is_no_set() -> None:
    """It is the command as it always was; a pattern that fits one is a set of one."""
    assert not is_set(["dev"], every=False)
    assert not is_set([], every=False)
    assert not is_set(["dev,"], every=False)
    assert is_set(["de*"], every=False)


@pytest.mark.parametrize(
    ("stacks", "every", "line"),
    [
        (["dev", "prod-er"], False, '"prod-er": no such stack. Fix: did you mean'),
        (["stage-*"], False, '--stack = "stage-\\*": .* dev'),
        (["dev"], True, "--all: .*--stack"),
    ],
)
def test_what_fits_none_is_one_line(stacks: list[str], every: bool, line: str) -> None:
    """Nothing is worked on then, not even what did fit."""
    with pytest.raises(UsageError, match=line):
        choose_several(stacks, NAMES, every=every)
