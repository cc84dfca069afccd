"""Tests of `biomodal_deploy.iam.expressions`."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from biomodal_deploy.iam.expressions import Reference, evaluate, reference
from biomodal_deploy.iam.functions import UNKNOWN, is_unknown

VALUES: dict[Reference, JsonValue] = {
    ("var", "name"): "dev",
    ("var", "empty"): "",
    ("var", "url"): "s3://data/",
    ("var", "yes"): True,
    ("var", "tags"): {"stage": "test"},
    ("var", "number"): 3,
    ("var", "list"): ["a"],
    ("aws_key", "made", "name"): "key",
    ("aws_key", "none", "count"): 0,
}


def look_up(path: Reference) -> JsonValue:
    """Return a value of the table, unknown where there is none."""
    return VALUES.get(path, UNKNOWN)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("${var.name}", "dev"),
        ("${var.name}-queue", "dev-queue"),
        ("$${literal} ${var.name}", "${literal} dev"),
        ("${var.tags}", {"stage": "test"}),
        ('${var.empty == "" ? 1 : 0}', 1),
        ('${var.url == "" ? var.name : trimsuffix(trimprefix(var.url, "s3://"), "/")}', "data"),
        ('${lookup({"aws": "1", cn = "2"}, "cn", "0")}', "2"),
        ('${lookup({"aws": "1"}, "cn", "0")}', "0"),
        ("${merge(var.tags, {Name = var.name})}", {"stage": "test", "Name": "dev"}),
        ("${[var.name, 2, null]}", ["dev", 2, None]),
        ('${!(var.name == "x") && var.yes}', True),
        ('${join("/", ["a", var.name])}', "a/dev"),
        ('${split("/", "a/b")}', ["a", "b"]),
        ('${coalesce("", var.name)}', "dev"),
        ('${replace(lower("A-B"), "-", "_")}', "a_b"),
        ('${substr("${var.empty}${var.name}", 0, 2)}-x', "de-x"),
        ("${var.number > 2 && var.number <= 3}", True),
        ("${length(var.list) >= 2 ? 1 : 0}", 0),
        ("${one(aws_key.made[*].name)}", "key"),
        ("${one(aws_key.none[*].name)}", None),
        ('${toset(["a", var.name])}', ["a", "dev"]),
    ],
)
def test_what_is_known(template: str, value: JsonValue) -> None:
    """An expression has the value that Terraform gives it."""
    assert evaluate(template, look_up) == value


@pytest.mark.parametrize(
    "template",
    [
        "${aws_instance.vm.id}",
        "${var.other == 1 ? 1 : 2}",
        "${timestamp()}",
        "${[for each in var.tags : each]}",
        "${1 + 1}",
        "%{ if var.yes }a%{ endif }",
        'quotes " outside ${var.name}',
        "${not a template",
    ],
)
def test_what_is_not_understood_is_unknown(template: str) -> None:
    """Nothing of Terraform's language is an error here."""
    assert is_unknown(evaluate(template, look_up))


def test_a_name_is_known_in_part() -> None:
    """What is known of a text stands beside the mark for the rest."""
    assert evaluate("${var.name}-${aws_eip.x.id}", look_up) == f"dev-{UNKNOWN}"


def test_values_inside_values() -> None:
    """Lists, tables and their keys are evaluated."""
    given: JsonValue = {"${var.name}": ["${var.yes}", {"a": "${var.url}"}]}
    assert evaluate(given, look_up) == {"dev": [True, {"a": "s3://data/"}]}


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("${aws_s3_bucket.data[0].id}", ("aws_s3_bucket", "data", 0, "id")),
        ("${data.aws_ami.ubuntu.id}", ("data", "aws_ami", "ubuntu", "id")),
        ("x-${var.name}", None),
        ("${trimprefix(var.name, 1)}", None),
        ("plain", None),
        (3, None),
    ],
)
def test_references(template: JsonValue, path: Reference | None) -> None:
    """Only a reference that stands alone is one."""
    assert reference(template) == path


@pytest.mark.parametrize(
    ("condition", "path"),
    [
        ('var.name == "dev"', ("aws_ami", "a", "id")),
        ('var.name == "x"', ("aws_ami", "b", "id")),
        ("var.other", None),
    ],
)
def test_a_reference_behind_a_condition(condition: str, path: Reference | None) -> None:
    """Where the condition is known, so is what it chooses."""
    template = "${" + condition + " ? aws_ami.a.id : aws_ami.b.id}"
    assert reference(template, look_up) == path
    assert reference(template) is None
