"""Patches of the console's output mend what they say: the same calls go wrong without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from biomodal_deploy.sandbox.patches import console
from biomodal_deploy.vm.install_log import InstallState, read_install
from tests.support.moto import Use
from tests.support.project import ROOT


def test_console_shows_the_first_boot(aws: Callable[[str], Any], use: Use) -> None:
    """The install script's own words, to its end; without the patch nobody ever sees it end."""
    script = (ROOT / "scripts" / "install_script.sh").read_text()

    def install(user_data: str) -> InstallState:
        ec2 = aws("ec2")
        launched = ec2.run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, UserData=user_data
        )
        instance = launched["Instances"][0]["InstanceId"]
        return read_install(ec2.get_console_output(InstanceId=instance)["Output"]).state

    assert install(script) is InstallState.UNSEEN
    use(console.console_shows_the_first_boot)
    assert install(script) is InstallState.DONE
    assert install("#!/bin/sh\necho another script\n") is InstallState.UNSEEN
