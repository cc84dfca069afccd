"""Settings: read once, every mistake answered with one line, nothing assumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from biomodal_deploy.config.settings import (
    PROTECTED_KINDS,
    ProjectFile,
    StackSettings,
    output_directory,
    read_project_file,
    read_stacks,
)
from biomodal_deploy.errors import UsageError
from tests.support.project import ROOT

KEY: Final = "arn:aws:kms:eu-west-2:123456789012:key/11111111-2222-3333-4444-555555555555"
HARDENED: Final = {"bootstrap": "native", "profile": "hardened"}
S3: Final = {"kind": "s3", "bucket": "lab-state"}


def stacks_of(stacks: Any) -> dict[str, StackSettings]:
    """Read stacks as they would stand in `cdktf.json`."""
    # Unchecked: what is in a file's context is checked here, whatever reading the file allows.
    file = ProjectFile.model_construct(app="x", context={"stacks": stacks})
    return read_stacks(file, {})


def refusal(stacks: Any) -> str:
    """Return the line that refuses them."""
    with pytest.raises(UsageError) as refused:
        stacks_of(stacks)
    return str(refused.value)


def test_the_shipped_file_deploys_what_is_documented() -> None:
    """`cdktf.json` holds one stack: the documented module, with documented settings."""
    stacks = read_stacks(read_project_file(ROOT), {})
    assert stacks == {"biomodal-aws": StackSettings(bootstrap="module", profile="documented")}


def test_defaults() -> None:
    """An empty stack is the documented one, with its data protected."""
    found = stacks_of({"x": {}})["x"]
    assert (found.bootstrap, found.profile, found.plan_hours) == ("module", "documented", 24)
    assert found.protected == PROTECTED_KINDS
    assert found.limits.max_deletes is None
    assert found.account == found.region == ()


def test_every_setting_is_taken_as_written() -> None:
    """What stands in the file is what the program works with."""
    written = {
        "bootstrap": "native",
        "profile": "documented",
        "protected": ["aws_instance"],
        "account": ["123456789012"],
        "region": "eu-west-2",
        "limits": {"max_deletes": 0},
        "plan_hours": 0.5,
    }
    found = stacks_of({"x": written})["x"].model_dump(mode="json")
    assert found["limits"]["max_deletes"] == 0
    same = written.keys() - {"region", "limits"}
    assert {name: found[name] for name in same} == {name: written[name] for name in same}
    assert found["region"] == ["eu-west-2"]


def test_a_stack_that_says_where_it_is_may_be_nowhere_else() -> None:
    """`account` and `region` are limits of one or of several; one region alone is its own."""
    free = stacks_of({"x": {"limits": {"max_deletes": 3}, "account": None}})["x"].bounds
    assert (free.account_ids, free.regions, free.max_deletes) == ((), (), 3)
    one = stacks_of({"x": {"account": "123456789012", "region": "us-east-1"}})["x"]
    assert (one.bounds.account_ids, one.bounds.regions) == (("123456789012",), ("us-east-1",))
    assert one.home_region == "us-east-1"
    several = stacks_of({"x": {"region": ["us-east-1", "eu-west-2"]}})["x"]
    assert (several.bounds.regions, several.home_region) == (("us-east-1", "eu-west-2"), None)


REGION: Final = "An AWS region reads like us-east-1 or eu-west-2"
OUTSIDE: Final = "starts from the project's folder"


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"account": "12345"}, "An AWS account id has 12 digits"),
        ({"account": 123456789012}, "valid string"),
        ({"region": "London"}, REGION),
        ({"region": ["eu-west-2", "London"]}, REGION),
        ({"limits": {"account_ids": ["123456789012"]}}, "account_ids"),
        ({"var_files": "prod.tfvars"}, "valid array"),
        ({"var_files": ["/etc/prod.tfvars"]}, OUTSIDE),
        ({"var_files": ["~/prod.tfvars"]}, OUTSIDE),
        ({"var_files": [""]}, OUTSIDE),
        (
            {"approvals": {"signers": "/etc/allowed"}},
            "The path of a file starts from the project's",
        ),
    ],
)
def test_where_a_stack_is_has_rules(settings: Any, rule: str) -> None:
    """One line for each mistake."""
    assert rule in refusal({"x": settings})


def test_settings_are_frozen() -> None:
    """Nobody changes a setting after it was checked."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(stacks_of({"x": {}})["x"], "bootstrap", "native")  # noqa: B010 - mypy sees it


@pytest.mark.parametrize(
    ("stacks", "parts"),
    [
        # Unknown and misspelt names.
        ({"x": {"bootstrp": "native"}}, ["stacks.x.bootstrp:", 'did you mean "bootstrap"?']),
        ({"x": {"Profile": "documented"}}, ["x.Profile:", 'did you mean "profile"?']),
        ({"x": {"zzz": 1}}, ["x.zzz:", "limits or open_ssh_waiver or plan_hours"]),
        ({"x": {"limits": {"max_delete": 1}}}, ["limits.max_delete:", '"max_deletes"?']),
        ({"limits": {"bootstrp": "native"}}, ["limits.bootstrp:", 'did you mean "bootstrap"?']),
        # Wrong values.
        ({"x": {"bootstrap": "nativ"}}, ['x.bootstrap = "nativ":', 'did you mean "native"?']),
        ({"x": {"bootstrap": "zzz"}}, ["'module', 'native'", "Fix: use module or native or "]),
        ({"x": {"profile": "hardned"}}, ['x.profile = "hardned":']),
        ({"x": {"plan_hours": 0}}, ["x.plan_hours = 0:", "greater than 0"]),
        ({"x": {"plan_hours": 721}}, ["x.plan_hours = 721:", "720"]),
        ({"x": {"plan_hours": float("nan")}}, ["x.plan_hours = nan:"]),
        ({"x": {"limits": {"max_deletes": -1}}}, ["limits.max_deletes = -1:"]),
        ({"x": {"account": ["12"]}}, ['account.0 = "12":', "12 digits"]),
        # A key is its ARN, of the region where it is used, and of a profile that has it.
        ({"x": {"bucket_kms_key_arn": "alias/lab"}}, ['= "alias/lab":', "IAM knows no alias"]),
        ({"x": {"kms_key_arn": KEY}}, ["native hardened profile only"]),
        ({"x": {**HARDENED, "kms_key_arn": KEY, "region": "us-east-1"}}, ["a key in eu-west-2"]),
        (
            {"x": {**HARDENED, "kms_key_arn": KEY, "backend": {**S3, "region": "us-east-1"}}},
            ["the state's bucket is in us-east-1", "backend.kms_key_id"],
        ),
        (
            {"x": {"bootstrap": "prerequisites", "bucket_kms_key_arn": KEY}},
            ["existing data bucket"],
        ),
        # Wrong types: nothing is converted, a number in quotes is no number.
        ({"x": {"plan_hours": "24"}}, ['x.plan_hours = "24":', "number"]),
        ({"x": {"limits": {"max_deletes": True}}}, ["max_deletes = True:", "integer"]),
        ({"x": {"limits": {"max_deletes": "1"}}}, ['max_deletes = "1":', "integer"]),
        ({"x": {"account": [123456789012]}}, ["account.0", "string"]),
        ({"x": {"protected": "aws_instance"}}, ['protected = "aws_instance":', "array"]),
        ({"x": {"limits": []}}, ["x.limits = []:", "object"]),
        ({"x": None}, ["stacks.x:", "object"]),
        ([], ["context.stacks = []:", "object"]),
        ({}, ["context.stacks = {}:", "at least 1"]),
        # Names of stacks: directories, and part of what is printed.
        ({"X": {}}, ['stacks.X = "X":', "lower-case letters"]),
        ({"../x": {}}, ['"../x"', "lower-case letters"]),
        ({"x\n": {}}, ['"x\\n"', "lower-case letters"]),
        ({"": {}}, ['""', "lower-case letters"]),
        ({"x" * 64: {}}, ["63 characters"]),
    ],
)
def test_what_is_wrong_is_said_in_one_line(stacks: object, parts: list[str]) -> None:
    """Field, value, rule and fix; exit status 64; names the file to fix."""
    line = refusal(stacks)
    assert line.startswith("cdktf.json: context.stacks")
    assert " Fix: " in line
    for part in parts:
        assert part in line


def test_every_mistake_has_its_line() -> None:
    """All are told at once, each with its field and remedy."""
    lines = refusal({"x": {"a1": 1, "limits": {"max_deletes": "1"}}, "y": {"plan_hours": 0}})
    fields = [each.partition(": ")[2].partition(":")[0] for each in lines.splitlines()]
    assert fields == [
        "context.stacks.x.a1",
        'context.stacks.x.limits.max_deletes = "1"',
        "context.stacks.y.plan_hours = 0",
    ]
    assert all(" Fix: " in each for each in lines.splitlines())


def refused_file(folder: Path, text: str) -> list[str]:
    """Return the lines that refuse a project file."""
    (folder / "cdktf.json").write_text(text)
    with pytest.raises(UsageError) as refused:
        read_stacks(read_project_file(folder), {})
    return str(refused.value).splitlines()


def test_each_line_names_the_line_of_the_file(tmp_path: Path) -> None:
    """The place is that of the setting, or of the object that lacks one."""
    text = """{
  "app": "python main.py",
  "context": {
    "stacks": {
      "x": {
        "regin": "eu-west-2",
        "account": ["12"],
        "backend": {
          "kind": "s3", "region": "eu-west-2"
        }
      }
    }
  }
}
"""
    lines = refused_file(tmp_path, text)
    places = [f"cdktf.json line {number}" for number in (6, 7, 8)]
    assert [each.partition(": ")[0] for each in lines] == places
    assert 'did you mean "region"?' in lines[0]
    assert "backend.bucket" in lines[2]


def test_what_is_no_json_and_what_is_no_setting_are_told_at_once(tmp_path: Path) -> None:
    """A trailing comma is called one, and what stands behind it is read all the same."""
    text = """{
  "app": "x", // the app
  "context": {
    "stacks": {
      "x": {"profile": "hardned",},
    },
  }
}
"""
    lines = refused_file(tmp_path, text)
    places = ("2, column 15", "5, column 33", "5, column 35", "6, column 6", "5")
    assert [each.partition(":")[0] for each in lines] == [f"cdktf.json line {at}" for at in places]
    assert lines[1].endswith("Fix: remove the comma.")
    assert lines[-1].endswith('did you mean "hardened"?')


def test_a_misspelt_stacks_is_recognised() -> None:
    """The context may hold other keys, so only its absence shows the mistake."""
    file = ProjectFile(app="python main.py", context={"stack": {"x": {}}})
    with pytest.raises(UsageError, match=r'missing\. Fix: rename "stack"\.'):
        read_stacks(file, {})


def test_cdktf_keys_are_left_alone() -> None:
    """Feature flags of cdktf may stand in the context, and its own keys in the file."""
    file = ProjectFile(app="x", context={"stacks": {"x": {}}, "cdktfVersion": "0.21.0"})
    assert list(read_stacks(file, {})) == ["x"]


def test_the_context_variable_goes_before_the_file() -> None:
    """`CDKTF_CONTEXT_JSON` works as in cdktf: key by key, over the file."""
    file = ProjectFile(app="x", context={"stacks": {"x": {}}})
    override = json.dumps({"stacks": {"y": {"bootstrap": "native"}}})
    assert list(read_stacks(file, {"CDKTF_CONTEXT_JSON": override})) == ["y"]
    assert list(read_stacks(file, {"CDKTF_CONTEXT_JSON": '{"other": 1}'})) == ["x"]
    assert list(read_stacks(file, {"CDKTF_CONTEXT_JSON": ""})) == ["x"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("approvals", {"signers": "signers"}),
        ("history", {"remote": "s3://lab-history/claims", "retain_days": 7}),
    ],
)
def test_the_context_variable_weakens_no_approval(
    setting: str, value: dict[str, JsonValue]
) -> None:
    """Who has to agree, and where plans are claimed, is the file's word where it says so."""
    file = ProjectFile(app="x", context={"stacks": {"x": {setting: value}}})
    others: tuple[dict[str, object], ...] = ({}, {setting: None}, {setting: {**value, "more": 1}})
    for other in others:
        override = {"CDKTF_CONTEXT_JSON": json.dumps({"stacks": {"x": other}})}
        with pytest.raises(UsageError, match=rf"CDKTF_CONTEXT_JSON.*x\.{setting}"):
            read_stacks(file, override)
    kept: tuple[dict[str, object], ...] = (
        {"x": {setting: value, "bootstrap": "native"}},
        {"y": {}},
    )
    for same in kept:
        assert read_stacks(file, {"CDKTF_CONTEXT_JSON": json.dumps({"stacks": same})})


HOSTILE: Final = (
    *("{", "[]", "3", "NaN", "null", "1" * 5000, "\ufeff{}", '{"stacks": {"x": {}, "x": {}}}'),
    *('{"a":' * 500 + "1" + "}" * 500, '{"a":' * 100_000),
)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20])
def test_a_bad_context_variable_is_refused_by_name(text: str) -> None:
    """Whatever it holds, the line says which variable to look at."""
    with pytest.raises(UsageError, match=r"CDKTF_CONTEXT_JSON.* Fix: "):
        read_stacks(ProjectFile(app="x"), {"CDKTF_CONTEXT_JSON": text})


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"{", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "line 1: not UTF-8 text"),
        (b'{\n"app": "\xe9"}', "line 2: not UTF-8 text"),
        (b"{}", "app: missing"),
        (b'{"app": ""}', 'app = ""'),
        (b'{"app": 3}', "app = 3"),
        (b'{"app": "x", "output": 3}', "output = 3"),
        (b'{"app": "x", "context": []}', "context = []"),
        # JSON would let the second one win without a word.
        (b'{"app": "x", "context": {"stacks": {"x": {}, "x": {}}}}', '"x" is there twice'),
    ],
)
def test_a_bad_project_file_is_refused(tmp_path: Path, content: bytes, part: str) -> None:
    """One line that names the file or its field, with a fix."""
    (tmp_path / "cdktf.json").write_bytes(content)
    with pytest.raises(UsageError) as refused:
        read_project_file(tmp_path)
    for each in (part, "cdktf.json", " Fix: "):
        assert each in str(refused.value)


def test_a_missing_project_file_is_refused(tmp_path: Path) -> None:
    """The line says how to name one; what cannot be opened as a file gets its line too."""
    with pytest.raises(UsageError, match=r"cdktf.json: no project here.* Fix: .*--project-dir"):
        read_project_file(tmp_path)
    (tmp_path / "cdktf.json").mkdir()
    with pytest.raises(UsageError, match=r"cdktf.json: cannot be read \(Is a directory\)"):
        read_project_file(tmp_path)


def test_where_the_output_goes(tmp_path: Path) -> None:
    """`CDKTF_OUTDIR` goes before the file's `output`; both are relative to the project."""
    file = ProjectFile(app="x", output="out")
    assert output_directory(tmp_path, file, {}) == tmp_path / "out"
    assert output_directory(tmp_path, file, {"CDKTF_OUTDIR": "other"}) == tmp_path / "other"
    absolute = str(tmp_path / "elsewhere")
    assert output_directory(Path("/"), file, {"CDKTF_OUTDIR": absolute}) == Path(absolute)
    assert output_directory(tmp_path, ProjectFile(app="x"), {}) == tmp_path / "cdktf.out"


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from([10**400, -(10**4000), "\ud800", "e\u0301", "\u200b", "\r\n", "\x00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_settings = st.fixed_dictionaries(
    {},
    optional={
        "bootstrap": st.sampled_from(["module", "native", "nativ", ""]) | _json,
        "profile": st.sampled_from(["documented", "hardened"]) | _json,
        "protected": st.lists(st.sampled_from(["aws_instance", "aws_eip"])) | _json,
        "limits": st.fixed_dictionaries({}, optional={"max_deletes": st.integers() | _json})
        | _json,
        "account": st.lists(st.from_regex(r"[0-9]{11,13}", fullmatch=True)) | _json,
        "region": st.lists(st.just("us-east-1")) | _json,
        "plan_hours": st.floats() | st.integers() | _json,
        "limit": _json,
    },
)
_names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True) | st.text(max_size=8)


@given(stacks=st.dictionaries(_names, _settings | _json, max_size=3) | _json)
@example(stacks={"limits": {"limits": {"limits": {}}}})
@example(stacks={"x": {"\ud800": "\ud800"}})
def test_random_settings_are_accepted_or_refused_in_lines(stacks: Any) -> None:
    """No settings end in a traceback, a line without a fix, or a value out of its bounds."""
    refused, accepted = None, {}
    try:
        accepted = stacks_of(stacks)
    except UsageError as error:
        refused = error
    for name, stack in accepted.items():
        assert name.replace("-", "").isalnum()
        assert stack.bootstrap in ("module", "native")
        assert stack.profile in ("documented", "hardened")
        assert 0 < stack.plan_hours <= 720
        assert (stack.limits.max_deletes or 0) >= 0
        assert all(len(each) == 12 for each in stack.account)
    lines = str(refused).split("\n") if refused else []
    assert accepted or lines
    assert all(line.isprintable() and " Fix: " in line for line in lines)
