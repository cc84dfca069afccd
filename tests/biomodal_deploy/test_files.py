"""Files that nobody else can write to."""

import errno
import importlib
import os
import py_compile
import stat
import subprocess
from pathlib import Path

import pytest

from biomodal_deploy import files as private
from biomodal_deploy.errors import UsageError

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def mode(path: Path) -> int:
    """Return a file's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_written_privately_and_in_one_step(tmp_path: Path) -> None:
    """The file is the owner's to read, and no half of it is ever in place."""
    path = tmp_path / "file"
    private.write(path, b"one")
    private.write(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode(path) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path) -> None:
    """Where the file cannot be put in place, its draft goes too."""
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="file"):
        private.write(tmp_path / "file", b"one")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_draft_is_not_swept_while_it_is_written(tmp_path: Path) -> None:
    """A sweep at any moment takes nothing from a living writer."""
    with private.scratch(tmp_path, "work") as folder:
        private.sweep(tmp_path)
        assert folder.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_only_drafts_are_swept(tmp_path: Path) -> None:
    """What looks alike and is the user's own stays, and what a link leads to."""
    kept = [".notes.draft", "a.1234abcd.draft", ".a.1234abcg.draft", ".a.1234abcd.draft.txt"]
    for name in kept:
        (tmp_path / name).touch()
    (tmp_path / ".b.1234abcd.draft").symlink_to(tmp_path / kept[0])
    (tmp_path / ".c.1234abcd.draft").touch()
    private.sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*kept, ".b.1234abcd.draft"}


def test_exactly_one_new_file_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a file system without hard links; the loser leaves nothing."""

    def refused(*_: object) -> None:
        raise PermissionError

    for name in ("linked", "reserved"):
        assert private.write_new(tmp_path / name, b"first")
        assert not private.write_new(tmp_path / name, b"second")
        assert (tmp_path / name).read_bytes() == b"first"
        assert mode(tmp_path / name) == 0o600
        monkeypatch.setattr(Path, "hardlink_to", refused)
    assert {path.name for path in tmp_path.iterdir()} == {"linked", "reserved"}


@pytest.mark.parametrize(
    ("number", "below", "fix"),
    [
        (errno.ENOSPC, "file", "free some space"),
        (errno.EDQUOT, "file", "free some space"),
        (errno.EROFS, "file", "can be written"),
        (errno.EACCES, "file", "permissions of"),
        (errno.ENOENT, "no/such/file", "create the folder"),
        (errno.ENOTDIR, "a-file/file", "is a file"),
        (errno.ENAMETOOLONG, "file", "another path"),
    ],
)
def test_a_refused_write_says_what_helps(tmp_path: Path, number: int, below: str, fix: str) -> None:
    """Free space helps on a full disk, and where a folder is missing it does not."""
    (tmp_path / "a-file").touch()
    with pytest.raises(UsageError) as refused, private.writing(tmp_path / below):
        raise OSError(number, os.strerror(number))
    assert fix in str(refused.value.fix)
    full = number in (errno.ENOSPC, errno.EDQUOT)
    assert full or "space" not in str(refused.value.fix)


def test_a_scratch_folder_where_none_can_be_is_one_line(tmp_path: Path) -> None:
    """The folder that a person knows is named, with what helps."""
    with (
        pytest.raises(UsageError, match=rf"^{tmp_path}/none: .* Fix: "),
        private.scratch(tmp_path / "none", "work"),
    ):
        raise AssertionError("never entered")


@pytest.mark.parametrize("left", [16, 40])
def test_what_python_compiled_and_a_full_disk_cut_off(
    left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named with the command that helps: each later start would fail alike."""
    name = f"cut{left}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    source = tmp_path / name / "off.py"
    source.write_text("A = 'a' * 9\n")
    compiled = Path(py_compile.compile(str(source)) or "")
    compiled.write_bytes(compiled.read_bytes()[:left])
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((EOFError, ValueError, TypeError)) as raised:
        importlib.import_module(f"{name}.off")
    said = private.damaged_bytecode(raised.value) or ""
    assert said.startswith(f"{compiled}: ")
    subprocess.run(["sh", "-c", said.partition("Fix: ")[2]], check=True)
    assert importlib.import_module(f"{name}.off").A == "a" * 9


@pytest.mark.parametrize("error", [EOFError("marshal data too short"), ValueError("x")])
def test_no_other_error_is_called_that(error: Exception) -> None:
    """A fault of ours stays one."""
    with pytest.raises(type(error)) as raised:
        raise error
    assert private.damaged_bytecode(raised.value) is None
