"""A rule's two forms: Python's answer and Terraform's are one."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biomodal_deploy.config.contract import Rule, Variable, variables_of
from biomodal_deploy.config.contract.validation import length_between, matches, matches_not
from tests.support.examples import examples
from tests.support.terraform import Engine, bare_engine

VARIABLES: Final = {each.name: each for each in (*variables_of("module"), *variables_of("native"))}
# Every rule on a text of both implementations; `vm_name` has a rule of its own in each.
RULES: Final[tuple[Rule, ...]] = tuple(
    {
        rule.condition: rule
        for variable in (*variables_of("module"), *variables_of("native"))
        for rule in variable.rules
        if rule.type == "string"  # numbers and lists: test_hardened.py
    }.values()
)

# Values on both sides of each rule, and values that have tripped one engine or the other.
NEAR: Final = (
    *("", "a", "vm", "development-vm", "sg-vm", "a" * 37, "a" * 38, "a" * 63, "a" * 64, "dev--vm"),
    *("us-east-1", "us-gov-west-1", "us_east_1", "vpc-0123456789abcdef0", "subnet-0a1b2c3d"),
    *("t3.large", "t4g.large", "c7gn.metal", "a1.medium", "u-6tb1.metal", "aws:x", "AWS:x", "aws"),
    *("mac1.metal", "mac2-m2pro.metal", "s3://xn--bucket", "s3://bucket--x-s3", "s3://192.168.5.4"),
    *("biomodal-deployment", "Biomodal-STACK_S_OWN", "biomodal-deployments"),
    *("s3://bucket", "s3://bucket/", "s3://bucket/key", "s3://B", "ubuntu", "_apt", "1user"),
    *("ssh-ed25519 AAAA= me@host", "ssh-rsa AAAA", "ssh-rsa A\nB", "-----BEGIN PRIVATE KEY-----"),
    *("a\nb", "a\r", "\n", "sthree-x", "PRIVATE KEY\n", "\N{LINE SEPARATOR}", "\x00", "\x85", " "),
    *("é", "ß"),
    # One character to a person, two code points; and one that normalization makes one of.
    *("e\u0301", "e\u0301" * 64, "\N{REGIONAL INDICATOR SYMBOL LETTER D}" * 2, "\ufeff"),
    "\U0001d4b3" * 128,
    # A mark that stays one, a circled and an Arabic digit, a symbol, a joiner, a Roman numeral.
    *("x\u0301", "\u2460", "\u0663", "\u327f", "a\u200db", "\u2167", "\u20ac", "\u00a0"),
    *("x" * 128, "x" * 129, "x" * 256, "x" * 257, "é" * 256, "${a}", "%{if}", '"', "\\", "$${"),
)


def _same_in_every_unicode(mark: str) -> bool:
    """Whether a character's category has been the same since Unicode 3.2.

    Python and Terraform each carry the Unicode version of their day, and letters are still being
    added: about those two they may differ, and nothing here can change that.
    """
    category = unicodedata.category(mark)
    return unicodedata.ucd_3_2_0.category(mark) == category


# Replaced and not filtered: of a hundred texts with one such mark none would be left.
_marks = st.characters(exclude_categories=["Cs", "Cn"]).map(
    lambda mark: mark if _same_in_every_unicode(mark) else "\u00e9"
)
_values = st.one_of(
    st.text(_marks, max_size=12),
    st.builds(
        lambda near, at, mark: near[:at] + mark + near[at:],
        st.sampled_from(NEAR),
        st.integers(0, 8),
        st.one_of(st.just(""), _marks, st.sampled_from("\n\r\t -._:/=+@<>Aé9")),
    ),
)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> tuple[Engine, Path]:
    """Terraform's console on a list of values in a file."""
    folder = tmp_path_factory.mktemp("rules")
    local = {"values": '${jsondecode(file("${path.module}/values.json"))}'}
    (folder / "main.tf.json").write_text(json.dumps({"locals": local}))
    return bare_engine(folder), folder


def _answers(console: tuple[Engine, Path], values: list[str]) -> list[list[bool]]:
    terraform, folder = console
    (folder / "values.json").write_text(json.dumps(values))
    each_rule = ", ".join(
        f"[for v in local.values : {rule.condition.replace('{value}', 'v')}]" for rule in RULES
    )
    answers: list[list[bool]] = terraform.evaluate(folder, f"[{each_rule}]")
    return answers


def _compare(console: tuple[Engine, Path], values: list[str]) -> None:
    for rule, answers in zip(RULES, _answers(console, values), strict=True):
        ours = [rule.holds(value) for value in values]
        differing = [v for v, a, b in zip(values, ours, answers, strict=True) if a is not b]
        assert not differing, rule.message


@pytest.mark.engine
def test_both_forms_agree_near_every_border(console: tuple[Engine, Path]) -> None:
    """Terraform accepts exactly the borderline values that Python accepts."""
    _compare(console, list(NEAR))


@pytest.mark.engine
@settings(examples(6, slow=True), suppress_health_check=list(HealthCheck), print_blob=False)
@given(values=st.lists(_values, min_size=50, max_size=150))
def test_both_forms_agree_on_random_values(console: tuple[Engine, Path], values: list[str]) -> None:
    """Terraform and Python agree on whatever a person might type, in any script."""
    _compare(console, values)


def test_every_rule_can_hold_and_can_break() -> None:
    """Among the borderline values each rule has one that keeps it and one that breaks it."""
    for rule in RULES:
        assert {rule.holds(value) for value in NEAR} == {True, False}, rule.message


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message[:40])
def test_messages_are_sentences(rule: Rule) -> None:
    """Terraform 1.0 and 1.1 refuse an error message that is not a full English sentence."""
    assert rule.message[0].isupper()
    assert rule.message[-1] in ".?"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.message[:40])
def test_conditions_mention_the_value_and_nothing_else(rule: Rule) -> None:
    """Terraform before 1.9 lets a condition refer to its own variable only."""
    expression = rule.expression("vm_name")
    assert expression.startswith("${")
    assert "var.vm_name" in expression
    assert expression.count("var.") == expression.count("var.vm_name")


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("region", ["us-east-1", "us-gov-west-1", "ap-southeast-2"], ["us-east", "US-EAST-1", ""]),
        ("vpc_id", ["vpc-12345678", "vpc-0123456789abcdef0"], ["vpc-xxxxx", "subnet-12345678", ""]),
        ("subnet_id", ["subnet-12345678"], ["subnet-xxxxx", "vpc-12345678", ""]),
        (
            "instance_type",
            ["t3.large", "m6i.4xlarge", "u-6tb1.metal", "g5.xlarge", "g4dn.xlarge", "c5.metal"],
            ["t3", "t4g.large", "m7gd.large", "a1.large", "g5g.xlarge", "im4gn.large", "T3.large"],
        ),
        (
            "tag_key",
            ["environment", "cost centre", "größe", "a:b"],
            ["", "aws:x", "a,b", "x" * 129],
        ),
        ("tag_value", ["", "development", "x" * 256], ["x" * 257, "a\nb", "a;b"]),
        (
            "use_existing_bucket_url",
            ["", "s3://my-existing-bucket", "s3://my.bucket/"],
            ["my-bucket", "s3://", "s3://bucket/folder", "S3://bucket", "https://bucket"],
        ),
        ("ssh_user", ["ubuntu", "_apt", "a-b"], ["", "Ubuntu", "root;rm", "a" * 33, "${x}"]),
        (
            "ssh_public_key",
            ["", "ssh-ed25519 AAAAC3Nz me@host", "ssh-rsa AAAAB3Nz=="],
            ["AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", "ssh-rsa AAAA a\nssh-rsa BBBB"],
        ),
    ],
)
def test_what_a_variable_takes(name: str, good: list[str], bad: list[str]) -> None:
    """The document's examples pass, and the mistakes that people make do not."""
    variable = VARIABLES[name]
    assert [value for value in good if variable.broken_rule(value)] == []
    assert [value for value in bad if not variable.broken_rule(value)] == []


def test_a_private_key_is_called_one() -> None:
    """Whoever pastes the wrong half hears that, and not something about its form."""
    pasted = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blb\n-----END OPENSSH PRIVATE KEY-----\n"
    assert "private key" in (VARIABLES["ssh_public_key"].broken_rule(pasted) or "")


def test_builders_match_whole_values() -> None:
    """A pattern covers the value from end to end, and `length_between` includes both ends."""
    texts = ("ab", "abc", "ab\n")
    assert [matches("X.", "ab").holds(each) for each in texts] == [True, False, False]
    assert [matches_not("X.", "ab").holds(each) for each in texts[:2]] == [False, True]
    held = [length_between("X.", 1, 2).holds("x" * n) for n in range(4)]
    assert held == [False, True, True, False]


@pytest.mark.parametrize("variable", VARIABLES.values(), ids=lambda each: each.name)
def test_null_breaks_every_rule(variable: Variable) -> None:
    """Terraform puts null in place of the default, and its own rule then fails at plan time."""
    assert variable.broken_rule(None) == (variable.rules[0].message if variable.rules else None)


def test_values_of_other_types_break_no_rule() -> None:
    """Whether a value has the right type is a question of its own, asked elsewhere."""
    variable = Variable(name="x", description="x", rules=(matches("X.", "a"),))
    assert variable.broken_rule(3) is None
    assert variable.broken_rule("b") == "X."
