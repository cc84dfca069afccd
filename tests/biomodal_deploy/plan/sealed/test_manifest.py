"""Tests for biomodal_deploy.plan.sealed.manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan import Plan, PlanKind
from biomodal_deploy.plan.sealed import Manifest, SealedPlan
from biomodal_deploy.plan.sealed.facts import Actor, FileDigest, Module, StateId
from biomodal_deploy.plan.sealed.manifest import differing, meaning_of
from tests.support.plans import output, plan, resource
from tests.support.sealed_plans import NOW, edit_manifest, facts, refused, sealed

KEY = b"a key of the stack"


def refusal(path: Path, key: bytes | None = None) -> SealedPlanRefused:
    """Return the refusal of a sealed plan."""
    with pytest.raises(SealedPlanRefused) as caught:
        SealedPlan.load(path, key=key)
    return caught.value


def test_a_manifest_is_read_back_as_it_was(tmp_path: Path) -> None:
    """And it is JSON that people can read."""
    sealed_plan = sealed(tmp_path)
    text = (sealed_plan.path / "manifest.json").read_text()
    assert Manifest.from_json(text.encode()) == sealed_plan.manifest
    assert '\n  "kind": "apply",' in text
    assert sealed_plan.manifest.created == NOW
    assert sealed_plan.manifest.expires == NOW + timedelta(hours=24)
    assert sealed_plan.manifest.counts.create == 1
    assert {verdict.rule for verdict in sealed_plan.manifest.verdicts} >= {"protected"}


Edit = Callable[[dict[str, Any]], object]
EDITS: dict[str, Edit] = {
    "account": lambda body: body["facts"].update(account="999999999999"),
    "expiry": lambda body: body.update(expires="2099-01-01T00:00:00Z"),
    "plan digest": lambda body: body.update(plan_sha256="0" * 64),
    "verdicts": lambda body: body.update(verdicts=[]),
    "nested": lambda body: body["facts"]["state"].update(serial=8),
    "removed": lambda body: body["facts"].pop("git_commit"),
    "no digest": lambda body: body.pop("manifest_sha256"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edited_manifest_is_refused(tmp_path: Path, edit: Edit) -> None:
    """Whatever was edited in it."""
    sealed_plan = sealed(tmp_path)
    edit_manifest(sealed_plan, edit, forge=False)
    error = refusal(sealed_plan.path)
    assert error.reason == "edited_manifest"
    assert str(error) == "The manifest was changed after it was sealed: plan again."


def test_an_edit_with_a_new_digest_does_not_match_what_was_approved(tmp_path: Path) -> None:
    """Who can write in the folder can make a digest, but not the one that was printed."""
    sealed_plan = sealed(tmp_path)
    edit_manifest(sealed_plan, EDITS["expiry"], forge=True)
    forged = SealedPlan.load(sealed_plan.path)
    with refused("not_approved"):
        forged.require(sealed_plan.sha256)


class TestSignatures:
    """With a key, only who has it can seal."""

    def test_a_signed_manifest_is_read_with_its_key(self, tmp_path: Path) -> None:
        """And without a key as well."""
        sealed_plan = sealed(tmp_path, key=KEY)
        assert SealedPlan.load(sealed_plan.path, key=KEY).manifest == sealed_plan.manifest
        assert SealedPlan.load(sealed_plan.path).manifest == sealed_plan.manifest

    def test_a_forged_one_is_refused(self, tmp_path: Path) -> None:
        """A new digest does not make a new signature."""
        sealed_plan = sealed(tmp_path, key=KEY)
        edit_manifest(sealed_plan, EDITS["expiry"], forge=True)
        assert refusal(sealed_plan.path, KEY).reason == "bad_signature"

    def test_another_key_is_refused(self, tmp_path: Path) -> None:
        """Whoever has it."""
        assert refusal(sealed(tmp_path, key=KEY).path, b"another").reason == "bad_signature"

    def test_an_unsigned_one_is_refused(self, tmp_path: Path) -> None:
        """Taking the signature away does not help."""
        assert refusal(sealed(tmp_path).path, KEY).reason == "unsigned"


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "cut short": b'{"format": 1, "id": ',
    "no object": b"[1, 2]",
    "a word": b'"text"',
    "not UTF-8": b'{"format": "\xff"}',
    "a surrogate": b'{"format": 1, "x": "\\ud800"}',
    "deep": b"[" * 100_000,
    "a huge number": b'{"format": ' + b"9" * 10_000 + b"}",
    "not a number": b'{"format": NaN}',
    "a key twice": b'{"format": 1, "format": 1}',
    "an escape sequence": b'{"format": 1, "id": "\\u001b[2J"}',
    "an escape sequence in a key": b'{"format": 1, "\\u001b[2J": 1}',
    "text turned round": b'{"format": 1, "id": "\\u202e"}',
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_refused_in_a_line(content: bytes) -> None:
    """It neither crashes, hangs nor writes on the terminal."""
    with pytest.raises(SealedPlanRefused) as caught:
        Manifest.from_json(content)
    assert caught.value.reason == "malformed"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda body: body.update(surprise=1), "malformed"),
        (lambda body: body["facts"].update({"x\x7f": 1}), "malformed"),
        (lambda body: body.update(plan_sha256="abc"), "malformed"),
        (lambda body: body.update(created="yesterday"), "malformed"),
        (lambda body: body.update(created="2026-01-01T00:00:00"), "malformed"),
        (lambda body: body["facts"].update(stack=["demo"]), "malformed"),
        (lambda body: body.update(id="../../etc"), "malformed"),
        (lambda body: body.update(kind="launch"), "malformed"),
        # The user can only plan again.
        (lambda body: body.update(format=2), "unknown_format"),
    ],
)
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, edit: Edit, reason: str) -> None:
    """Although its digest is right."""
    sealed_plan = sealed(tmp_path)
    edit_manifest(sealed_plan, edit, forge=True)
    error = refusal(sealed_plan.path)
    assert error.reason == reason
    assert str(error).isprintable()


def test_a_manifest_written_by_hand_in_another_layout_is_the_same(tmp_path: Path) -> None:
    """The digest is of what it says; what is pinned is the file."""
    sealed_plan = sealed(tmp_path)
    body = json.loads((sealed_plan.path / "manifest.json").read_text())
    (sealed_plan.path / "manifest.json").write_text(json.dumps(body, sort_keys=True))
    again = SealedPlan.load(sealed_plan.path)
    assert again.manifest == sealed_plan.manifest
    with pytest.raises(SealedPlanRefused):
        again.require(sealed_plan.sha256)


OTHER: Final = "f" * 64
VALUES: Final = st.dictionaries(
    st.sampled_from(["a", "b", "tags"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=5)
        | st.sampled_from([10**30, 1e22, -0.0, "e\u0301", "\u2028", "\x00"]),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=4,
    ),
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


def manifest(
    of: Plan,
    created: datetime = START,
    kind: PlanKind = PlanKind.APPLY,
    variables_sha256: str = "a" * 64,
    **changed: Any,
) -> Manifest:
    """Return the manifest of a plan."""
    return Manifest(
        kind=kind,
        variables_sha256=variables_sha256,
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


def parts(kind: PlanKind = PlanKind.APPLY, **given: Any) -> set[str]:
    """Return what a plan's meaning is made of."""
    of = plan(*given.pop("resources", ()), **given)
    return set(meaning_of(manifest(of, kind=kind), of))


def test_drift_counts_where_it_is_written_or_matters() -> None:
    """A plan that only refreshes writes all of it; elsewhere what AWS filled in changes nothing."""
    filled = [resource("aws_x.y", "update", {"a": ""}, {"a": None})]
    gone = [resource("aws_x.y", "delete", {"a": 1}, None)]
    assert "drift aws_x.y" in parts(PlanKind.REFRESH_ONLY, resource_drift=filled)
    assert "drift aws_x.y" not in parts(resource_drift=filled)
    assert "drift aws_x.y" in parts(resource_drift=gone)


def test_what_is_read_or_moved_counts_and_what_stays_does_not() -> None:
    """Neither acts on an object by itself, and both are part of what is approved."""
    same = {"a": 1}
    read = resource("data.aws_x.read", "read", None, same, mode="data")
    moved = resource("aws_x.moved", "no-op", same, same, previous_address="aws_x.old")
    stays = resource("aws_x.stays", "no-op", same, same)
    found = parts(resources=[read, moved, stays])
    assert {each for each in found if each.startswith("resource ")} == {
        "resource data.aws_x.read",
        "resource aws_x.moved",
    }


def test_what_is_deferred_counts() -> None:
    """A later plan does it, and that is approved with this one."""
    later = {"reason": "absent_prereq", "resource_change": resource("aws_x.y", "create", None, {})}
    one, other = plan(), plan(deferred_changes=[later])
    sealed = manifest(one)
    assert differing(meaning_of(sealed, one), meaning_of(sealed, other)) == ["deferred"]


@pytest.mark.parametrize("changed", [{"unknown_parts": ("new",)}, {"output_changes": ()}])
def test_the_rest_of_a_plan_counts(changed: dict[str, Any]) -> None:
    """Outputs, and what is not understood."""
    of = plan(output_changes={"word": output("create", None, "hello")})
    sealed = manifest(of)
    assert differing(meaning_of(sealed, of), meaning_of(sealed, of.model_copy(update=changed)))
