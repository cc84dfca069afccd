"""Where each value comes from, and what is said where one is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from biomodal_deploy.config.tfvars import resolve
from biomodal_deploy.config.tfvars.declared import DeclaredVariable
from biomodal_deploy.config.tfvars.types import parse_type
from biomodal_deploy.errors import UsageError


def declare(**types: str) -> dict[str, DeclaredVariable]:
    """Return variables without defaults, by their types."""
    literal = ("string", "number", "bool", "")
    return {
        name: DeclaredVariable(name, parse_type(text), literal=text in literal)
        for name, text in types.items()
    }


def values(project: Path, text: str) -> None:
    """Write the project's values."""
    (project / "terraform.tfvars").write_text(text)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty project, with the caller in another folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def refusal(project: Path, declared: dict[str, DeclaredVariable], *variables: str) -> str:
    """Return the line that a person reads."""
    with pytest.raises(UsageError) as info:
        resolve(project, declared, variables=variables)
    line = str(info.value)
    assert "\n" not in line
    assert "Fix: " in line
    return line


def test_later_sources_win(project: Path) -> None:
    """Environment, terraform.tfvars, its JSON, auto files by name, var-files in order, --var."""
    sources = {
        "terraform.tfvars": 'b = "2"\nc = "2"\nd = "2"\ne = "2"\nf = "2"\ng = "2"\n',
        "terraform.tfvars.json": '{"c": "3", "d": "3", "e": "3", "f": "3", "g": "3"}',
        "1.auto.tfvars": 'd = "4"\ne = "4"\nf = "4"\ng = "4"\n',
    }
    for name, text in sources.items():
        (project / name).write_text(text)
    Path("one.tfvars").write_text('e = "5"\nf = "5"\ng = "5"\n')
    Path("two.tfvars").write_text('f = "6"\ng = "6"\n')
    found = resolve(
        project,
        declare(**dict.fromkeys("abcdefg", "string")),
        [Path("one.tfvars"), Path("two.tfvars")],
        ["g=6.5", "g=7"],
        environ={"TF_VAR_" + name: "1" for name in "abcdefghij"},
    )
    assert found.values == {name: str(place) for place, name in enumerate("abcdefg", 1)}
    assert str(found.origins["a"]) == "TF_VAR_a"
    assert str(found.origins["d"]).endswith("project/1.auto.tfvars line 1")
    assert str(found.origins["f"]) == "two.tfvars line 1"
    assert str(found.origins["g"]) == "--var"
    assert [file.path.name for file in found.files] == [*sources, "one.tfvars", "two.tfvars"]


def test_environment_is_read_only_where_it_is_passed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a plan does depends on what the caller of this function hands over."""
    monkeypatch.setenv("TF_VAR_a", "x")
    assert "a: missing required variables" in refusal(project, declare(a="string"))


def test_relative_paths_mean_the_callers_folder(project: Path, tmp_path: Path) -> None:
    """Neither the project's folder nor the stack's."""
    (tmp_path / "elsewhere" / "x.tfvars").write_text('a = "right"')
    (project / "x.tfvars").write_text('a = "wrong"')
    declared = declare(a="string")
    assert resolve(project, declared, [Path("x.tfvars")]).values == {"a": "right"}
    found = resolve(project, declared, [Path("x.tfvars")], cwd=project)
    assert found.values == {"a": "wrong"}


def test_var_is_text_for_primitive_types_and_an_expression_for_others(project: Path) -> None:
    """As Terraform reads -var; only the first = counts."""
    declared = declare(a="string", b="number", c="bool", d="list(string)", e="any")
    given = ['a="q"=${x}', "b=5", "c=true", 'd=["x"]', 'e={k="v"}']
    found = resolve(project, declared, variables=given)
    assert found.values == {"a": '"q"=${x}', "b": 5, "c": True, "d": ["x"], "e": {"k": "v"}}


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ("vm_nam", 'did you mean "vm_name"?'),
        ("VM_NAME", 'did you mean "vm_name"?'),
        ("zzz", "remove it; the variables are region, vm_name"),
    ],
)
def test_unknown_name_is_refused_with_a_suggestion(project: Path, given: str, fix: str) -> None:
    """Terraform only warns, and a misspelt name then keeps its default unseen."""
    declared = declare(vm_name="string", region="string")
    values(project, f'\n{given} = "hunter2"')
    line = refusal(project, declared)
    assert line.startswith(f"{given}: unknown variable (")
    assert "terraform.tfvars line 2)" in line
    assert f"Fix: {fix}" in line
    assert "hunter2" not in line


def test_name_of_another_stack_is_noted(project: Path) -> None:
    """One terraform.tfvars may serve several stacks of a project."""
    values(project, 'a = "x"\nother = "y"\n')
    found = resolve(project, declare(a="string"), known_elsewhere={"other"})
    assert found.values == {"a": "x"}
    (note,) = found.notes
    assert note.endswith("line 2: other belongs to another stack and is passed over")


@pytest.mark.parametrize("text", ["a", "", "=x", "a = x", " a=x"])
def test_var_without_name_or_sign(project: Path, text: str) -> None:
    """NAME=VALUE, without spaces around the sign."""
    assert refusal(project, declare(a="string"), text).startswith("--var = ")


def test_malformed_var_expression_names_the_place(project: Path) -> None:
    """The character at which the expression breaks."""
    line = refusal(project, declare(a="list(string)"), "a=[x]")
    assert line.startswith("a (--var), character 2: Text stands without quotes")


@pytest.mark.parametrize(("type_", "text"), [("string", "\udcff"), ("list(string)", '["a\udc80"]')])
def test_bytes_of_another_encoding(project: Path, type_: str, text: str) -> None:
    """They are refused, of `--var` and of the environment: Terraform would write others."""
    line = refusal(project, declare(name=type_), f"name={text}")
    assert line.startswith("name (--var): A value is UTF-8 text")
    with pytest.raises(UsageError, match=r"name \(TF_VAR_name\): A value is UTF-8 text"):
        resolve(project, declare(name=type_), environ={"TF_VAR_name": text})


def test_wrong_type_names_everything(project: Path) -> None:
    """Field, value, rule, and the place to correct."""
    values(project, "\n\nenabled = [1]\n")
    line = refusal(project, declare(enabled="bool"))
    assert line.startswith("enabled = [1]: It must be a bool. Fix: correct it in ")
    assert line.endswith("terraform.tfvars line 3.")


def test_all_missing_values_are_named_at_once(project: Path) -> None:
    """One run tells everything that is still to be filled in."""
    line = refusal(project, declare(region="string", vm_name="string", b="bool"), "b=true")
    assert line.startswith("region, vm_name: missing required variables")


def test_default_and_null(project: Path) -> None:
    """A default needs no value; null is a value, or stands for the default where it is none."""
    declared = {
        "a": DeclaredVariable("a", parse_type("string"), required=False),
        "b": DeclaredVariable("b", parse_type("string"), required=False, nullable=False),
        "c": DeclaredVariable("c", parse_type("string")),
    }
    values(project, "b = null\nc = null\n")
    assert resolve(project, declared).values == {"c": None}
    declared["c"] = DeclaredVariable("c", parse_type("string"), nullable=False)
    assert refusal(project, declared).startswith("c: missing required variables")


def test_checks_see_converted_values(project: Path) -> None:
    """The stack's own rules are asked before anything runs, and their words are used."""
    seen: list[object] = []

    def check(name: str, value: object) -> str | None:
        seen.append((name, value))
        return "It has at most 3 characters." if value == "12345" else None

    values(project, "a = 123\n")
    assert resolve(project, declare(a="string"), checks=check).values == {"a": "123"}
    values(project, "a = 12345\n")
    with pytest.raises(UsageError, match=r'^a = "12345": It has at most 3 characters\. Fix: '):
        resolve(project, declare(a="string"), checks=check)
    assert seen == [("a", "123"), ("a", "12345")]


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        ("number", '"hunter2"'),
        ("list(string)", '[["hunter2"]]'),
        ("map(number)", '{hunter2 = "x"}'),
        ("map(map(string))", '{hunter2 = {x = ["hunter2"]}}'),
        ("string", "hunter2"),
        ("string", '"hunter2'),
    ],
)
def test_sensitive_values_are_never_repeated(project: Path, type_: str, text: str) -> None:
    """Neither a value nor a key of a sensitive variable reaches a message."""
    declared = {"a": DeclaredVariable("a", parse_type(type_), sensitive=True)}
    values(project, f"a = {text}\n")
    assert "hunter2" not in refusal(project, declared)


def test_broken_rule_does_not_repeat_a_sensitive_value(project: Path) -> None:
    """The rule is named, the value is not."""
    declared = {"a": DeclaredVariable("a", parse_type("string"), sensitive=True)}
    with pytest.raises(UsageError, match=r"^a: It is too short\. Fix: correct --var\.$"):
        resolve(project, declared, variables=["a=hunter2"], checks=lambda *_: "It is too short.")
    found = resolve(project, declared, variables=["a=hunter2"])
    assert found.sensitive == {"a"}


def test_secrets_are_found_at_every_depth(project: Path) -> None:
    """A redactor is told each text of a sensitive value, and none of another."""
    declared = declare(a="any", b="string")
    declared["a"] = DeclaredVariable("a", literal=False, sensitive=True)
    found = resolve(project, declared, variables=['a={k1=[["s1"], {k2=42}], k3=true}', "b=open"])
    assert found.secrets == {"k1", "s1", "k2", "42", "k3"}


KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nY2FuYXJ5LWtleQ==\n-----END OPENSSH PRIVATE KEY-----\n"


@pytest.mark.parametrize("given", [f"key={KEY}", KEY, f"{KEY}=x", f" {KEY}", f"nokey={KEY}"])
def test_a_private_key_is_never_echoed(project: Path, given: str) -> None:
    """Given as the value of any variable, in the place of a name, or with a rule against it."""
    with pytest.raises(UsageError) as caught:
        resolve(project, declare(key="string"), variables=[given], checks=lambda *_: "No")
    assert "Y2FuYXJ5" not in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


def test_a_private_key_counts_as_sensitive(project: Path) -> None:
    """Whatever the variable is called, and however deep it lies: plan and logs hide it."""
    found = resolve(project, declare(x="string"), variables=[f"x={KEY}"])
    assert found.sensitive == {"x"}
    assert KEY in found.secrets


def test_all_that_is_wrong_is_told_at_once(project: Path) -> None:
    """Malformed lines, unknown names, wrong types and broken rules: one line each."""
    values(project, 'enabled = True\nvm_nam = "x"\nsize = "big"\n')
    (project / "one.auto.tfvars.json").write_text('{\n  "region": "London"\n}')
    declared = declare(
        enabled="bool", vm_name="string", size="number", region="string", more="list(string)"
    )

    def check(name: str, _: object) -> str | None:
        return "No such region." if name == "region" else None

    with pytest.raises(UsageError) as info:
        resolve(project, declared, variables=["more=[x]"], checks=check)
    malformed, unknown, expression, mistyped, broken = str(info.value).splitlines()
    small = "true, false and null are written in small letters. Fix: write true."
    assert "terraform.tfvars line 1" in malformed
    assert malformed.endswith(f"enabled: {small}")
    assert unknown.startswith("vm_nam: ")
    assert "terraform.tfvars line 2" in unknown
    assert expression.startswith("more (--var), character 2: ")
    assert mistyped.endswith("terraform.tfvars line 3.")
    assert broken.endswith("one.auto.tfvars.json line 2.")


def test_what_may_stand_in_a_line_that_cannot_be_read_is_not_called_missing(project: Path) -> None:
    """`vm_name` is there, and lacks its equals sign."""
    values(project, 'vm_name "x"\n')
    line = refusal(project, declare(vm_name="string", region="string"))
    assert "A name is followed by =" in line
