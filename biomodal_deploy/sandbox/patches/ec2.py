"""What moto's EC2 lacks beside instances and volumes: addresses, templates, groups, consoles."""

from __future__ import annotations

import base64
import re
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses.general import General
from moto.ec2.responses.instances import InstanceResponse

from biomodal_deploy.sandbox.patches import Method, patch

_EVERY: Final = "-1"


@patch(EC2Backend, "associate_address")
def addresses_need_a_gateway(
    original: Method, self: Any, instance: Any = None, eni: Any = None, **more: Any
) -> object:
    """Refuse an Elastic IP for a machine whose VPC has no internet gateway, as EC2 does.

    moto attaches it, so that a stack for a closed VPC passes here and fails on AWS.
    """
    interface = eni or (instance.nics[0] if instance and instance.nics else None)
    vpc = interface.subnet.vpc_id if interface else None
    if vpc and not self.describe_internet_gateways(filters={"attachment.vpc-id": [vpc]}):
        raise EC2ClientError(
            "Gateway.NotAttached", f"Network {vpc} is not attached to any internet gateway"
        )
    return original(self, instance=instance, eni=eni, **more)


@patch(LaunchTemplate, "create_version")
def own_tags_are_no_data(
    original: Method, self: Any, data: dict[str, Any], description: str
) -> object:
    """Keep a launch template's own tags out of what it launches.

    moto stores them in the template's data too, so that each plan wants to remove a
    `tag_specifications` that nobody wrote.
    """
    kept = [
        specification
        for specification in data.get("TagSpecifications", ())
        if specification.get("ResourceType") != "launch-template"
    ]
    data = {name: value for name, value in data.items() if name != "TagSpecifications"}
    if kept:
        data["TagSpecifications"] = kept
    return original(self, data, description)


@patch(EC2Backend, "describe_launch_templates")
def own_tags_can_change(original: Method, self: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """Show a launch template's tags of today.

    moto shows those of its creation, so that a changed tag stays in every later plan.
    """
    templates: list[Any] = original(self, *args, **kwargs)
    for template in templates:
        template.tags = template.get_tags()
    return templates


@patch(InstanceResponse, "run_instances")
def launches_can_be_protected(original: Method, self: Any) -> ActionResult:
    """Protect what is launched with `DisableApiTermination`.

    moto reads it from later changes only, so that the first plan after an apply wants it again.
    """
    answer: ActionResult = original(self)
    if str(self._get_param("DisableApiTermination")).lower() == "true":
        reservation: Any = answer.result
        for instance in reservation.instances:
            instance.disable_api_termination = True
    return answer


@patch(EC2Backend, "modify_security_group_rules")
def rules_of_every_protocol_have_no_ports(
    original: Method, self: Any, group_id: str, rules: dict[str, dict[str, Any]]
) -> None:
    """Take a rule of every protocol without ports when it is modified, as EC2 does.

    moto asks for them as if it were TCP, so that a new description of such a rule fails here.
    """
    ports = {"FromPort": _EVERY, "ToPort": _EVERY}
    given = {
        name: {**ports, **rule} if rule.get("IpProtocol") == _EVERY else rule
        for name, rule in rules.items()
    }
    original(self, group_id, given)


@patch(EC2Backend, "_delete_security_group")
def groups_in_use_are_kept(original: Method, self: Any, vpc_id: str | None, group_id: str) -> None:
    """Refuse to delete a group that a network interface has (EC2 API, DeleteSecurityGroup).

    moto deletes it under a VM that runs, so that a replacement in the wrong order passes here.
    """
    if any(group.id == group_id for each in self.enis.values() for group in each.group_set):
        raise DependencyViolationError(f"resource {group_id} has a dependent object")
    original(self, vpc_id, group_id)


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


@patch(General, "get_console_output")
def console_shows_the_first_boot(original: Method, self: Any) -> ActionResult:
    """Show the boot of a VM with this project's install script as it goes where all goes well.

    moto shows the same few lines of an old kernel for every VM, and who waits for the script to
    end would wait for ever. What each step says is read from the VM's own user data.
    """
    answer: ActionResult = original(self)
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    script = _script(instance.user_data)
    if _DONE in script:
        said: Any = answer.result
        shown = Base64EncodedString.from_raw_string(_boot(script))
        return ActionResult({**said, "Output": shown})
    return answer


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
