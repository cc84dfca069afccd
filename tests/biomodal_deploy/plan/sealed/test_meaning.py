"""Tests for biomodal_deploy.plan.sealed.meaning: what changes it, and what does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.sealed import Manifest
from biomodal_deploy.plan.sealed.actor import Actor
from biomodal_deploy.plan.sealed.facts import FileDigest, Module, StateId
from biomodal_deploy.plan.sealed.meaning import differing, meaning_of
from tests.support.plans import output, plan, resource
from tests.support.sealed_plans import facts

OTHER: Final = "f" * 64
VALUES: Final = st.dictionaries(
    st.sampled_from(["a", "b", "tags"]),
    st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.lists(st.text(max_size=3))),
    min_size=1,
    max_size=3,
)
ADDRESSES: Final = st.lists(st.sampled_from("pqrstuvw"), min_size=1, max_size=5, unique=True)
START: Final = datetime(2025, 1, 1, tzinfo=UTC)
MOMENTS: Final = st.integers(0, 10**8).map(lambda seconds: START + timedelta(seconds=seconds))


@st.composite
def plans(draw: st.DrawFn) -> list[Any]:
    """Return resources that are created, updated and deleted."""
    found = []
    for name in draw(ADDRESSES):
        values, action = draw(VALUES), draw(st.sampled_from(["create", "update", "delete"]))
        before = None if action == "create" else {**values, "old": True}
        after = None if action == "delete" else values
        found.append(resource(f"aws_x.{name}", action, before, after))
    return found


def manifest(of: Plan, created: datetime = START, **changed: Any) -> Manifest:
    """Return the manifest of a plan."""
    more = {name: changed.pop(name) for name in ("kind", "variables_sha256") if name in changed}
    return Manifest(
        **{"kind": PlanKind.APPLY, "variables_sha256": "a" * 64, **more},
        id=f"{created:%Y%m%dT%H%M%SZ}-0a1b2c",
        created=created,
        expires=created + timedelta(hours=1),
        maker=Actor.me(),
        plan_sha256="c" * 64,
        changes_sha256="d" * 64,
        facts=facts(**changed),
        counts=of.counts,
        has_changes=of.has_changes,
    )


def meaning(resources: list[Any], created: datetime = START, **changed: Any) -> dict[str, str]:
    """Return what a plan means."""
    of = plan(*resources, output_changes={"word": output("create", None, "hello")})
    return meaning_of(manifest(of, created, **changed), of)


@given(plans(), MOMENTS, st.integers(0, 9), st.sampled_from("0123456789abcdef"))
def test_planned_again_it_is_the_same(
    resources: list[Any], moment: datetime, serial: int, digit: str
) -> None:
    """Another time, serial and commit, and another order of the resources."""
    ours = meaning(resources, state=StateId(lineage="l", serial=10))
    state = StateId(lineage="l", serial=serial)
    again = meaning(
        list(reversed(resources)), moment, state=state, git_commit=digit * 40, git_clean=False
    )
    assert differing(ours, again) == []


@given(plans(), st.data())
def test_each_resource_counts(resources: list[Any], data: st.DataObject) -> None:
    """A value, an address, an action, a provider: it differs, and in resources alone."""
    index = data.draw(st.integers(0, len(resources) - 1))
    one = resources[index]
    address, change = one["address"], one["change"]
    side = "after" if change["after"] is not None else "before"
    value = {**one, "change": {**change, side: {**change[side], "a": "another value"}}}
    moved = {**one, "address": f"module.m.{address}"}
    action = {**one, "change": {**change, "actions": ["delete", "create"]}}
    provider = {**one, "provider_name": "registry.terraform.io/evil/aws"}
    ours = meaning(resources)
    for changed in (value, moved, action, provider):
        theirs = meaning([*resources[:index], changed, *resources[index + 1 :]])
        found = differing(ours, theirs)
        assert f"resource {address}" in found
        assert all(each.startswith("resource ") for each in found)
    without = differing(ours, meaning([*resources[:index], *resources[index + 1 :]]))
    assert without == [f"resource {address}"]


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"kind": PlanKind.DESTROY}, "kind"),
        ({"stack": "other"}, "stack"),
        ({"account": "999988887777"}, "account"),
        ({"region": "ap-south-1"}, "region"),
        ({"endpoint": "http://127.0.0.1:1"}, "endpoint"),
        ({"endpoints": {"s3": "http://127.0.0.1:1"}}, "endpoint"),
        ({"workspace": "other"}, "workspace"),
        ({"backend_sha256": OTHER}, "state"),
        ({"state": StateId(lineage="another", serial=1)}, "state"),
        ({"terraform_version": "9.9.9"}, "engine"),
        ({"providers": {"hashicorp/aws": "9.9.9"}}, "providers"),
        ({"lock_file_sha256": OTHER}, "providers"),
        ({"modules": (Module(key="m", source="s", sha256=OTHER),)}, "modules"),
        ({"synthesized_sha256": OTHER}, "code"),
        ({"install_script": FileDigest(path="scripts/install_script.sh", sha256=OTHER)}, "install"),
        ({"var_files": (FileDigest(path="x.tfvars", sha256=OTHER),)}, "variables"),
        ({"variables_sha256": OTHER}, "variables"),
    ],
)
def test_each_part_counts(changed: dict[str, Any], part: str) -> None:
    """Where, with which code and which values: it differs, and says in what."""
    one = [resource("aws_x.y", "create", None, {"a": 1})]
    (found,) = differing(meaning(one), meaning(one, **changed))
    assert found.startswith(part)


@pytest.mark.parametrize(
    "change",
    [
        lambda of: of.model_copy(update={"unknown_parts": ("new",)}),
        lambda of: of.model_copy(update={"output_changes": ()}),
    ],
)
def test_the_rest_of_a_plan_counts(change: Callable[[Plan], Plan]) -> None:
    """Outputs, and what is not understood."""
    of = plan(output_changes={"word": output("create", None, "hello")})
    sealed = manifest(of)
    assert differing(meaning_of(sealed, of), meaning_of(sealed, change(of))) != []
