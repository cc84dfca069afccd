"""Tests for biomodal_deploy.plan.sealed.sealed_plan."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from biomodal_deploy.errors import EXIT_SEALED_PLAN, SealedPlanRefused, UsageError
from biomodal_deploy.plan.sealed import SealedPlan, UseState, consume, record_outcome
from tests.support.plans import plan, resource
from tests.support.sealed_plans import NOW, edit_manifest, refused, sealed

FILES = ("plan.tfplan", "manifest.json", "changes.json")


def refusal(path: Path) -> SealedPlanRefused:
    """Return the refusal of a sealed plan."""
    with pytest.raises(SealedPlanRefused) as caught:
        SealedPlan.load(path)
    assert caught.value.exit_status == EXIT_SEALED_PLAN
    return caught.value


def _linked(path: Path) -> None:
    moved = path.parent / "elsewhere"
    path.rename(moved)
    path.symlink_to(moved)


def _for_a_group(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, -1, 12345)
    path.chmod(0o770)


def at(name: str, attack: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return an attack on a file of the folder."""
    return lambda path: attack(path / name)


@pytest.mark.parametrize(
    ("name", "mode"),
    [(".", 0o750), (".", 0o702), *zip(FILES, (0o644, 0o620, 0o604), strict=True)],
)
def test_what_is_open_to_others_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    """To read or to write, for the group or for all; the line says how it is."""
    path = sealed(tmp_path / "project" / "plans").path
    (path / name).chmod(mode)
    error = refusal(path)
    assert error.reason == "readable_by_others"
    assert f"{(path / name).name} is open to others (mode {mode:04o})" in str(error)


ATTACKS: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a folder above for all to write": (
        "writable_by_others",
        lambda path: path.parent.chmod(0o707),
        "can be written by others",
    ),
    "the project's folder for all to write": (
        "writable_by_others",
        lambda path: path.parent.parent.chmod(0o777),
        "can be written by others",
    ),
    "the folder above the project for the group to write": (
        "writable_by_others",
        lambda path: _for_a_group(path.parent.parent.parent),
        "can be written by others",
    ),
    "a link to the folder": ("symlink", _linked, "is a symbolic link"),
    **{
        f"a link to {name}": ("symlink", at(name, _linked), f"{name} is a symbolic link")
        for name in FILES
    },
    **{
        f"no {name}": ("missing_file", at(name, Path.unlink), f"{name} is missing")
        for name in FILES
    },
    "no sealed plan": ("no_sealed_plan", shutil.rmtree, "There is no sealed plan at"),
}


@pytest.mark.parametrize(("reason", "attack", "words"), ATTACKS.values(), ids=ATTACKS)
def test_what_others_could_have_touched_is_refused(
    tmp_path: Path, reason: str, attack: Callable[[Path], object], words: str
) -> None:
    """Each with its own reason and words, and the exit status of a sealed plan."""
    sealed_plan = sealed(tmp_path / "project" / "plans")
    attack(sealed_plan.path)
    error = refusal(sealed_plan.path)
    assert error.reason == reason
    assert words in str(error)


def test_another_users_sealed_plan_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner can change it after it was checked."""
    sealed_plan = sealed(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert refusal(sealed_plan.path).reason == "wrong_owner"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
@pytest.mark.parametrize("above", [1, 2, 3])
def test_a_folder_above_of_another_owner_is_refused(tmp_path: Path, above: int) -> None:
    """Its owner can put another plans folder in its place, whatever its mode."""
    sealed_plan = sealed(tmp_path / "project" / "plans")
    os.chown(sealed_plan.path.parents[above - 1], 65534, -1)
    assert refusal(sealed_plan.path).reason == "wrong_owner"
    with pytest.raises(SealedPlanRefused):
        sealed(tmp_path / "project" / "plans")  # no plan is made that no apply would accept


def test_a_folder_where_nobody_can_exchange_it_will_do(tmp_path: Path) -> None:
    """`/tmp` is open to all, and what is in it is its owner's: the sticky bit."""
    (tmp_path / "shared").mkdir(mode=0o777)
    (tmp_path / "shared").chmod(0o1777)
    sealed_plan = sealed(tmp_path / "shared" / "plans")
    assert SealedPlan.load(sealed_plan.path).id == sealed_plan.id


def test_a_link_that_others_can_turn_is_refused(tmp_path: Path) -> None:
    """Where the link leads is private, and the link is not."""
    sealed(tmp_path / "real" / "plans")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "open" / "project").symlink_to(tmp_path / "real")
    (path,) = (tmp_path / "open" / "project" / "plans" / "demo").glob("2*")
    assert refusal(path).reason == "writable_by_others"


def test_a_copy_under_another_name_is_refused(tmp_path: Path) -> None:
    """A copy would be unused again."""
    sealed_plan = sealed(tmp_path)
    copy = sealed_plan.path.with_name("20260101T000000Z-abcdef")
    shutil.copytree(sealed_plan.path, copy)
    assert refusal(copy).reason == "renamed"


def test_a_sealed_plan_can_be_carried_elsewhere(tmp_path: Path) -> None:
    """From the job that plans to the job that applies."""
    sealed_plan = sealed(tmp_path / "plans")
    elsewhere = tmp_path / "job" / sealed_plan.id
    shutil.copytree(sealed_plan.path, elsewhere)
    carried = SealedPlan.load(elsewhere)
    carried.require(sealed_plan.sha256)
    assert carried.plan() == sealed_plan.plan()


def test_edited_changes_are_refused(tmp_path: Path) -> None:
    """A reviewer must not be shown something else than what runs."""
    sealed_plan = sealed(tmp_path)
    (sealed_plan.path / "changes.json").write_bytes(plan(resource("a_b.c", "no-op")).to_changes())
    with refused("edited_changes"):
        SealedPlan.load(sealed_plan.path).plan()


class TestPinning:
    """`--expect-sha256` names the sealed plan that was approved."""

    def test_the_manifests_digest_is_accepted(self, tmp_path: Path) -> None:
        """In either case of letters, as copied with spaces."""
        sealed_plan = sealed(tmp_path)
        sealed_plan.require(sealed_plan.sha256)
        sealed_plan.require(f" {sealed_plan.sha256.upper()}\n")

    @pytest.mark.parametrize("name", ["plan_sha256", "changes_sha256", "manifest_sha256"])
    def test_no_other_digest_of_it_is_accepted(self, tmp_path: Path, name: str) -> None:
        """It says nothing of the expiry, the verdicts and the author, which may be forged."""
        sealed_plan = sealed(tmp_path)

        def live_longer(body: dict[str, Any]) -> None:
            body["expires"] = "2999-01-01T00:00:00Z"

        edit_manifest(sealed_plan, live_longer, forge=True)
        forged = SealedPlan.load(sealed_plan.path)
        approved = json.loads((sealed_plan.path / "manifest.json").read_bytes())[name]
        for digest in (approved, sealed_plan.sha256):
            with refused("not_approved"):
                forged.require(digest)

    def test_another_sealed_plan_is_refused(self, tmp_path: Path) -> None:
        """Although it is valid by itself."""
        first, second = sealed(tmp_path), sealed(tmp_path)
        with pytest.raises(SealedPlanRefused) as caught:
            second.require(first.sha256)
        assert caught.value.reason == "not_approved"
        assert first.sha256 in str(caught.value)

    @pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "a" * 63])
    def test_what_is_no_digest_is_a_mistake(self, tmp_path: Path, digest: str) -> None:
        """A part of one is not enough."""
        with pytest.raises(UsageError, match="64 hexadecimal"):
            sealed(tmp_path).require(digest)


def test_the_plan_file_goes_and_the_record_stays(tmp_path: Path) -> None:
    """After an apply it is good for nothing but its secrets."""
    sealed_plan = sealed(tmp_path)
    (sealed_plan.path / "values.json").write_text("secret")
    consume(sealed_plan.path)
    record_outcome(sealed_plan.path, UseState.APPLIED)
    sealed_plan.drop_plan_file()
    sealed_plan.drop_plan_file()
    again = SealedPlan.load(sealed_plan.path)
    assert again.plan() == sealed_plan.plan()
    assert again.use.state is UseState.APPLIED
    kept = {"manifest.json", "changes.json", "consumed.json", "outcome.json", "logs"}
    assert {path.name for path in sealed_plan.path.iterdir()} == kept


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """Whoever clears up behind a failure can pass over it, and the failure stays the news."""
    sealed_plan = sealed(tmp_path)
    shutil.rmtree(sealed_plan.path)
    with pytest.raises(UsageError, match=sealed_plan.id):
        sealed_plan.drop_plan_file()


def test_an_expired_plan_without_its_file_can_be_shown(tmp_path: Path) -> None:
    """Clearing up takes only the secrets."""
    sealed_plan = sealed(tmp_path, now=NOW - timedelta(hours=48))
    sealed_plan.drop_plan_file()
    assert SealedPlan.load(sealed_plan.path).plan() == sealed_plan.plan()
