"""The start-up script: a file that reviewers read, and base64 only at plan time."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from biomodal_deploy.config.settings import StackSettings
from biomodal_deploy.errors import UsageError
from tests.support.project import ROOT, contents, stack_json

SCRIPT: Final = ROOT / "scripts" / "install_script.sh"
STACKS: Final = {"x": StackSettings()}


def synthesize(script: Path, output: Path) -> dict[str, Any]:
    """Synthesize the documented stack with a script and return it as data."""
    from stacks import synthesis

    synthesis.synthesize(STACKS, install_script=script, output=output)
    return stack_json(output, "x")


def test_the_json_refers_to_the_script(synthesized: Path, module_json: dict[str, Any]) -> None:
    """The stack's directory holds the script as it is, and the JSON names that file."""
    (copy,) = (synthesized / "stacks" / "biomodal-aws" / "assets").rglob("*.sh")
    assert copy.read_bytes() == SCRIPT.read_bytes()
    relative = copy.relative_to(synthesized / "stacks" / "biomodal-aws")
    user_data = module_json["module"]["bootstrap"]["user_data_base64"]
    assert f'file("${{path.module}}/{relative}")' in user_data
    assert user_data.startswith("${base64encode(")


def test_the_marked_user_is_in_the_script() -> None:
    """The text that Terraform replaces with `ssh_user` exists, exactly once."""
    from stacks.install_script import USER_MARK

    assert SCRIPT.read_text().count(USER_MARK) == 1


def test_an_edited_script_shows_in_the_json(tmp_path: Path) -> None:
    """The path holds the content's digest: another script is another line in the review."""
    script = tmp_path / "install_script.sh"
    seen = []
    for text in ("#!/bin/sh\n", "#!/bin/sh\ntrue\n", "#!/bin/sh\n"):
        script.write_text(text)
        seen.append(synthesize(script, tmp_path / "out")["module"]["bootstrap"])
    assert seen[0] != seen[1]
    assert seen[0] == seen[2]
    assert len(list((tmp_path / "out").rglob("*.sh"))) == 1


def test_the_script_s_mode_and_date_do_not_matter(tmp_path: Path) -> None:
    """The same content gives the same bytes, wherever and however it was checked out."""
    script = tmp_path / "install_script.sh"
    script.write_bytes(SCRIPT.read_bytes())
    synthesize(script, tmp_path / "one")
    script.chmod(stat.S_IRUSR)
    synthesize(script, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


NAMED = r"scripts/install_script.sh: .*"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", NAMED + "#!"),
        (b"echo no first line\n", NAMED + "#!"),
        (b"\xef\xbb\xbf#!/bin/bash\n", NAMED + "#!"),
        (b"#!/bin/bash\r\nset -e\r\n", NAMED + "Windows"),
        # Terraform reads UTF-8 only, and would say so in the middle of a plan.
        ("#!/bin/sh\n# größe\n".encode("latin-1"), NAMED + "UTF-8"),
        (os.mkdir, "Is a directory"),
        (os.mkfifo, "not a regular file"),  # nothing waits for whoever writes into it
        (lambda _: None, NAMED + "No such file"),
    ],
)
def test_a_script_that_no_vm_runs_is_refused(
    tmp_path: Path, content: bytes | Callable[[Path], None], rule: str
) -> None:
    """The VM would start without what it is for; here it is one line, and no folder is written."""
    script = tmp_path / "install_script.sh"
    if isinstance(content, bytes):
        script.write_bytes(content)
    else:
        content(script)
    with pytest.raises(UsageError, match=rf"{rule}.* Fix: "):
        synthesize(script, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("size", "fits"), [(16_384 - 26, True), (16_384 - 25, False)])
def test_a_script_too_long_for_ec2_is_refused(tmp_path: Path, size: int, fits: bool) -> None:
    """EC2 takes 16,384 bytes, counted with the longest user name that `ssh_user` may hold."""
    script = tmp_path / "install_script.sh"
    mark = "#!${SSH_USER:-ubuntu}"
    script.write_text(mark + "#" * (size - len(mark)))
    if fits:
        synthesize(script, tmp_path / "out")
        return
    with pytest.raises(UsageError, match=r"at most 16384 bytes of user data\. Fix: "):
        synthesize(script, tmp_path / "out")
    assert not (tmp_path / "out").exists()
