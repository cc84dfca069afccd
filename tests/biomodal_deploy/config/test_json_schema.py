"""Tests for biomodal_deploy.config.json_schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema  # type: ignore[import-untyped]
import pytest

from biomodal_deploy.cli.boundary import run
from biomodal_deploy.config.json_schema import SETTINGS_SCHEMA, settings_schema
from biomodal_deploy.config.stack import StackSettings
from tests.support.project import ROOT

SCHEMA: Final = json.loads(SETTINGS_SCHEMA.read_text())
_OURS: Final = re.compile(r'^"(?:stacks|[a-z_]+)": ')


def faults(value: Any) -> list[str]:
    """Return what the schema refuses."""
    return [each.message for each in jsonschema.Draft202012Validator(SCHEMA).iter_errors(value)]


def project(**settings: Any) -> dict[str, Any]:
    """Return a `cdktf.json` with one stack."""
    return {"app": "python main.py", "context": {"stacks": {"lab": settings}}}


def examples() -> Iterator[Any]:
    """Yield every piece of `cdktf.json` in the docs, as a whole file, and the files there are."""
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for block in re.findall(r"^```json\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE):
            where = f"{path.name}: {block[:30]}"
            if not _OURS.match(block):
                value = json.loads(block)
                if "app" in value:
                    yield pytest.param(value, id=where)
                continue
            piece = json.loads(f"{{{block}}}")
            whole = {"app": "x", "context": piece} if "stacks" in piece else project(**piece)
            yield pytest.param(whole, id=where)
    yield pytest.param(json.loads((ROOT / "cdktf.json").read_text()), id="cdktf.json")


def test_the_shipped_schema_is_the_models() -> None:
    """`make docs` writes it; it is never edited by hand."""
    assert settings_schema() == SCHEMA


@pytest.mark.parametrize("value", list(examples()))
def test_every_example_is_valid(value: Any) -> None:
    """What the docs show, an editor does not underline."""
    assert faults(value) == []


def test_a_project_that_init_makes_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template's too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(["init", "lab", "--no-input"]) == 0
    assert faults(json.loads((tmp_path / "lab" / "cdktf.json").read_text())) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"regin": "eu-west-2"},
        {"bootstrap": "modul"},
        {"limits": {"max_delete": 1}},
        {"backend": {"kind": "s3", "bucket": "lab"}},
        {"backend": "s3"},
        {"plan_hours": "24"},
        {"approvals": {"for": ["all"]}},
    ],
)
def test_what_is_refused_is_underlined(settings: dict[str, Any]) -> None:
    """A misspelt key, a wrong word, a wrong type, a key that is missing."""
    assert faults(project(**settings))


def test_a_stacks_name_is_checked() -> None:
    """As the commands check it."""
    assert faults({"app": "x", "context": {"stacks": {"Lab": {}}}})
    assert faults({"app": "x", "context": {"stacks": {}}})


def test_every_setting_is_described() -> None:
    """In the words of the model's docstring."""
    properties = SCHEMA["$defs"]["StackSettings"]["properties"]
    assert set(properties) == set(StackSettings.model_fields)
    assert all(each.get("description") for each in properties.values())
    approvals = SCHEMA["$defs"]["Approvals"]["properties"]
    assert all(each.get("description") for each in approvals.values())


def test_init_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    """For an editor, outside of any project."""
    assert run(["init", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA
