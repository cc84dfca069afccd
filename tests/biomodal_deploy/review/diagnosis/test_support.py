"""The support bundle: private, never over something, and without what must stay here."""

from __future__ import annotations

import io
import stat
import tarfile
from pathlib import Path

import pytest

from biomodal_deploy.errors import UsageError
from biomodal_deploy.review.diagnosis import support
from biomodal_deploy.review.diagnosis.support import Cleaner, write_bundle

NAME = "RSA PRIVATE KEY"


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder(tmp_path: Path) -> None:
    """Folders 0700, files 0600."""
    written = write_bundle(tmp_path / "new" / "support", {"a.txt": "a", "logs/b.log": "b"})
    assert (written / "logs" / "b.log").read_text() == "b"
    assert {mode(path) for path in (written, written / "logs")} == {0o700}
    assert {mode(path) for path in written.rglob("*.*")} == {0o600}


def test_an_archive(tmp_path: Path) -> None:
    """One file 0600, with everything in one folder inside."""
    written = write_bundle(tmp_path / "new" / "support.tar.gz", {"a.txt": "a", "logs/b.log": "b"})
    assert mode(written) == 0o600
    with tarfile.open(written) as archive:
        assert archive.getnames() == [
            "biomodal-aws-support/a.txt",
            "biomodal-aws-support/logs/b.log",
        ]
        assert {member.mode for member in archive} == {0o600}


@pytest.mark.parametrize("name", ["support", "support.tgz"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    """What is there stays as it is."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        write_bundle(tmp_path / name, {"a.txt": "a"})
    assert (tmp_path / name).read_text() == "mine"


def test_what_is_taken_out() -> None:
    """The deployment's secrets, keys over several lines, accounts, and who the user is."""
    cleaner = Cleaner(
        lambda text: text.replace("s3cret-word", "(sensitive value)"), Path("/home/ada")
    )
    log = (
        f"account 111122223333 s3cret-word in /home/ada/x\nbefore -----BEGIN {NAME}-----\n"
        f"MIIsecret\nMIIsecret\n-----END {NAME}-----\nafter\n"
    )
    assert cleaner.log(io.BytesIO(log.encode())) == (
        "account ************ (sensitive value) in ~/x\nbefore (sensitive value)\nafter\n"
    )


def test_a_large_log_keeps_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The beginning says what ran, the end what went wrong; in between a line says so."""
    monkeypatch.setattr(support, "_HEAD", 1000)
    monkeypatch.setattr(support, "_TAIL", 9000)
    lines = "".join(f"line {number}\n" for number in range(4_000))
    kept = Cleaner(str, Path("/")).log(io.BytesIO(lines.encode())).splitlines()
    assert (kept[0], kept[-1]) == ("line 0", "line 3999")
    (gap,) = [line for line in kept if not line.startswith("line ")]
    assert "bytes left out" in gap
    assert all(line.removeprefix("line ").isdigit() for line in kept if line != gap)
