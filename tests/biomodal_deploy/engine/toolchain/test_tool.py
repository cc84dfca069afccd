"""Version constraints mean what they mean to Terraform."""

from __future__ import annotations

import pytest

from biomodal_deploy.engine.toolchain.tool import satisfies


@pytest.mark.parametrize(
    ("version", "constraint", "met"),
    [
        ("5.100.0", "", True),
        ("5.100.0", "5.100.0", True),
        ("5.100.0", "= 5.100", True),
        ("5.101.3", "~> 5.100", True),
        ("6.0.0", "~> 5.100", False),
        ("5.99.0", "~> 5.100", False),
        ("5.100.7", "~> 5.100.1", True),
        ("5.101.0", "~> 5.100.1", False),
        ("5.9.0", "~> 5", True),
        ("6.1.0", "~> 5", False),
        ("6.25.0", ">= 5.0, < 7.0.0", True),
        ("7.0.0", ">= 5.0, < 7.0.0", False),
        ("5.1.0", ">5.1", False),
        ("5.1.0", "!= 5.1.0", False),
        ("6.0.0-beta1", ">= 5", False),
        ("6.0.0-beta1", "= 6.0.0-beta1", True),
        ("5.1.0", "whatever", False),
    ],
)
def test_satisfies(version: str, constraint: str, met: bool) -> None:
    """Each operator holds; a pre-release fits only where it is named; rubbish never fits."""
    assert satisfies(version, constraint) is met
