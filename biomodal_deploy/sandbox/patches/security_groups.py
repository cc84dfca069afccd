"""What moto's security group rules lack."""

from __future__ import annotations

from typing import Any, Final

from moto.ec2.models import EC2Backend

from biomodal_deploy.sandbox.patches.change import Change, Method

_EVERY: Final = "-1"


def rules_of_every_protocol_have_no_ports() -> list[Change]:
    """Take a rule of every protocol without ports when it is modified, as EC2 does.

    moto asks for them as if it were TCP, so that a new description of such a rule fails here.
    """

    def modified(original: Method) -> Method:
        def modify_security_group_rules(
            self: Any, group_id: str, rules: dict[str, dict[str, Any]]
        ) -> None:
            ports = {"FromPort": _EVERY, "ToPort": _EVERY}
            original(
                self,
                group_id,
                {
                    name: {**ports, **rule} if rule.get("IpProtocol") == _EVERY else rule
                    for name, rule in rules.items()
                },
            )

        return modify_security_group_rules

    return [Change(EC2Backend, "modify_security_group_rules", modified)]


PATCHES: Final = (rules_of_every_protocol_have_no_ports,)
