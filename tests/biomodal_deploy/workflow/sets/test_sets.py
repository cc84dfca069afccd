"""The exit status of a set, and how many of it at once."""

from __future__ import annotations

import pytest

from biomodal_deploy import errors
from biomodal_deploy.workflow.sets import WORST_FIRST, worst
from biomodal_deploy.workflow.sets.running import default_jobs

GIB = 1 << 30


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 2, 0], 2),
        ([2, 3, 2], 3),
        ([3, 4], 4),
        ([64, 4, 2], 64),
        ([64, 1, 3], 1),
        ([1, 70], 70),
        ([70, 130, 0], 130),
        ([0, 99], 70),
    ],
)
def test_the_worst_status_is_the_sets(statuses: list[int], status: int) -> None:
    """In the documented order; a status that nobody knows is a bug."""
    assert worst(statuses) == status


def test_every_status_has_its_place() -> None:
    """A new one has to be put in order."""
    known = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert set(WORST_FIRST) == known


@pytest.mark.parametrize(
    ("processors", "available", "jobs"),
    [
        (1, 64 * GIB, 2),
        (2, 64 * GIB, 2),
        (3, 64 * GIB, 3),
        (64, 64 * GIB, 4),
        (8, 3 * GIB, 3),
        (8, GIB // 2, 1),
    ],
)
def test_jobs_fit_the_machine(processors: int, available: int, jobs: int) -> None:
    """Two to four, and fewer where memory is short."""
    assert default_jobs(processors, available) == jobs


def test_this_machine_says_how_many() -> None:
    """Whatever it is."""
    assert 1 <= default_jobs() <= 4
