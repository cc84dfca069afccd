"""Tests of `tests.support.examples`."""

from __future__ import annotations

import os
import sys
from typing import Final

import pytest

from tests.support.processes import run_program
from tests.support.project import ROOT

PROGRAM: Final = """
import sys
from hypothesis import given, strategies as st
from tests.support.examples import examples, register_profiles

register_profiles()
if "more" in sys.argv:
    import biomodal_deploy.config.contract.aws

@examples(200)
@given(st.text() | st.integers())
def draw(value):
    print(ascii(value))

draw()
"""


def drawn(*arguments: str, **changed: str) -> list[str]:
    """Return what a property draws in a process of its own."""
    done = run_program(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env={**os.environ, **changed}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_every_run_draws_the_same() -> None:
    """Neither chance, nor the hash seed, nor another module of ours changes what is drawn."""
    usual = drawn(FUZZ="0", PYTHONHASHSEED="1")
    assert len(usual) == 200
    assert drawn("more", FUZZ="0", PYTHONHASHSEED="2") == usual


@pytest.mark.slow
def test_a_search_draws_more_and_others() -> None:
    """A search draws so many times as many, and others each time."""
    search = drawn(FUZZ="2")
    assert len(search) > 300
    assert drawn(FUZZ="2") != search
