"""Argument lists come from python-terraform, without its surprises."""

from __future__ import annotations

from pathlib import Path

import pytest
import python_terraform

from biomodal_deploy.engine.terraform import arguments as module
from biomodal_deploy.engine.terraform.arguments import FLAG, arguments


def test_options() -> None:
    """Flags, values, booleans and repeated options are spelt as Terraform wants them."""
    assert arguments(
        "plan",
        json=FLAG,
        input=False,
        parallelism=None,
        var_file=[Path("/a"), Path("/b")],
        lock_timeout="0s",
        out=Path("/p"),
    ) == (
        "plan",
        "-json",
        "-input=false",
        "-var-file=/a",
        "-var-file=/b",
        "-lock-timeout=0s",
        "-out=/p",
    )


def test_positional_arguments_follow_the_options() -> None:
    """A plan file or a lock id comes last, and a verb of two words is two arguments."""
    assert arguments("show", Path("/p"), json=FLAG) == ("show", "-json", "/p")
    assert arguments("state pull") == ("state", "pull")


def test_no_state_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty state that Terraform leaves beside a lock breaks python-terraform, and not us."""
    (tmp_path / "terraform.tfstate").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="Expecting value"):
        python_terraform.Terraform()
    module._Builder()


def test_a_misspelt_method_is_an_error() -> None:
    """Where python-terraform would run `terraform validte`, there is no such attribute."""
    with pytest.raises(AttributeError):
        module._Builder().validte  # noqa: B018
