"""Real Terraform reads random variable files as we do."""

from __future__ import annotations

import base64
import json
import shutil
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from biomodal_deploy.config.tfvars import read_declared, resolve, write_private
from biomodal_deploy.config.tfvars.values import Value, to_json
from biomodal_deploy.errors import UsageError
from tests.support.examples import examples
from tests.support.terraform import bare_engine

pytestmark = pytest.mark.engine

TYPES: Final = {
    "text": "string",
    "number": "number",
    "flag": "bool",
    "texts": "list(string)",
    "numbers": "set(number)",
    "labels": "map(string)",
    "pair": "tuple([string, number])",
    "thing": "object({name = string, size = optional(number), tags = map(bool)})",
    "whole": "any",
}
# Hypothesis draws anything that Terraform could meet in a text file.
TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cn"]), max_size=12
) | st.sampled_from(
    [
        *("", "${x}", "%{y}", "$${", "$$$", '"', "\\n", "a\nb\n", " a\n\n  b\n", "  \n x\n"),
        *("é", "e\u0301", "a\rb", "\r\n", "\x00", "\ufeff", "a\u200db", "\u2028", "x" * 5000, "//"),
    ]
)
LINES = st.lists(
    st.sampled_from(["", " ", "  a", "\tb", "c", "   ${x}", "\u00a0d", " \u2003e", "\x0b", "\r"]),
    min_size=1,
    max_size=4,
).map(lambda lines: "\n".join(lines) + "\n")
NUMBER = (
    st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=6)
    | st.sampled_from(["-0", "-0.0", "1e-140", "-1.5E-30", "12e148", "0e9"]).map(Decimal)
)
NAME = st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True) | st.sampled_from(
    ["é", "e\u0301", "x\u00b2", "\u2167", "\u0663", "for", "null", "1.50", "a-", "-a", "\u4e2d"]
)
PRIMITIVE = TEXT | LINES | NUMBER | st.booleans()
LABELS: Final[st.SearchStrategy[dict[str, Value]]] = st.dictionaries(
    NAME | TEXT, PRIMITIVE, max_size=3
)


def _different(
    drawn: st.SearchStrategy[dict[str, Value]],
) -> st.SearchStrategy[dict[str, Value]]:
    """Leave out what has a key twice, however it is composed: a fault to us in HCL too."""
    return drawn.filter(
        lambda found: len({unicodedata.normalize("NFC", key) for key in found}) == len(found)
    )


VALUES: Final[Mapping[str, st.SearchStrategy[Value]]] = {
    "text": PRIMITIVE,
    "number": NUMBER | NUMBER.map(str),
    "flag": st.booleans() | st.sampled_from(["true", "false", "1", "0"]),
    "texts": st.lists(PRIMITIVE | st.none(), max_size=4),
    "numbers": st.lists(NUMBER, max_size=4),
    "labels": _different(LABELS),
    "pair": st.tuples(TEXT, NUMBER).map(list),
    "thing": st.fixed_dictionaries(
        {"name": TEXT, "tags": _different(st.dictionaries(NAME, st.booleans(), max_size=2))},
        optional={"size": NUMBER, "extra": TEXT},
    ),
    "whole": st.recursive(
        PRIMITIVE | st.none(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | _different(st.dictionaries(NAME | TEXT, inner, max_size=3))
        ),
        max_leaves=6,
    ),
}
AUTOMATIC: Final = (
    "terraform.tfvars",
    "terraform.tfvars.json",
    "a.auto.tfvars",
    "b.auto.tfvars.json",
)
GIVEN: Final = ("one.tfvars", "two.tfvars.json")


class Engine:
    """Real Terraform on two folders with the same variables."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._terraform = bare_engine(root)

    def folder(self, name: str) -> Path:
        """Return an empty folder that declares the variables."""
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        blocks = {name: {"type": type_, "default": None} for name, type_ in TYPES.items()}
        (folder / "cdk.tf.json").write_text(json.dumps({"variable": blocks}))
        return folder

    def values(self, folder: Path, *arguments: str) -> dict[str, Value] | None:
        """Return the values that Terraform gives the variables, or None where it refuses."""
        members = ", ".join(f"{name} = var.{name}" for name in TYPES)
        asked = f"base64encode(jsonencode({{{members}}}))\n"
        done = self._terraform(folder, "console", *arguments, stdin=asked, timeout=60)
        if done.returncode:
            return None
        found = json.loads(base64.b64decode(done.stdout.strip().strip('"')), parse_float=Decimal)
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Return Terraform with a home of its own."""
    return Engine(tmp_path_factory.mktemp("home"))


def hcl(draw: st.DrawFn, value: Value, *, member: bool = False) -> str:
    """Return a value as HCL, in one of the ways in which people write it."""
    if isinstance(value, str):
        return _text(draw, value, heredoc=not member)
    if isinstance(value, list):
        between = draw(st.sampled_from([", ", ",\n  ", " , # c\n", "\n,"]))
        items = between.join(hcl(draw, item, member=member) for item in value)
        return f"[{items}{draw(st.sampled_from(['', ' ', chr(10)]))}]"
    if isinstance(value, dict):
        sign = draw(st.sampled_from([" = ", "=", ": "]))
        between = draw(st.sampled_from([", ", "\n", ",\n", " // c\n"]))
        members = (f"{_key(draw, key)}{sign}{hcl(draw, value[key], member=True)}" for key in value)
        return "{\n" + between.join(members) + "\n}"
    plain = _plain(draw, value)
    return draw(st.sampled_from([plain, f"({plain})"]))


def _plain(draw: st.DrawFn, value: Value) -> str:
    if isinstance(value, Decimal):
        return format(value, draw(st.sampled_from("feE")))
    return json.dumps(value)


def _json(draw: st.DrawFn, value: Value) -> str:
    """Return a value as JSON, in one of the ways in which programs write it."""
    blank = draw(st.sampled_from(["", " ", "\n", "\r\n\t"]))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=draw(st.booleans())) + blank
    if isinstance(value, list):
        return f"[{blank}" + f",{blank}".join(_json(draw, item) for item in value) + "]"
    if isinstance(value, dict):
        members = (f"{_json(draw, key)}:{blank}{_json(draw, value[key])}" for key in value)
        return f"{{{blank}" + ",".join(members) + "}" + blank
    return _plain(draw, value) + blank


def _text(draw: st.DrawFn, value: str, *, heredoc: bool) -> str:
    plain = value.replace("${", "$${").replace("%{", "%%{")
    if heredoc and value.endswith("\n") and "\r" not in value:
        sign = draw(st.sampled_from(["<<", "<<-"]))
        return f"{sign}END\n{plain}{draw(st.sampled_from(['', '  ']))}END\n"
    escapes = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"}
    escapes["é"] = draw(st.sampled_from(["é", r"\u00e9", r"\U000000E9"]))
    return '"' + "".join(escapes.get(mark, mark) for mark in plain) + '"'


def _key(draw: st.DrawFn, key: str) -> str:
    name = key.replace("-", "_").isidentifier() and key[0] != "-" and key != "for"
    bare = (name or key == "1.50") and draw(st.booleans())
    return key if bare else _text(draw, key, heredoc=False)


@st.composite
def layers(draw: st.DrawFn) -> dict[str, str]:
    """Return variable files with random values, each variable in a random choice of them."""
    return {name: _content(draw, name) for name in (*AUTOMATIC, *GIVEN) if draw(st.booleans())}


def _content(draw: st.DrawFn, name: str) -> str:
    chosen = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True))
    values = {variable: draw(VALUES[variable]) for variable in chosen}
    if name.endswith(".json"):
        return draw(st.sampled_from([to_json(values), _json(draw, values)]))
    lines = "".join(f"{key} = {hcl(draw, value)}\n" for key, value in values.items())
    return draw(st.sampled_from(["", "", "\ufeff"])) + (
        lines.replace("\n", "\r\n") if draw(st.booleans()) else lines
    )


TYPED: Final = (
    *("", *"\"{}[]()=,:\n\\$%#/*-+. <>E1aé\t?!&|~;_0'", "${", "%{", "$${", "//", "/*", "*/"),
    *(
        "<<E\n",
        "<<-E\n",
        "E\n",
        "\nE\n",
        "\r",
        "\r\n",
        "\x00",
        "\x0b",
        "\ufeff",
        "\u00a0",
        "\u200b",
    ),
    *(
        "\u2028",
        "\x85",
        "\u0301",
        "\u00b2",
        "\u0663",
        "\u2167",
        "\u201c",
        "for",
        "null",
        "e9",
        "0x1",
    ),
    *(r"\u00e9", r"\U0001F600", r"\ud83d", r"\/", r"\b", ",}", ", ", "//:1,", '"//":1,', "1e9"),
)


def _spoil(draw: st.DrawFn, text: str, *more: str) -> str:
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        typed = draw(st.sampled_from((*TYPED, *more)))
        text = text[:at] + typed + text[at + draw(st.integers(0, 1)) :]
    return text


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, str]:
    """Return a variable file in which something was typed or lost: its name and its text."""
    name = draw(st.sampled_from(AUTOMATIC[:2]))
    text = _spoil(draw, _content(draw, name))
    # A byte order mark before JSON is read by us alone: some editors leave it.
    return name, text.removeprefix("\ufeff") if name.endswith(".json") else text


@st.composite
def spoilt_flags(draw: st.DrawFn) -> str:
    """Return what somebody typed behind `--var`."""
    name = draw(st.sampled_from(sorted(TYPES)))
    value = draw(VALUES[name])
    text = value if isinstance(value, str) else hcl(draw, value)
    # And what stands for a byte that is no UTF-8.
    return f"{name}={_spoil(draw, text, chr(0xDCFF))}"


ENOUGH: Final = examples(30, slow=True)


@ENOUGH
@given(
    files=layers(),
    flags=st.lists(st.sampled_from(["text=a=b ", "number=1e2", "flag=true", 'texts=["x"]'])),
)
def test_our_resolution_is_terraforms(
    engine: Engine, files: dict[str, str], flags: list[str]
) -> None:
    """Terraform gets the same from our one file as from all the files, flags and their order."""
    project, private = engine.folder("project"), engine.folder("private")
    for name, content in files.items():
        (project / name).write_bytes(content.encode())
    given_files = [project / name for name in GIVEN if name in files]
    arguments = [f"-var-file={path}" for path in given_files] + [f"-var={flag}" for flag in flags]
    expected = engine.values(project, *arguments)
    found = resolve(project, read_declared(project), given_files, flags).values
    path = write_private(found, private / "given")
    assert engine.values(private, f"-var-file={path}") == expected
    assert expected is not None
    for name in ("text", "number", "flag", "texts", "labels", "pair"):
        assert found.get(name) == expected[name]


@ENOUGH
@given(file=spoilt())
def test_whatever_we_read_terraform_reads_the_same(engine: Engine, file: tuple[str, str]) -> None:
    """A spoilt file is never read in another way than Terraform reads it."""
    name, text = file
    project = engine.folder("project")
    (project / name).write_bytes(text.encode())
    try:
        found = resolve(project, read_declared(project)).values
    except UsageError:
        return
    expected = engine.values(project)
    assert expected is not None
    path = write_private(found, engine.folder("private") / "given")
    assert engine.values(path.parent.parent, f"-var-file={path}") == expected


@ENOUGH
@given(flag=spoilt_flags())
def test_whatever_a_flag_gives_terraform_takes_the_same(engine: Engine, flag: str) -> None:
    """What was typed behind `--var` is never read in another way than Terraform reads it."""
    project = engine.folder("project")
    try:
        found = resolve(project, read_declared(project), variables=[flag]).values
    except UsageError:
        return
    # No program gets a NUL as its argument.
    assume("\0" not in flag)
    expected = engine.values(project, f"-var={flag}")
    assert expected is not None
    path = write_private(found, engine.folder("private") / "given")
    assert engine.values(path.parent.parent, f"-var-file={path}") == expected


def test_a_refused_type_is_refused_by_terraform_too(engine: Engine) -> None:
    """Our conversions are no stricter than Terraform's."""
    refused = {
        "text": ["[]"],
        "number": ['"ten"', "true", '"0x10"'],
        "flag": ["1", '"True"'],
        "texts": ['"x"'],
        "numbers": ['["x"]'],
        "labels": ["[]"],
        "pair": ['["x"]'],
        "thing": ['{name = "x"}'],
    }
    for name, text in ((name, text) for name, texts in refused.items() for text in texts):
        project = engine.folder("project")
        (project / "terraform.tfvars").write_text(f"{name} = {text}\n")
        assert engine.values(project) is None, (name, text)
        with pytest.raises(UsageError):
            resolve(project, read_declared(project))
