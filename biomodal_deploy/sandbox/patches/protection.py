"""What moto's EC2 lacks of termination protection."""

from __future__ import annotations

from typing import Any, Final

from moto.core.responses import ActionResult
from moto.ec2.responses.instances import InstanceResponse

from biomodal_deploy.sandbox.patches.change import Change, Method


def launches_can_be_protected() -> list[Change]:
    """Protect what is launched with `DisableApiTermination`.

    moto reads it from later changes only, so that the first plan after an apply wants it again.
    """

    def protecting(original: Method) -> Method:
        def run_instances(self: Any) -> ActionResult:
            answer: ActionResult = original(self)
            if str(self._get_param("DisableApiTermination")).lower() == "true":
                reservation: Any = answer.result
                for instance in reservation.instances:
                    instance.disable_api_termination = True
            return answer

        return run_instances

    return [Change(InstanceResponse, "run_instances", protecting)]


PATCHES: Final = (launches_can_be_protected,)
