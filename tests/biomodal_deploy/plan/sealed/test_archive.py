"""Tests for biomodal_deploy.plan.sealed.archive: a sealed plan as one file, and what is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
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


def room(tmp_path: Path) -> Path:
    """Return an empty private folder."""
    folder = tmp_path / "room"
    folder.mkdir(mode=0o700)
    return folder


def test_there_and_back(found: SealedPlan, tmp_path: Path) -> None:
    """The same files, private, and the same plan makes the same bytes."""
    content = packed(found)
    assert packed(found) == content
    folder = room(tmp_path)
    manifest = unpack(io.BytesIO(content), folder, found.sha256, WHERE)
    assert manifest == found.manifest
    assert {each.name for each in folder.iterdir()} == {
        each.name for each in found.path.iterdir() if each.is_file()
    }
    for each in folder.iterdir():
        assert each.read_bytes() == (found.path / each.name).read_bytes()
        assert each.stat().st_mode & 0o777 == 0o600


def rewritten(content: bytes, change: Callable[[tarfile.TarInfo], bytes | None]) -> bytes:
    """Return an archive with a member more, whose header a test makes."""
    file = io.BytesIO(content)
    with tarfile.open(fileobj=file, mode="a") as tar:
        member = tarfile.TarInfo("extra")
        more = change(member)
        tar.addfile(member, io.BytesIO(more) if more is not None else None)
    return file.getvalue()


def _named(name: str, kind: bytes = tarfile.REGTYPE) -> Callable[[tarfile.TarInfo], bytes | None]:
    def change(member: tarfile.TarInfo) -> bytes | None:
        member.name, member.type, member.linkname = name, kind, "/etc/passwd"
        return None

    return change


@pytest.mark.parametrize(
    "change",
    [
        _named("../outside"),
        _named("/tmp/outside"),
        _named("logs/plan.log"),
        _named("plan.tfplan"),
        _named("-rf"),
        _named("link", tarfile.SYMTYPE),
        _named("hard", tarfile.LNKTYPE),
        _named("pipe", tarfile.FIFOTYPE),
        _named("folder", tarfile.DIRTYPE),
        _named("sparse", tarfile.GNUTYPE_SPARSE),
    ],
)
def test_members_that_no_plan_has(
    found: SealedPlan, tmp_path: Path, change: Callable[[tarfile.TarInfo], bytes | None]
) -> None:
    """Links, folders, pipes, paths and a file twice: refused in one line, nothing outside."""
    hostile = rewritten(packed(found), change)
    with pytest.raises(SealedPlanRefused, match="is not the plan that was stored") as refused:
        unpack(io.BytesIO(hostile), room(tmp_path), found.sha256, WHERE)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(WHERE)
    assert not (tmp_path / "outside").exists()


def test_too_many_members(found: SealedPlan, tmp_path: Path) -> None:
    """A sealed plan has a handful of files."""
    content = packed(found)
    for number in range(30):
        content = rewritten(content, _named(f"file{number}"))
    with pytest.raises(SealedPlanRefused, match="more than the plain files"):
        unpack(io.BytesIO(content), room(tmp_path), found.sha256, WHERE)


@pytest.mark.parametrize("cut", [0, 1, 511, 700, 3000])
def test_no_whole_tar_file(found: SealedPlan, tmp_path: Path, cut: int) -> None:
    """Nothing, noise, or the beginning of one."""
    for number, content in enumerate((packed(found)[:cut], b"\xff" * cut)):
        folder = tmp_path / str(number)
        folder.mkdir(mode=0o700)
        with pytest.raises(SealedPlanRefused, match="is not the plan that was stored"):
            unpack(io.BytesIO(content), folder, found.sha256, WHERE)


def test_another_plan(found: SealedPlan, tmp_path: Path) -> None:
    """Whole and well sealed, but not the one that was approved."""
    other = sealed(tmp_path / "others")
    with pytest.raises(SealedPlanRefused, match=f"its SHA-256 is {other.sha256}"):
        unpack(io.BytesIO(packed(other)), room(tmp_path), found.sha256, WHERE)


def test_the_manifest_with_another_plan_file(found: SealedPlan, tmp_path: Path) -> None:
    """The digest that was approved covers what the manifest binds."""
    expected = found.sha256
    found.plan_file.write_bytes(b"another plan")
    with pytest.raises(SealedPlanRefused, match=r"its plan\.tfplan was changed"):
        unpack(io.BytesIO(packed(found)), room(tmp_path), expected, WHERE)


def test_a_used_plan_is_not_packed(found: SealedPlan) -> None:
    """It is good for nothing more."""
    consume(found.path)
    with pytest.raises(SealedPlanRefused, match="is used"):
        pack(SealedPlan.load(found.path), io.BytesIO())
