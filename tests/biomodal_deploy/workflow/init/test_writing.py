"""Two files, written together or not at all, and nothing of what is there is lost."""

from __future__ import annotations

import json
import stat
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from biomodal_deploy.config.contract import variables_of
from biomodal_deploy.config.settings import read_project_file, read_stacks
from biomodal_deploy.config.tfvars import Value
from biomodal_deploy.config.tfvars.hcl import attributes, expression
from biomodal_deploy.errors import UsageError
from biomodal_deploy.workflow.init import writing
from biomodal_deploy.workflow.init.answers import Answers
from biomodal_deploy.workflow.init.writing import Draft, draft, hcl, tfvars_text, with_member, write
from tests.support.examples import examples
from tests.support.project import ROOT

VALUES: dict[str, Value] = {
    "region": "eu-west-2",
    "vpc_id": "vpc-0a1b2c3d",
    "subnet_id": "subnet-0a1b2c3d",
    "vm_name": "dev",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one stack, whose settings others may read."""
    path = tmp_path / "cdktf.json"
    path.write_text('{ "app": "x", "context": {"stacks": {"prod": {}}} }\n')
    path.chmod(0o644)
    return tmp_path


def drafted(project: Path, name: str = "dev", **settings: JsonValue) -> Draft:
    """Return a new stack."""
    given: dict[str, JsonValue] = {"region": "eu-west-2", **settings}
    return draft(project, Answers(name, given, dict(VALUES)))


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_both_are_written(project: Path) -> None:
    """The new file is its owner's alone; cdktf.json stays as readable as it was."""
    write(drafted(project))
    stacks = read_stacks(read_project_file(project), {})
    assert list(stacks) == ["prod", "dev"]
    assert stacks["dev"].var_files == ("environments/dev.tfvars",)
    assert (mode(project / "environments" / "dev.tfvars"), mode(project / "cdktf.json")) == (
        0o600,
        0o644,
    )
    assert sorted(path.name for path in project.iterdir()) == ["cdktf.json", "environments"]


def test_a_draft_writes_nothing(project: Path) -> None:
    """What is shown first is what would be written."""
    found = drafted(project)
    assert '+{ "app": "x", "context": {"stacks": {"prod": {}, "dev": ' in found.difference()
    assert [path.name for path in project.iterdir()] == ["cdktf.json"]


def test_a_file_that_is_there_is_left_alone(project: Path) -> None:
    """Before the questions or since: the line names it, and cdktf.json is as it was."""
    found = drafted(project)
    path = project / "environments" / "dev.tfvars"
    assert found.var_file == path
    path.parent.mkdir()
    path.write_text("mine = 1\n")
    with pytest.raises(UsageError, match="already exists"):
        write(found)
    assert path.read_text() == "mine = 1\n"
    with pytest.raises(UsageError, match=r"environments/dev\.tfvars: already exists"):
        drafted(project)
    path.unlink()
    path.symlink_to(project / "nowhere")
    with pytest.raises(UsageError, match="already exists"):
        drafted(project)
    assert (project / "cdktf.json").read_text() == found.before


def test_settings_that_change_meanwhile_are_kept(project: Path) -> None:
    """Somebody else's stack is not written over."""
    found, other, same = drafted(project), drafted(project, "test"), drafted(project)
    write(other)
    write(found)
    assert list(read_stacks(read_project_file(project), {})) == ["prod", "test", "dev"]
    with pytest.raises(UsageError, match=r'NAME = "dev": cdktf\.json has a stack of that name'):
        write(same)


def test_many_at_once_are_all_kept(project: Path) -> None:
    """A script may add fifty; each is written beside those that came before it."""
    drafts = [drafted(project, f"lab-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, drafts))
    assert len(read_stacks(read_project_file(project), {})) == 9
    assert len(list((project / "environments").iterdir())) == 8


def test_the_first_one_of_all(project: Path) -> None:
    """A project may begin without any stack."""
    (project / "cdktf.json").write_text('{"app": "x", "context": {"stacks": {}}}')
    write(drafted(project))
    assert list(read_stacks(read_project_file(project), {})) == ["dev"]


def test_what_was_stopped_in_between_goes_on(project: Path) -> None:
    """The same file of variables alone is what an earlier run left: it can be run again."""
    found = drafted(project)
    found.var_file.parent.mkdir()
    found.var_file.write_text(found.variables)
    write(drafted(project))
    assert "dev" in json.loads((project / "cdktf.json").read_text())["context"]["stacks"]


def test_neither_is_there_where_one_cannot_be(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where cdktf.json cannot be replaced, the file of variables goes again."""
    found = drafted(project)
    monkeypatch.setattr(writing, "_replace", _fail)
    with pytest.raises(UsageError, match="no room"):
        write(found)
    assert not found.var_file.exists()


def _fail(*_: object) -> None:
    raise UsageError("no room")


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"bootstrap": "prerequisites", "profile": "hardened"}, "roles only"),
        ({"open_ssh_waiver": "because I say so"}, "hardened profile only"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    project: Path, settings: dict[str, JsonValue], line: str
) -> None:
    """They are read as every command will read them, before anything is written."""
    with pytest.raises(UsageError, match=line):
        drafted(project, "dev", **settings)
    assert not (project / "environments").exists()


def test_two_stacks_never_share_a_state(project: Path) -> None:
    """Each would delete what the other has made."""
    partial: JsonValue = {"kind": "partial", "config_files": ["state.hcl"]}
    write(drafted(project, backend=partial))
    with pytest.raises(UsageError, match="also the state of dev"):
        drafted(project, "test", backend=partial)


KINDS = [
    ("module", "documented"),
    ("native", "documented"),
    ("module", "hardened"),
    ("native", "hardened"),
    ("prerequisites", "documented"),
]

PATH = ("context", "stacks", "dev")
ENTRY: dict[str, JsonValue] = {"bootstrap": "native", "var_files": ["environments/dev.tfvars"]}


@pytest.mark.parametrize(("bootstrap", "profile"), KINDS)
def test_every_variable_is_there_with_its_description(bootstrap: str, profile: str) -> None:
    """With the # taken away, each default reads as the contract has it."""
    answers = Answers("dev", {"bootstrap": bootstrap, "profile": profile}, {"region": "eu-west-2"})
    text = tfvars_text(answers)
    given = attributes(text)
    assert {name: each.value for name, each in given.items()} == {"region": "eu-west-2"}
    all_set = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.splitlines()
    )
    found = attributes(all_set)
    for variable in variables_of(bootstrap, profile):
        assert f"# {variable.description}\n" in text
        if variable.name != "region":
            default = variable.default
            wanted = list(default) if isinstance(default, tuple) else default
            assert found[variable.name].value == wanted


# A key in decomposed letters is read as composed: Terraform has one of both.
_KEYS = st.text(max_size=8).filter(lambda key: unicodedata.is_normalized("NFC", key)) | (
    st.sampled_from(["for", "true", "1.50", "", "${x}", "a-b", "\u00e9"])
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(['${x} %{if} \\ " $${', "a\r\nb\r", "\x00\x7f", "\ufeff\u2028", "$$%%${"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)


@given(_VALUES)
def test_what_is_written_is_what_is_read(value: object) -> None:
    """Quotes, line ends and the marks of templates come through as they are."""
    assert expression(hcl(value)) == value  # type: ignore[arg-type]


def added(text: str) -> str:
    """Return a text with the entry, which must be what JSON makes of it."""
    return with_member(text, PATH, ENTRY)


def test_the_shipped_file_keeps_all_its_lines() -> None:
    """Only lines are added, in the file's own indentation, and the comma before them."""
    before = (ROOT / "cdktf.json").read_text()
    after = added(before)
    new = [line for line in after.splitlines() if line not in before.splitlines()]
    assert new[:3] == ["      },", '      "dev": {', '        "bootstrap": "native",']
    assert after.startswith(before[: before.index('"profile"')])
    assert json.loads(after)["context"]["stacks"]["dev"] == ENTRY


def lines(*texts: str, end: str = "\n") -> str:
    """Return a text of several lines."""
    return end.join(texts)


_FORMS = {
    "one line": (
        '{"context": {"stacks": {"a": {}}}, "app": "x"}',
        '{"context": {"stacks": {"a": {}, "dev": 1}}, "app": "x"}',
    ),
    "tabs, empty": (
        lines("{", '\t"context": {', '\t\t"stacks": {}', "\t}", "}", ""),
        lines("{", '\t"context": {', '\t\t"stacks": {', '\t\t\t"dev": 1', "\t\t}", "\t}", "}", ""),
    ),
    "line ends of another system": (
        lines('{ "context": {"stacks": {', '  "a": {}', "}}}", end="\r\n"),
        lines('{ "context": {"stacks": {', '  "a": {},', '  "dev": 1', "}}}", end="\r\n"),
    ),
    "nothing there": (
        lines("{", ' "app": "x"', "}"),
        lines(
            "{", ' "app": "x",', ' "context": {', '  "stacks": {', '   "dev": 1', "  }", " }", "}"
        ),
    ),
    "look-alike": (
        lines("{", ' "note": "\\"context\\": {",', ' "context": {"stacks": {"a":1}}', "}"),
        lines(
            "{", ' "note": "\\"context\\": {",', ' "context": {"stacks": {"a":1, "dev": 1}}', "}"
        ),
    ),
}


@pytest.mark.parametrize("form", _FORMS)
def test_it_follows_the_files_own_form(form: str) -> None:
    """Line ends, tabs and the form of the object are those of the file."""
    before, after = _FORMS[form]
    assert with_member(before, PATH, 1) == after


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@examples(40)
@given(
    rest=st.dictionaries(st.text(max_size=5), _JSON, max_size=4),
    others=st.dictionaries(st.text(max_size=5), _JSON, max_size=4),
    indent=st.sampled_from([None, 0, 2, 4, "\t"]),
    ascii_only=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_whatever_the_file_holds_it_holds_still(
    rest: dict[str, object],
    others: dict[str, object],
    indent: int | str | None,
    ascii_only: bool,
    end: str,
) -> None:
    """The result is the same JSON with one member more, and nothing before it has changed."""
    others.pop("dev", None)
    document = {**rest, "context": {"stacks": others}}
    before = json.dumps(document, indent=indent, ensure_ascii=ascii_only).replace("\n", end)
    after = added(before)
    document["context"] = {"stacks": {**others, "dev": ENTRY}}
    assert json.loads(after) == document
    assert list(json.loads(after)) == list(document)
