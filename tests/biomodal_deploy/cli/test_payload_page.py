"""What commands print for programs has a documented shape.

Their real output is held against it in test_canaries.py and in tests/engine.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biomodal_deploy.cli.boundary import run
from tests.support.commands_page import every_command
from tests.support.payload_page import PAGE, PAYLOADS, SCHEMA, page, schema, schema_text
from tests.support.payloads import undocumented
from tests.support.project import ROOT


def test_every_command_with_json_has_a_shape() -> None:
    """A command that is new has to say what it prints."""
    commands = {
        name
        for name, command in every_command().items()
        if any("--output" in each.opts for each in command.params)
    }
    assert set(PAYLOADS) == commands


def test_page_and_schema_are_those_of_the_code() -> None:
    """`make docs` writes both."""
    assert (ROOT / PAGE).read_text() == page()
    assert (ROOT / SCHEMA).read_text() == schema_text()
    assert json.loads(schema_text()) == schema()


@pytest.mark.parametrize(
    "words", [["init", "lab", "--no-input"], ["init", "--explain"], ["keygen", "vm"]]
)
def test_what_needs_no_terraform_prints_its_shape(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The shape, and no key besides."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run([*words, "--output", "json"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert undocumented(words[0], data) == []
    assert undocumented(words[0], {**data, "more": 1}) != []
