"""State files: what counts as one, copies that are whole and private, a hold that others see."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from biomodal_deploy.errors import EngineError, UsageError
from biomodal_deploy.workflow.stack import Stack
from biomodal_deploy.workflow.state_files import (
    State,
    back_up,
    held,
    local_state_of,
    parse_state,
    resources_in,
)
from tests.support.small_stack import stack_in


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """A stack of a project without anything in it."""
    return stack_in(tmp_path)


def text(serial: int = 3, lineage: str = "0123456789", **more: object) -> bytes:
    """Return a state as Terraform writes it."""
    held = {"outputs": {}, "resources": [{"type": "a", "name": "b"}], **more}
    return json.dumps({"version": 4, "serial": serial, "lineage": lineage, **held}).encode()


def state(content: bytes) -> State:
    """Return a state that is there."""
    found = parse_state(content, "here")
    assert found is not None
    return found


def test_what_one_says() -> None:
    """Which one it is, which version, how much is in it."""
    found = state(text())
    assert (found.lineage, found.serial, found.resources) == ("0123456789", 3, 1)
    assert (str(found), found.is_empty) == ("serial 3, 1 resource", False)
    assert state(text(resources=[])).is_empty
    assert not state(text(resources=[], outputs={"a": {"value": 1}})).is_empty


def test_its_digest_is_of_what_it_holds() -> None:
    """Another serial, lineage or layout is the same content; another output is another one."""
    digest = state(text()).sha256
    assert state(text(serial=9, lineage="x")).sha256 == digest
    assert state(json.dumps(json.loads(text()), indent=2).encode()).sha256 == digest
    assert state(text(outputs={"a": {"value": 1}})).sha256 != digest


@pytest.mark.parametrize("content", [b"", b" \n", text(lineage="", serial=0, resources=[])])
def test_nothing_written_yet(content: bytes) -> None:
    """An empty file beside a lock, and what a remote backend says before its first state."""
    assert parse_state(content, "here") is None


@pytest.mark.parametrize(
    "content",
    [b"canary", b"[]", b"{}", text()[:-9], text(serial=-1), b"\xff\xfe", b'{"lineage": "canary"}'],
)
def test_what_is_no_state(content: bytes) -> None:
    """One line that names the place and repeats nothing of it: a state is full of secrets."""
    with pytest.raises(UsageError) as refused:
        parse_state(content, "here")
    assert str(refused.value).startswith("here: not a Terraform state. Fix:")
    assert "canary" not in str(refused.value)


def test_how_many_resources_a_file_holds(tmp_path: Path) -> None:
    """None is not 0: a file that cannot be read may hold everything."""
    path = tmp_path / "x.tfstate"
    assert resources_in(path) == 0
    for content, count in ((b"", 0), (text(), 1), (text(resources=[]), 0), (b"torn", None)):
        path.write_bytes(content)
        assert resources_in(path) == count
    assert resources_in(tmp_path) is None


def test_a_copy_is_private_whole_and_made_once(stack: Stack) -> None:
    """Once for each content; one that was cut short is written again."""
    found = state(text())
    path = back_up(stack, found, "from")
    assert path.parent == local_state_of(stack).parent / "backups"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.stat().st_ino
    assert back_up(stack, found, "from").stat().st_ino == before
    path.write_bytes(text()[:10])
    assert back_up(stack, found, "from").read_bytes() == text()
    others = [
        back_up(stack, state(each), "from") for each in (text(serial=4), text(outputs={"a": 1}))
    ]
    assert len({path, *others}) == 3
    assert len(list(path.parent.iterdir())) == 3, "a draft was left"


def test_a_copy_that_cannot_be_written(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends it before anything is moved, in one line, with nothing half made."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="cannot be written"):
        back_up(stack, state(text()), "from")
    assert list((local_state_of(stack).parent / "backups").iterdir()) == []


_TAKEN = """
import fcntl, sys
file = open(sys.argv[1], "rb+")
try:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit("taken")
print("mine", flush=True)
sys.stdin.read()
"""


def test_held_until_the_block_ends(tmp_path: Path) -> None:
    """It is the lock that Terraform itself takes, so neither writes under the other."""
    path = tmp_path / "x.tfstate"
    path.write_bytes(text())
    probe = [sys.executable, "-c", _TAKEN, str(path)]
    with held(path) as content:
        assert content == text()
        done = subprocess.run(probe, stdin=subprocess.DEVNULL, stderr=-1, check=False, text=True)
        assert done.stderr.strip() == "taken"
    with subprocess.Popen(probe, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(EngineError, match="the state is locked"), held(path):
            pytest.fail("both hold it")
        other.communicate()
    with held(path) as content:
        assert content == text()


def test_nothing_to_hold(tmp_path: Path) -> None:
    """A file that is not there is an empty state; one that cannot be opened is an error."""
    with held(tmp_path / "x.tfstate") as content:
        assert content == b""
    with pytest.raises(UsageError, match="cannot be read and locked"), held(tmp_path):
        pytest.fail("a folder was held")
