"""Patches of ECR mend what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from biomodal_deploy.sandbox.patches import ecr
from tests.support.moto import Use, only


def test_scan_on_push_can_be_switched_off(aws: Callable[[str], Any], use: Use) -> None:
    """An empty scanning configuration, as the Go SDK sends a false, switches scanning off."""
    repositories = aws("ecr")
    repositories.create_repository(
        repositoryName="tools", imageScanningConfiguration={"scanOnPush": True}
    )

    def switched_off() -> bool:
        repositories.put_image_scanning_configuration(
            repositoryName="tools", imageScanningConfiguration={}
        )
        repository = only(repositories.describe_repositories()["repositories"])
        return not repository["imageScanningConfiguration"]["scanOnPush"]

    assert not switched_off()
    use(ecr.scan_on_push_can_be_switched_off)
    assert switched_off()
