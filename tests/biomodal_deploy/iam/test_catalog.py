"""Tests of the catalog's data: that it is sound, and speaks of all that the stacks hold."""

from __future__ import annotations

import re
from itertools import product

import pytest
from pydantic import JsonValue

from biomodal_deploy.iam import Place, iam_reference
from biomodal_deploy.iam.catalog import (
    SUFFIX,
    Catalog,
    CatalogError,
    Grant,
    Kind,
    Phase,
    catalog,
    fill,
)
from biomodal_deploy.iam.functions import UNKNOWN
from biomodal_deploy.iam.needs import needs_of
from biomodal_deploy.iam.stack import Document
from tests.support.changes import (
    FIXED,
    REFERRING,
    REPLACING,
    arguments,
    every_argument,
    fewer_tags,
    more_tags,
    snapshot,
)

GRANTS = [(name, grant) for name, kind in catalog().kinds.items() for grant in kind.grants]


@pytest.mark.parametrize(("name", "grant"), GRANTS)
def test_each_grant(name: str, grant: Grant) -> None:
    """Its actions exist, take its resources, and know its conditions' keys."""
    kinds = [kind.partition(":")[2] or kind for kind in grant.on]
    keys = [
        re.sub(r"\{[^}]*\}", "x", key)
        for label in grant.conditions
        for of_operator in catalog().condition(label.partition(":")[0]).values()
        for key in of_operator
    ]
    for action_name in grant.actions:
        action = iam_reference.action(action_name)
        assert action, f"{name}: {action_name}"
        for key, kind in product(keys, filter(action.on, kinds)):
            assert action.condition_key_known(key, kind), f"{action_name} {key}"


def test_wildcards_are_conditioned() -> None:
    """Where an id cannot be known, a condition stands beside it, in every grant."""
    bare = {
        (name, action)
        for name, grant in GRANTS
        for action in grant.actions
        if "*" in grant.on.values() and not grant.conditions
    }
    # AWS judges a list of alarms on all of them, and knows no condition for it.
    assert bare == {("aws_cloudwatch_metric_alarm", "cloudwatch:DescribeAlarms")}


def test_a_star_alone_is_all_that_aws_allows() -> None:
    """Only actions that the reference ties to no resource are granted on everything."""
    for name, grant in GRANTS:
        for action_name in grant.actions:
            action = iam_reference.action(action_name)
            assert action
            if not grant.on:
                assert not action.resources, f"{name}: {action_name} can be narrowed"


def test_each_argument_is_changed_or_cannot_be() -> None:
    """The recorded update touches every argument, but for what replaces or is fixed."""
    before, after = snapshot(), snapshot()
    every_argument(after)
    silent: set[str] = set()
    changed: set[str] = set()
    for kind, named in before["resource"].items():
        for name, body in named.items():
            new = dict(arguments(after["resource"][kind][name]))
            for path, value in arguments(body):
                (changed if new.get(path) != value else silent).add(f"{kind}.{path}")
    explained = set(REPLACING) | set(FIXED) | REFERRING
    assert silent - changed == explained
    assert not changed & explained


def test_extra_tags_come_and_go() -> None:
    """The recorded update takes away what the first apply added, and nothing else."""
    document = snapshot()
    more_tags(document)
    assert document != snapshot()
    fewer_tags(document)
    kinds = [kind for kind in document["resource"] if not catalog().kinds[kind].tagged]
    for kind in kinds:
        assert document["resource"][kind] == snapshot()["resource"][kind]


@pytest.mark.parametrize(
    "grant",
    [
        {"actions": ["s3:ListObjectsV2"], "on": {"bucket": "x"}},
        {"actions": ["s3:CreateBucket"], "on": {"object": "x"}},
        {"actions": ["ec2:TerminateInstances"]},
        {"actions": ["ec2:TerminateInstances"], "on": {"instance": "*"}, "if": ["nobody"]},
    ],
)
def test_wrong_data_is_found(grant: dict[str, object]) -> None:
    """A grant that AWS's reference contradicts is no policy but an error of ours."""
    kind = Kind.model_validate({"grant": [{"phases": [Phase.APPLY], "why": "test", **grant}]})
    wrong = Catalog(kinds={"thing": kind}, conditions={})
    stack = Document.model_validate({"resource": {"thing": {"one": {}}}})
    place = Place(partition="aws", region="eu-west-2", account="123456789012")
    with pytest.raises(CatalogError):
        needs_of(stack, {}, place, wrong)


VALUES: dict[str, JsonValue] = {
    "name": "dev",
    "prefix": "dev-",
    "empty": "",
    "flag": True,
    "arn": "arn:aws:iam::123456789012:instance-profile/path/ecs",
    "many": ["a", "b"],
    "unknown": UNKNOWN,
}


@pytest.mark.parametrize(
    ("template", "texts"),
    [
        ("*", ("*",)),
        ("{name}/*", ("dev/*",)),
        ("{none|name}", ("dev",)),
        ("{empty|prefix*}", (f"dev-{SUFFIX}",)),
        ("{flag}", ("true",)),
        ("{arn:name}", ("ecs",)),
        ("x-{many}", ("x-a", "x-b")),
        ("{none}", (UNKNOWN,)),
        ("{unknown}", (UNKNOWN,)),
    ],
)
def test_placeholders(template: str, texts: tuple[str, ...]) -> None:
    """The first alternative that is set fills a placeholder, a list gives a text for each."""
    assert fill(template, VALUES.get) == texts
