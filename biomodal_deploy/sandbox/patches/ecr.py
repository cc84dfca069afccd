"""What moto's ECR lacks."""

from __future__ import annotations

from typing import Any, Final

from moto.ecr.models import Repository

from biomodal_deploy.sandbox.patches.change import Change


def scan_on_push_can_be_switched_off() -> list[Change]:
    """Take an image scanning configuration without `scanOnPush` as one that says no.

    The Go SDK leaves a false out of what it sends, and moto takes what is then empty for nothing
    to do: each later plan wants to switch scanning off again.
    """

    def update(self: Any, image_scanning_configuration: dict[str, bool] | None) -> None:
        if image_scanning_configuration is not None:
            self.image_scanning_configuration = {
                "scanOnPush": image_scanning_configuration.get("scanOnPush", False)
            }

    return [Change(Repository, "_update_image_scanning_configuration", lambda _: update)]


PATCHES: Final = (scan_on_push_can_be_switched_off,)
