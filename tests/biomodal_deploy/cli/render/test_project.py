"""Outputs with hostile values: on screen, and in a shell that takes them up."""

from __future__ import annotations

import subprocess

import pytest

from biomodal_deploy.cli.render import output_console
from biomodal_deploy.cli.render.project import show_environment, show_outputs
from biomodal_deploy.engine.terraform import OutputValue
from biomodal_deploy.errors import UsageError

HOSTILE = [
    "x\nbucket_url  s3://forged",
    "\x1b[31m<script>evil()</script> | `id` [/bold]",
    "'; echo evil; '",
    '$(echo evil) `echo evil` \\ "',
    "-n",
    "$(touch pwned) 'x' `id`\nsecond line",
]


def outputs(value: str) -> dict[str, OutputValue]:
    """Return two outputs, one of them hostile."""
    plain = OutputValue(value="s3://real", sensitive=False, type="string")
    return {"bucket_url": plain, "word": plain.model_copy(update={"value": value})}


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_forges_a_line(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The screen has one line that begins with each name, and nothing steers it."""
    output_console.cache_clear()
    show_outputs(output_console(), outputs(value))
    printed = capsys.readouterr().out
    names = [line.split()[0] for line in printed.splitlines() if line[:1].strip()]
    assert names == ["bucket_url", "word"]
    assert "\x1b" not in printed


@pytest.mark.parametrize("value", HOSTILE)
def test_a_shell_takes_up_the_value(value: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Evaluated by a real shell, the variable holds the value and nothing was run."""
    show_environment(output_console(), outputs(value))
    printed = capfdbinary.readouterr().out
    done = subprocess.run(
        ["sh", "-c", 'eval "$0"; printf "%s" "$WORD"', printed], capture_output=True, check=True
    )
    assert done.stdout == value.encode()


@pytest.mark.parametrize("name", ["wört", "x; id"])
def test_a_name_that_no_shell_has_is_refused(name: str) -> None:
    """Terraform allows letters that a shell does not."""
    with pytest.raises(UsageError, match=name):
        show_environment(output_console(), {name: outputs("x")["word"]})
