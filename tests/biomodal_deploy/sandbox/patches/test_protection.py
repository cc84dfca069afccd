"""Patches of termination protection mend what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from biomodal_deploy.sandbox.patches import protection
from tests.support.moto import Use, launch


def test_launches_can_be_protected(aws: Callable[[str], Any], use: Use) -> None:
    """An instance that is launched protected is, and another one is not."""
    ec2 = aws("ec2")

    def protected(**more: Any) -> bool:
        vm = launch(ec2, **more)
        read = ec2.describe_instance_attribute(InstanceId=vm, Attribute="disableApiTermination")
        return bool(read["DisableApiTermination"]["Value"])

    assert not protected(DisableApiTermination=True)
    use(protection.launches_can_be_protected)
    assert protected(DisableApiTermination=True)
    assert not protected()
