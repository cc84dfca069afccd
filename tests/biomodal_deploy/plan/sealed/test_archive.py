"""Tests for biomodal_deploy.plan.sealed.archive: a sealed plan as one file, and what is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Final

import pytest

from biomodal_deploy.errors import SealedPlanRefused
from biomodal_deploy.plan.sealed import SealedPlan, consume
from biomodal_deploy.plan.sealed.archive import pack, unpack
from tests.support.sealed_plans import sealed

WHERE: Final = "s3://lab-plans/light/x.tar"


@pytest.fixture
def found(tmp_path: Path) -> SealedPlan:
    """A sealed plan."""
    return sealed(tmp_path / "plans")


def packed(plan: SealedPlan) -> bytes:
    """Return a sealed plan as one file."""
    file = io.BytesIO()
    pack(plan, file)
    return file.getvalue()


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """An empty private folder."""
    folder = tmp_path / "room"
    folder.mkdir(mode=0o700)
    return folder


def refusal(content: bytes, room: Path, found: SealedPlan, words: str) -> str:
    """Return the line that refuses an archive in place of a plan."""
    with pytest.raises(SealedPlanRefused, match=words) as refused:
        unpack(io.BytesIO(content), room, found.sha256, WHERE)
    return str(refused.value)


def test_there_and_back(found: SealedPlan, room: Path) -> None:
    """The same files, private, and the same plan makes the same bytes."""
    content = packed(found)
    assert packed(found) == content
    assert unpack(io.BytesIO(content), room, found.sha256, WHERE) == found.manifest
    files = {each.name: each.read_bytes() for each in found.path.iterdir() if each.is_file()}
    assert {each.name: each.read_bytes() for each in room.iterdir()} == files
    assert {each.stat().st_mode & 0o777 for each in room.iterdir()} == {0o600}


def rewritten(content: bytes, name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return an archive with a member more."""
    file = io.BytesIO(content)
    with tarfile.open(fileobj=file, mode="a") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("/tmp/outside", tarfile.REGTYPE),
        ("logs/plan.log", tarfile.REGTYPE),
        ("plan.tfplan", tarfile.REGTYPE),
        ("-rf", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("hard", tarfile.LNKTYPE),
        ("pipe", tarfile.FIFOTYPE),
        ("folder", tarfile.DIRTYPE),
        ("sparse", tarfile.GNUTYPE_SPARSE),
    ],
)
def test_members_that_no_plan_has(found: SealedPlan, room: Path, name: str, kind: bytes) -> None:
    """Links, folders, pipes, paths and a file twice: refused in one line, nothing outside."""
    hostile = rewritten(packed(found), name, kind)
    line = refusal(hostile, room, found, "is not the plan that was stored")
    assert "\n" not in line
    assert line.startswith(WHERE)
    assert not (room.parent / "outside").exists()


def test_too_many_members(found: SealedPlan, room: Path) -> None:
    """A sealed plan has a handful of files."""
    content = packed(found)
    for number in range(30):
        content = rewritten(content, f"file{number}")
    refusal(content, room, found, "more than the plain files")


@pytest.mark.parametrize("cut", [0, 1, 511, 700, 3000])
@pytest.mark.parametrize("noise", [False, True], ids=["cut", "noise"])
def test_no_whole_tar_file(found: SealedPlan, room: Path, cut: int, noise: bool) -> None:
    """Nothing, noise, or the beginning of one."""
    content = b"\xff" * cut if noise else packed(found)[:cut]
    refusal(content, room, found, "is not the plan that was stored")


def test_another_plan(found: SealedPlan, tmp_path: Path, room: Path) -> None:
    """Whole and well sealed, but not the one that was approved."""
    other = sealed(tmp_path / "others")
    refusal(packed(other), room, found, f"its SHA-256 is {other.sha256}")


def test_the_manifest_with_another_plan_file(found: SealedPlan, room: Path) -> None:
    """The digest that was approved covers what the manifest binds."""
    found.plan_file.write_bytes(b"another plan")
    refusal(packed(found), room, found, r"its plan\.tfplan was changed")


def test_a_used_plan_is_not_packed(found: SealedPlan) -> None:
    """It is good for nothing more."""
    consume(found.path)
    with pytest.raises(SealedPlanRefused, match="is used"):
        pack(SealedPlan.load(found.path), io.BytesIO())
