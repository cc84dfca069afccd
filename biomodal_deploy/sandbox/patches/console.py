"""What moto's consoles lack."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.responses.general import General

from biomodal_deploy.sandbox.patches.change import Change, Method

_STEPS: Final = re.compile(r'^step "(.*)"$', re.MULTILINE)
_DONE: Final = 'say "all installations completed successfully"'
_VERSION: Final = "Cloud-init v. 25.1.4-0ubuntu0~22.04.1"
_BOOT: Final = f"""\
[    0.000000] Linux version 6.8.0-1030-aws (sandbox: nothing boots, and nothing is installed)
[    9.120310] cloud-init[501]: {_VERSION} running 'init-local' at boot
"""
_END: Final = f"""\
[   95.310274] cloud-init[1121]: {_VERSION} finished at boot. Up 95 seconds
"""


def console_shows_the_first_boot() -> list[Change]:
    """Show the boot of a VM with this project's install script as it goes where all goes well.

    moto shows the same few lines of an old kernel for every VM, and who waits for the script to
    end would wait for ever. What each step says is read from the VM's own user data.
    """

    def showing(original: Method) -> Method:
        def get_console_output(self: Any) -> ActionResult:
            answer: ActionResult = original(self)
            instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
            script = _script(instance.user_data)
            if _DONE in script:
                shown = Base64EncodedString.from_raw_string(_boot(script))
                return ActionResult({**_result(answer), "Output": shown})
            return answer

        return get_console_output

    return [Change(General, "get_console_output", showing)]


def _result(answer: Any) -> dict[str, Any]:
    return dict(answer.result)


def _script(user_data: object) -> str:
    try:
        return base64.b64decode(str(user_data or "")).decode("utf-8", "replace")
    except ValueError:
        return ""


def _boot(script: str) -> str:
    said = [f"step {step}" for step in _STEPS.findall(script)]
    said += ["all installations completed successfully"]
    lines = (f"[   40.000000] cloud-init[1121]: biomodal install: {each}\n" for each in said)
    return f"{_BOOT}{''.join(lines)}{_END}"


PATCHES: Final = (console_shows_the_first_boot,)
